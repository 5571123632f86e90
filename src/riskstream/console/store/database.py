"""The database file: its tables, how it is opened, and how values are packed in it.

The writer alone changes it. Readers of any number see one state per transaction, and never wait.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from riskstream.console.store.facets import TIME_SHIFT
from riskstream.errors import StateStoreError

__all__ = [
    "DAY_MS",
    "FORM",
    "day_of",
    "open_reader",
    "open_writer",
    "pack",
    "text_days",
    "text_table",
    "transaction",
    "unpack",
]

FORM: Final = 1
"""Of the file; one of another form is refused."""
DAY_MS: Final = 86_400_000
FILE: Final = "events.db"
_WAL_PAGES: Final = 8_000
_CACHE_KIB: Final = 65_536
_MAP_BYTES: Final = 8_589_934_592

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE position (
    topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE event (key INTEGER PRIMARY KEY, id TEXT NOT NULL, value BLOB NOT NULL);
CREATE INDEX event_id ON event (id);
CREATE TABLE delta (number INTEGER PRIMARY KEY, rows BLOB NOT NULL);
CREATE TABLE block (first INTEGER PRIMARY KEY, columns BLOB NOT NULL);
CREATE TABLE entity (
    kind TEXT, key TEXT, name TEXT NOT NULL, folded TEXT NOT NULL, seen INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX entity_name ON entity (kind, folded);
CREATE TABLE row (
    topic TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (topic, key)
) WITHOUT ROWID;
CREATE TABLE letter (
    partition INTEGER, position INTEGER, written INTEGER NOT NULL, reason TEXT NOT NULL,
    stage TEXT NOT NULL, headers TEXT NOT NULL, key BLOB, value BLOB NOT NULL,
    PRIMARY KEY (partition, position)
) WITHOUT ROWID;
CREATE INDEX letter_time ON letter (written);
CREATE TABLE remark (
    event_id TEXT, at INTEGER, author TEXT, verdict TEXT NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (event_id, at, author)
) WITHOUT ROWID;
CREATE TABLE tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""
_ADDED: Final = """
CREATE TABLE IF NOT EXISTS alert (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, subject TEXT NOT NULL, value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_time ON alert (at, id);
CREATE INDEX IF NOT EXISTS alert_subject ON alert (subject, at);
CREATE TABLE IF NOT EXISTS alert_cause (
    event_id TEXT, alert_id TEXT, family TEXT NOT NULL, PRIMARY KEY (event_id, alert_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_cause_alert ON alert_cause (alert_id);
CREATE TABLE IF NOT EXISTS standing (
    subject TEXT PRIMARY KEY, gone INTEGER NOT NULL, half_life INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS standing_gone ON standing (gone, half_life);
"""
"""Of the same form: a store without them gets them, and fills them from Kafka."""


def open_writer(directory: Path) -> sqlite3.Connection:
    """Open the file in this directory, or make it.

    Raises:
        StateStoreError: It cannot be used; the text says why.
    """
    directory.mkdir(parents=True, exist_ok=True)
    link = _connect(directory, "rwc")
    link.execute("PRAGMA journal_mode = WAL")
    link.execute("PRAGMA synchronous = NORMAL")
    link.execute("PRAGMA secure_delete = OFF")
    link.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    link.execute("PRAGMA journal_size_limit = 268435456")
    (form,) = link.execute("PRAGMA user_version").fetchone()
    if form == 0:
        with transaction(link):
            _make(link, _TABLES)
            link.execute(f"PRAGMA user_version = {FORM}")
    elif form != FORM:
        raise StateStoreError(
            f"{directory / FILE} has form {form}, and this version writes form {FORM}. "
            "Delete the directory: everything in it is read from Kafka again."
        )
    with transaction(link):
        _make(link, _ADDED)
    return link


def _make(link: sqlite3.Connection, tables: str) -> None:
    for statement in tables.split(";\n"):
        link.execute(statement)


def open_reader(directory: Path) -> sqlite3.Connection:
    """Open the file to read it, from one thread at a time."""
    return _connect(directory, "ro")


def _connect(directory: Path, mode: str) -> sqlite3.Connection:
    path = directory / FILE
    try:
        link = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=1024,
            timeout=30.0,
        )
        link.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        link.execute(f"PRAGMA mmap_size = {_MAP_BYTES}")
        link.execute("PRAGMA temp_store = MEMORY")
        link.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as fault:
        raise StateStoreError(f"The console's store at {path} cannot be used: {fault}") from fault
    return link


@contextmanager
def transaction(link: sqlite3.Connection, how: str = "IMMEDIATE") -> Iterator[None]:
    """All that is done in the block, or nothing of it."""
    link.execute(f"BEGIN {how}")
    try:
        yield
    except BaseException:
        link.rollback()
        raise
    link.commit()


def day_of(key: int) -> int:
    """Days since 1970 of an event's key."""
    return (key >> TIME_SHIFT) // DAY_MS


def text_table(day: int) -> str:
    """The full-text table of one day's events."""
    return f"text_{day}"


def text_days(link: sqlite3.Connection) -> list[int]:
    """The days that have a full-text table, the newest first."""
    names = link.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
    )
    return sorted((int(name.removeprefix("text_")) for (name,) in names), reverse=True)


# What nearly every scored event has in common, so that each is packed to a third of its size.
# A change of it needs a new form.
_COMMON: Final = (
    b'"login_failure","user":{"id":"high","medium","low","no","success","failure","unknown",'
    b'"invalid password","password","Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 '
    b'(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36","app":{"id":,"targets":[{"type":'
    b'"first seen from ","new_address","raw":"{\\"id\\":,\\"created_at\\":\\"\\",\\"account_id\\":'
    b',\\"user_id\\":,\\"event_type_id\\":,\\"notes\\":\\"\\",\\"ipaddr\\":\\"\\",\\"actor_user_id'
    b'\\":,\\"actor_user_name\\":\\"\\",\\"user_name\\":\\"\\",\\"app_id\\":null,\\"app_name\\":'
    b'null,\\"assuming_acting_user_id\\":null,\\"role_id\\":null,\\"role_name\\":null,\\"group_id'
    b'\\":null,\\"group_name\\":null,\\"otp_device_id\\":null,\\"otp_device_name\\":null,'
    b'\\"policy_id\\":null,\\"policy_name\\":null,\\"actor_system\\":\\"\\",\\"custom_message\\":'
    b'null,\\"operation_name\\":null,\\"directory_sync_run_id\\":null,\\"directory_id\\":null,'
    b'\\"resolution\\":null,\\"client_id\\":null,\\"resource_type_id\\":null,'
    b'\\"error_description\\":null,\\"proxy_ip\\":null,\\"risk_score\\":null,\\"risk_reasons\\":'
    b'null,\\"risk_cookie_id\\":null,\\"browser_fingerprint\\":null}"}'
    b'"windows":{"login_failures_5m":0,"login_failures_1h":0,"mfa_failures_5m":0,"locked":false,'
    b'"lockouts_24h":0},"risk":{"score":,"level":"low","policy":"2026-11-23","prior":{"evidence":'
    b'-1.2,"points":9},"signals":[{"id":"","evidence":,"points":,"detail":""}],"signal_ids":[],'
    b'"reasons":""}"auth":{"method":"password"},"source":{"ip":"203.0.113.","user_agent":'
    b'"message":" logged into OneLogin","outcome":"success","actor":{"id":,"name":""},'
    b'"category":"users","event_type":{"id":5,"name":"USER_LOGGED_INTO_ONELOGIN","title":'
    b'"User logged into OneLogin","kind":"login_success","basis":"article"},'
    b'{"schema_version":1,"id":":","time":"2026-11-23T","received_time":"2026-11-23T",'
    b'"account_id":,"subject":"'
)


def pack(value: bytes) -> bytes:
    """A value as it is stored."""
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, _COMMON)
    return squeeze.compress(value) + squeeze.flush()


def unpack(stored: bytes) -> bytes:
    """A stored value as it was."""
    return zlib.decompressobj(-15, _COMMON).decompress(stored)
