"""Rows of the tables on a terminal, their windows counted anew for the time of looking."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import orjson

from riskstream.cli.output import LEVEL_STYLES, printable, styled, table
from riskstream.errors import KafkaFaultError
from riskstream.events.times import format_time
from riskstream.events.topics import FAILURES, LOCKOUTS, USERS
from riskstream.risk.standing_rows import decode_standing, encode_standing
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["TABLES", "ShownRow", "TableView"]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row: as the topic has it, and with its windows as they stand at another time."""

    stored: bytes
    as_of: str
    now: dict[str, Any]
    """The row's public form, counted anew."""


class TableView(Protocol):
    """How one table is ranked and shown."""

    topic: str

    def ranked(self, values: Iterable[bytes], now_ms: int) -> list[ShownRow]:
        """The rows, those with the most first."""

    def render(self, rows: Sequence[ShownRow], now_ms: int) -> "Table":
        """The rows as a table."""


class _Failures:
    topic = FAILURES

    def ranked(self, values: Iterable[bytes], now_ms: int) -> list[ShownRow]:
        rows = [_shown(value, now_ms, _failures_at) for value in values]
        return sorted(rows, key=lambda row: (_longest_first(row.now), row.now["subject"]))

    def render(self, rows: Sequence[ShownRow], now_ms: int) -> "Table":
        return table(
            ["subject", "#5m", "#1h", "#24h", "kinds in 24h", "newest event"],
            [(row.now["subject"], *_totals(row.now), _kinds(row.now), row.as_of) for row in rows],
            title=f"Failures at {format_time(now_ms)}",
        )


class _Lockouts:
    topic = LOCKOUTS

    def ranked(self, values: Iterable[bytes], now_ms: int) -> list[ShownRow]:
        rows = [_shown(value, now_ms, _lockouts_at) for value in values]
        return sorted(
            rows,
            key=lambda row: (
                [-total for total in _totals(row.now)],
                _state(row.now) == "open",
                row.now["subject"],
            ),
        )

    def render(self, rows: Sequence[ShownRow], now_ms: int) -> "Table":
        lines = []
        for row in rows:
            state = _state(row.now)
            told = "; ".join(_lock(scope) for scope in _locks(row.now))
            cell = styled(state, "green" if state == "open" else "bold red")
            lines.append((row.now["subject"], cell, *_totals(row.now), told, row.as_of))
        return table(
            ["subject", "state", "#24h", "#7d", "in force", "newest event"],
            lines,
            title=f"Lockouts at {format_time(now_ms)}",
        )


class _Users:
    topic = USERS

    def ranked(self, values: Iterable[bytes], now_ms: int) -> list[ShownRow]:
        rows = [_shown(value, now_ms, _standing_at) for value in values]
        return sorted(rows, key=lambda row: (*_most_points_first(row.now), row.now["subject"]))

    def render(self, rows: Sequence[ShownRow], now_ms: int) -> "Table":
        lines = []
        for row in rows:
            standing = row.now["standing"]
            level = styled(standing["level"], LEVEL_STYLES[standing["level"]])
            until = standing.get("valid_until", "")
            causes = "; ".join(_cause(each) for each in row.now["causes"] if each["points"])
            lines.append((row.now["subject"], standing["score"], level, until, causes, row.as_of))
        return table(
            ["subject", "#score", "level", "level until", "causes", "newest event"],
            lines,
            title=f"Standings at {format_time(now_ms)}",
        )


TABLES: dict[str, TableView] = {
    "failures": _Failures(),
    "lockouts": _Lockouts(),
    "users": _Users(),
}
"""By the name that a person types."""


def _shown(value: bytes, now_ms: int, recount: Any) -> ShownRow:
    try:
        stored = orjson.loads(value)
        return ShownRow(value, str(stored["as_of"]), orjson.loads(recount(value, now_ms)))
    except (ValueError, KeyError, TypeError) as fault:
        raise KafkaFaultError(
            f"The table's topic holds a value that riskstream did not write: {fault}"
        ) from fault


def _failures_at(value: bytes, now_ms: int) -> bytes:
    return encode_failures(msgspec.structs.replace(decode_failures(value), as_of_ms=now_ms))


def _lockouts_at(value: bytes, now_ms: int) -> bytes:
    return encode_lockouts(msgspec.structs.replace(decode_lockouts(value), as_of_ms=now_ms))


def _standing_at(value: bytes, now_ms: int) -> bytes:
    row = decode_standing(value)
    return encode_standing(msgspec.structs.replace(row, as_of_ms=max(row.as_of_ms, now_ms)))


def _most_points_first(row: dict[str, Any]) -> tuple[float, float]:
    """By score, then by what is left of all causes."""
    return -row["standing"]["score"], -row["standing"]["accumulated"]


def _cause(cause: dict[str, Any]) -> str:
    return f"{printable(cause['detail'])} ({cause['points']:.0f})"


def _totals(row: dict[str, Any]) -> list[int]:
    """Totals of the windows, shortest first."""
    return [int(window.get("total", 0)) for window in row["windows"]]


def _longest_first(row: dict[str, Any]) -> list[int]:
    """For ranking: the most in the longest window first."""
    return [-total for total in reversed(_totals(row))]


def _kinds(row: dict[str, Any]) -> str:
    return ", ".join(f"{each['kind']} {each['count']}" for each in row["windows"][-1]["counts"])


def _locks(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [scope for scope in row["scopes"] if scope["locked"]]


def _state(row: dict[str, Any]) -> str:
    causes = {scope.get("cause") for scope in _locks(row)}
    if not causes:
        return "open"
    return "suspended" if "suspended" in causes else "locked"


def _lock(scope: dict[str, Any]) -> str:
    until = f" until {scope['until']}" if "until" in scope else ""
    presumed = " (presumed)" if scope.get("presumed") else ""
    return (
        f"{scope['scope']} {scope.get('cause', 'locked')} since {scope['since']}{until}{presumed}"
    )
