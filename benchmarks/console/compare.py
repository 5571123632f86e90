"""The same questions to SQLite alone and to DuckDB: why the console's store is what it is."""

import importlib
import sqlite3
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks.console.synthetic import Span, make_records
from riskstream.catalog.loader import load_catalog

__all__ = ["compare"]

CHUNK = 5000
DAYS = 90
COLUMNS = (
    "key BIGINT, usr TEXT, ip TEXT, type INTEGER, category TEXT, level TEXT, outcome TEXT, "
    "score INTEGER, message TEXT, value TEXT"
)
PAGE = "SELECT value FROM event WHERE {} ORDER BY key DESC LIMIT 50"
COUNTS = "SELECT level, category, key / 172800000, count(*) FROM event WHERE {} GROUP BY 1, 2, 3"
QUESTIONS = {
    "broad": "category = 'users' AND outcome = 'success'",
    "user": "usr = '7' AND level = 'high'",
    "text": "message LIKE '%failed%' AND level = 'high'",
}


def compare(events: int, directory: Path) -> dict[str, Any]:
    """Milliseconds of a page with its counts, and of taking in one chunk, for each store."""
    directory.mkdir(parents=True, exist_ok=True)
    found = {"sqlite": _measure(events, *_sqlite(directory / "plain.db"))}
    try:
        found["duckdb"] = _measure(events, *_duckdb(directory / "plain.duckdb"))
    except ModuleNotFoundError:
        found["duckdb"] = {"missing": "pip install duckdb"}
    return found


Run = Callable[[str], Any]
Take = Callable[[list[tuple[Any, ...]]], None]


def _sqlite(path: Path) -> tuple[Run, Take]:
    path.unlink(missing_ok=True)
    link = sqlite3.connect(path, isolation_level=None)
    link.execute("PRAGMA journal_mode = WAL")
    link.execute("PRAGMA synchronous = NORMAL")
    link.execute(f"CREATE TABLE event ({COLUMNS})")
    for name in ("key", "usr", "ip", "type", "level", "category", "outcome"):
        columns = name if name == "key" else f"{name}, key"
        link.execute(f"CREATE INDEX by_{name} ON event ({columns})")

    def take(rows: list[tuple[Any, ...]]) -> None:
        marks = ",".join("?" * len(rows[0]))
        link.execute("BEGIN")
        link.executemany(f"INSERT INTO event VALUES ({marks})", rows)  # noqa: S608
        link.execute("COMMIT")

    return lambda query: link.execute(query).fetchall(), take


def _duckdb(path: Path) -> tuple[Run, Take]:
    path.unlink(missing_ok=True)
    link = importlib.import_module("duckdb").connect(str(path))
    link.execute(f"CREATE TABLE event ({COLUMNS})")

    def take(rows: list[tuple[Any, ...]]) -> None:
        import numpy as np  # noqa: PLC0415  (of the extra)

        names = [each.split()[0] for each in COLUMNS.split(", ")]
        chunk = {
            name: np.array(values, object if isinstance(values[0], str) else np.int64)
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
        link.register("chunk", chunk)
        link.execute("INSERT INTO event SELECT * FROM chunk")
        link.unregister("chunk")

    return lambda query: link.execute(query).fetchall(), take


def _measure(events: int, run: Run, take: Take) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    records = make_records(load_catalog(), events, Span(now_ms - DAYS * 86_400_000, now_ms))
    cpu = 0.0
    while chunk := [_row(record) for record in islice(records, CHUNK)]:
        before = time.process_time()
        take(chunk)
        cpu += time.process_time() - before
    found: dict[str, Any] = {"cpu_us_per_event_in": round(cpu / events * 1e6, 1)}
    for name, where in QUESTIONS.items():
        page, counts = PAGE.format(where), COUNTS.format(where)
        run(page)
        before, wall = time.process_time(), time.perf_counter()
        run(page)
        run(counts)
        found[name] = {
            "cpu_ms": round((time.process_time() - before) * 1000),
            "wall_ms": round((time.perf_counter() - wall) * 1000),
        }
    return found


def _row(record: Any) -> tuple[Any, ...]:
    event = orjson.loads(record.value)
    return (
        *(record.timestamp, str(event["user"]["id"]), event["source"]["ip"]),
        *(event["event_type"]["id"], event["category"], event["risk"]["level"]),
        *(event["outcome"], event["risk"]["score"], event["message"], record.value.decode()),
    )
