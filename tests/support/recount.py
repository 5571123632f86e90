"""What OneLogin events must lead to, worked out a second time and without riskstream's code.

Only the catalog's data file and the policy's assumed lock times are shared: they are the rules,
not the work. Windows are whole panes: a window of ``n`` panes ends with the pane of its row's
newest event. Lock state is the newest event of each kind by (time, event id).
"""

import csv
import json
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = [
    "Event",
    "Fold",
    "Kinds",
    "count_failures",
    "count_lockouts",
    "failures_as_counted",
    "lockouts_as_counted",
    "members_of",
]

MINUTE, QUARTER, DAY = 60_000, 900_000, 86_400_000
AHEAD = 5 * MINUTE
"""An event is at most this far ahead of the record that brought it."""
FAILURE_WINDOWS = {"5m": (MINUTE, 5), "1h": (MINUTE, 60), "24h": (QUARTER, 96)}
LOCK_WINDOWS = {"24h": (QUARTER, 96), "7d": (QUARTER, 672)}
FAILS_AS = {
    "login_failure": "login",
    "mfa_failure": "mfa",
    "mfa_denied": "mfa",
    "app_access_failure": "app_access",
    "provisioning_failure": "provisioning",
    "admin_denied": "admin_denied",
    "api_failure": "api",
    "oidc_failure": "oidc",
    "directory_failure": "directory",
    "hook_failure": "hooks",
}
REGISTER_OF = {
    "lock": "locked",
    "suspend": "suspended",
    "unlock": "unlocked",
    "reinstate": "unlocked",
}


@dataclass(frozen=True, slots=True)
class Fold:
    """What one event means to the rows of one subject."""

    subject: str
    time: int
    """Epoch milliseconds, clipped to shortly after the record that brought it."""
    event_id: str
    type_id: int
    failure: str | None = None
    change: str | None = None
    scope: str = "account"
    login: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the raw topic and all that must become of it."""

    id: str
    place: tuple[int, int, int]
    """Raw partition, offset, index in the record."""
    subject: str
    category: str
    own: Fold
    effect: Fold | None
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kinds:
    """What the catalog's file and the policy say."""

    rows: dict[int, dict[str, str]]
    assumed: dict[str, int]
    """Milliseconds until a lock of this scope is presumed to end."""

    @classmethod
    def read(cls, catalog: Path, policy: Path) -> "Kinds":
        """Read both files."""
        with catalog.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            by_id = {int(row["id"]): row for row in rows if row["id"]}
        minutes = tomllib.loads(policy.read_text(encoding="utf-8"))["lockouts"]["assumed_minutes"]
        return cls(by_id, {scope: value * MINUTE for scope, value in minutes.items()})

    def event(
        self, content: Mapping[str, Any], place: tuple[int, int, int], received: int
    ) -> Event | None:
        """The event that a JSON object stands for; None where it is none."""
        account, type_id = content.get("account_id"), content.get("event_type_id")
        created = content.get("created_at")
        if not (isinstance(account, int) and isinstance(type_id, int) and isinstance(created, str)):
            return None
        row = self.rows.get(type_id)
        name = f"{account}:{content['id']}"
        time = min(_milliseconds(created), received + AHEAD)
        subject = _subject(account, type_id, row, content)
        affected = None if content.get("user_id") is None else f"{account}:{content['user_id']}"
        change = (row or {}).get("change") or None
        scope = (row or {}).get("scope") or "account"
        kind = (row or {}).get("kind", "unknown")
        own = Fold(
            subject,
            time,
            name,
            type_id,
            FAILS_AS.get(kind),
            change if affected == subject else None,
            scope,
            login=kind == "login_success",
        )
        effect = None
        if change is not None and affected is not None and affected != subject:
            effect = Fold(affected, time, name, type_id, None, change, scope)
        category = row["category"] if row else "uncataloged"
        return Event(name, place, subject, category, own, effect, content)


def members_of(value: bytes | None) -> list[Any] | None:
    """What a raw record of the chaos run holds: JSON values; None where it is broken."""
    if not value:
        return []
    try:
        text = value.decode("utf-8", "strict")
        found = json.loads(text, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode("utf-8", "strict")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else [found]


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY + since.seconds * 1000 + since.microseconds // 1000


def _subject(
    account: int, type_id: int, row: Mapping[str, str] | None, content: Mapping[str, Any]
) -> str:
    """Whose behaviour it is. Every event of the chaos run names a user."""
    user = content["user_id"]
    if row is not None and row["subject"] == "user":
        return f"{account}:{user}"
    for name in ("assuming_acting_user_id", "actor_user_id"):
        if content.get(name) is not None:
            return f"{account}:{content[name]}"
    if content.get("client_id"):
        return f"{account}:client:{content['client_id']}"
    if content.get("actor_system"):
        return f"{account}:system:{content['actor_system']}"
    return f"{account}:{user}" if user is not None else f"{account}:type:{type_id}"


def count_failures(folds: Iterable[Fold]) -> dict[str, dict[str, Any]]:
    """The failures table: by subject the time of the newest failure, and counts per window."""
    times: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for fold in folds:
        if fold.failure is not None:
            times[fold.subject].append((fold.time, fold.failure))
    table = {}
    for subject, failures in times.items():
        newest = max(time for time, _ in failures)
        windows = {
            name: dict(
                Counter(kind for time, kind in failures if _within(time, newest, width, panes))
            )
            for name, (width, panes) in FAILURE_WINDOWS.items()
        }
        table[subject] = {"as_of": newest, "windows": windows}
    return table


def failures_as_counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the failures topic in the form of ``count_failures``."""
    return {
        "as_of": _milliseconds(row["as_of"]),
        "windows": {
            window["window"]: {part["kind"]: part["count"] for part in window.get("counts", [])}
            for window in row["windows"]
        },
    }


def _within(time: int, newest: int, width: int, panes: int) -> bool:
    return time // width > newest // width - panes


@dataclass(slots=True)
class _Subject:
    registers: dict[tuple[str, str], tuple[int, str, int]] = field(default_factory=dict)
    locks: list[int] = field(default_factory=list)
    login: tuple[int, str, int] | None = None
    changed: int = -1
    """Time of the newest lock, unlock, suspension or reinstatement."""


def count_lockouts(folds: Iterable[Fold], kinds: Kinds) -> dict[str, dict[str, Any]]:
    """The lockouts table: registers, locks per window, and what is in force as of the newest."""
    subjects: dict[str, _Subject] = defaultdict(_Subject)
    for fold in folds:
        entry = (fold.time, fold.event_id, fold.type_id)
        if fold.change in REGISTER_OF:
            subject = subjects[fold.subject]
            place = (fold.scope, REGISTER_OF[fold.change])
            if place not in subject.registers or subject.registers[place][:2] < entry[:2]:
                subject.registers[place] = entry
            subject.changed = max(subject.changed, fold.time)
            if fold.change == "lock":
                subject.locks.append(fold.time)
        if fold.login:
            subject = subjects[fold.subject]
            if subject.login is None or subject.login[:2] < entry[:2]:
                subject.login = entry
    return {
        name: _lockouts_row(subject, kinds)
        for name, subject in subjects.items()
        if subject.registers
    }


def _lockouts_row(subject: _Subject, kinds: Kinds) -> dict[str, Any]:
    registers, newest = dict(subject.registers), subject.changed
    if subject.login is not None:
        registers["account", "login"] = subject.login
        newest = max(newest, subject.login[0])
    return {
        "as_of": newest,
        "registers": {
            place: (time, name, type_id) for place, (time, name, type_id) in registers.items()
        },
        "windows": {
            name: sum(_within(time, newest, width, panes) for time in subject.locks)
            for name, (width, panes) in LOCK_WINDOWS.items()
        },
        "shut_out": {
            scope: cause
            for scope in sorted({scope for scope, _ in registers})
            if (cause := _shut_out(scope, registers, newest, kinds)) is not None
        },
    }


def _shut_out(
    scope: str, registers: Mapping[tuple[str, str], tuple[int, str, int]], at: int, kinds: Kinds
) -> str | None:
    """``suspended``, ``locked`` or None at a time that no register lies after."""

    def ended(held: tuple[int, str, int], by: str) -> bool:
        other = registers.get((scope, by))
        return other is not None and other[:2] > held[:2]

    suspended, locked = registers.get((scope, "suspended")), registers.get((scope, "locked"))
    if suspended is not None and not ended(suspended, "unlocked"):
        return "suspended"
    if locked is None or ended(locked, "unlocked") or ended(locked, "login"):
        return None
    assumed = kinds.assumed.get(scope)
    return None if assumed is not None and locked[0] + assumed <= at else "locked"


def lockouts_as_counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the lockouts topic in the form of ``count_lockouts``."""
    return {
        "as_of": _milliseconds(row["as_of"]),
        "registers": {
            (held["scope"], held["kind"]): (
                _milliseconds(held["time"]),
                held["event_id"],
                held["event_type_id"],
            )
            for held in row["registers"]
        },
        "windows": {window["window"]: window["total"] for window in row["windows"]},
        "shut_out": {scope["scope"]: scope["cause"] for scope in row["scopes"] if scope["locked"]},
    }
