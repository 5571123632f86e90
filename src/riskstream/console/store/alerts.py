"""Alerts in the store: each is there once, found by its id, its subject and its events."""

import sqlite3
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from riskstream.events.record import Record
from riskstream.events.times import parse_time
from riskstream.pipeline.standings import Alert

__all__ = [
    "AlertFilters",
    "StoredAlert",
    "alert_of",
    "alerts_behind",
    "count_alerts",
    "find_alerts",
    "forget_alerts",
    "put_alert",
    "read_alert",
]

_DECODE: Final = msgspec.json.Decoder(Alert).decode
_AFTER_ALL: Final = (2**62, "")


class StoredAlert(NamedTuple):
    """An alert, and where it stands in the order of time."""

    at_ms: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """All must agree; None and an empty text ask for nothing."""

    subjects: tuple[str, ...] | None = None
    """Any of these; with none of them nothing is found."""
    family: str = ""
    """One of its causes is of this family."""
    start_ms: int | None = None
    end_ms: int | None = None

    def condition(self) -> tuple[str, list[str | int]]:
        """For a query of the table, with its values."""
        parts, values = ["TRUE"], list[str | int]()
        if self.subjects is not None:
            parts.append(f"subject IN ({', '.join('?' * len(self.subjects))})")
            values += self.subjects
        if self.family:
            parts.append(
                "EXISTS (SELECT 1 FROM alert_cause WHERE alert_id = alert.id AND family = ?)"
            )
            values.append(self.family)
        for sign, moment in ((">=", self.start_ms), ("<", self.end_ms)):
            if moment is not None:
                parts.append(f"at {sign} ?")
                values.append(moment)
        return " AND ".join(parts), values


def read_alert(record: Record) -> StoredAlert | None:
    """A record of the alerts topic; None when riskstream did not write it."""
    try:
        alert = _DECODE(record.value or b"")
        return StoredAlert(parse_time(alert.time), alert)
    except (msgspec.MsgspecError, ValueError):
        return None


def put_alert(link: sqlite3.Connection, stored: StoredAlert, value: bytes) -> bool:
    """Put it in; whether it was not there before."""
    alert = stored.alert
    done = link.execute(
        "INSERT OR IGNORE INTO alert VALUES (?, ?, ?, ?)",
        (alert.id, stored.at_ms, alert.subject, value),
    )
    if not done.rowcount:
        return False
    link.executemany(
        "INSERT OR IGNORE INTO alert_cause VALUES (?, ?, ?)",
        [(each.event_id, alert.id, each.family) for each in alert.causes],
    )
    return True


def forget_alerts(link: sqlite3.Connection, before_ms: int) -> None:
    """Remove those before a time."""
    link.execute(
        "DELETE FROM alert_cause WHERE alert_id IN (SELECT id FROM alert WHERE at < ?)",
        (before_ms,),
    )
    link.execute("DELETE FROM alert WHERE at < ?", (before_ms,))


def find_alerts(
    link: sqlite3.Connection,
    filters: AlertFilters,
    most: int,
    before: tuple[int, str] | None = None,
) -> list[StoredAlert]:
    """Alerts, the newest first, below a place (time, id)."""
    condition, values = filters.condition()
    rows = link.execute(
        f"SELECT at, value FROM alert WHERE {condition} AND (at, id) < (?, ?) "  # noqa: S608  (fixed parts)
        "ORDER BY at DESC, id DESC LIMIT ?",
        (*values, *(before or _AFTER_ALL), most),
    )
    return [StoredAlert(at, _DECODE(value)) for at, value in rows]


def count_alerts(link: sqlite3.Connection, filters: AlertFilters) -> int:
    """How many there are."""
    condition, values = filters.condition()
    found = link.execute(f"SELECT count(*) FROM alert WHERE {condition}", values)  # noqa: S608  (fixed parts)
    return int(found.fetchone()[0])


def alert_of(link: sqlite3.Connection, alert_id: str) -> StoredAlert | None:
    """The one of this id."""
    row = link.execute("SELECT at, value FROM alert WHERE id = ?", (alert_id,)).fetchone()
    return None if row is None else StoredAlert(row[0], _DECODE(row[1]))


def alerts_behind(link: sqlite3.Connection, event_id: str, most: int = 10) -> list[StoredAlert]:
    """Those that have this event among their causes, the newest first."""
    rows = link.execute(
        "SELECT at, value FROM alert_cause JOIN alert ON id = alert_id WHERE event_id = ? "
        "ORDER BY at DESC LIMIT ?",
        (event_id, most),
    )
    return [StoredAlert(at, _DECODE(value)) for at, value in rows]
