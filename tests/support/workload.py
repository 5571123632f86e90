"""A stream of raw records whose every outcome is known, and a recount of the failures table.

Nothing here knows how riskstream works: the kinds are those of OneLogin's documentation, the
windows those of ``docs/topics-and-schemas.md``.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.support.kafka import Stored

__all__ = ["Workload", "make_workload", "recount", "rows_as_counts"]

ACCOUNT = 1234
FAILURES = {6: "login", 1002: "mfa", 950: "mfa", 9: "app_access"}
QUIET = (5, 8, 7, 1400, 14)
"""Signed in, app opened, signed out, factor accepted, user updated: no failures."""
WINDOWS = {"5m": (60, 5), "1h": (60, 60), "24h": (900, 96)}
"""Seconds per pane and panes per window."""


@dataclass(frozen=True)
class Workload:
    """Records to send and what must become of them."""

    records: list[Stored]
    events: list[dict[str, Any]]
    """The good ones, in the order in which they are sent."""
    broken: int
    """Events that must end as dead letters."""

    @property
    def outcomes(self) -> int:
        """Events in all."""
        return len(self.events) + self.broken


def make_workload(
    events: int, *, seed: int, end: datetime, users: int = 500, hours: float = 30.0
) -> Workload:
    """Events over the hours before ``end``, alone and in arrays of ten, one in 500 broken."""
    rng = random.Random(seed)
    first = end.timestamp() - hours * 3600
    good: list[dict[str, Any]] = []
    records: list[Stored] = []
    batch: list[str] = []
    broken = 0
    for serial in range(events):
        if serial % 500 == 499:
            records.append(Stored(b'{"account_id": 1234, "event_type_id": 6, "user_', b"cut"))
            broken += 1
            continue
        user = rng.randrange(users)
        at = first + hours * 3600 * serial / events
        event = _event(rng, serial, user, at)
        good.append(event)
        text = json.dumps(event)
        if rng.random() < 0.5:
            records.append(Stored(text.encode(), b"user-%d" % user))
        else:
            batch.append(text)
        if len(batch) == 10:
            records.append(Stored(("[" + ", ".join(batch) + "]").encode(), b"batch-%d" % serial))
            batch = []
    records.extend(Stored(text.encode(), b"rest") for text in batch)
    return Workload(records, good, broken)


def _event(rng: random.Random, serial: int, user: int, at: float) -> dict[str, Any]:
    kind = rng.choice([*FAILURES, *QUIET, *QUIET])
    moment = datetime.fromtimestamp(int(at * 1000) / 1000, UTC)
    return {
        "id": 45_000_000_000 + serial,
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        "account_id": ACCOUNT,
        "user_id": user,
        "user_name": f"User {user}",
        "actor_user_id": user,
        "event_type_id": kind,
        "ipaddr": f"192.0.2.{user % 250}",
        "app_id": 77 if kind in {8, 9} else None,
        "notes": "x" * 400,
    }


def recount(events: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Counter[str]]]:
    """By subject and window: failures of each kind, as of the subject's newest failure."""
    times: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for event in events:
        kind = FAILURES.get(event["event_type_id"])
        if kind is not None:
            at = datetime.fromisoformat(event["created_at"]).timestamp()
            times[f"{ACCOUNT}:{event['user_id']}"].append((at, kind))
    counted: dict[str, dict[str, Counter[str]]] = {}
    for subject, failures in times.items():
        newest = max(at for at, _ in failures)
        counted[subject] = {
            window: Counter(
                kind for at, kind in failures if int(at // pane) > int(newest // pane) - panes
            )
            for window, (pane, panes) in WINDOWS.items()
        }
    return counted


def rows_as_counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Counter[str]]]:
    """Rows of ``riskstream tables failures --format json`` in the form of ``recount``."""
    return {
        row["subject"]: {
            window["window"]: Counter(
                {part["kind"]: part["count"] for part in window.get("counts", []) if part["count"]}
            )
            for window in row["windows"]
        }
        for row in rows
    }
