"""Who stands worst now, without a look at every row of the table.

A standing fades with its half-life, so each row has a time by which it has come down to No, known
when the row is written. In the order of these times, the latest first, what a row can still come to
only falls, and the search ends where nobody can be among the first any more.
"""

import sqlite3
from math import ceil, exp2, log2
from typing import Final, NamedTuple

from riskstream.events.topics import USERS
from riskstream.risk.levels import HIGH_FROM, LOW_FROM
from riskstream.risk.standing import Measure, Standing, measure
from riskstream.risk.standing_rows import decode_standing

__all__ = ["Worst", "forget_standing", "note_standing", "worst_now"]

_NO_BELOW: Final = LOW_FROM - 0.5
"""Scores are rounded."""
_HIGH_FROM: Final = HIGH_FROM - 0.5
_MOST: Final = 100


class Worst(NamedTuple):
    """Who stands worst at a time."""

    first: list[tuple[Measure, Standing]]
    """The highest score first; nobody whose level is No."""
    high: int
    """How many stand High."""


def note_standing(link: sqlite3.Connection, subject: str, value: bytes) -> None:
    """Note by when a row has faded; one that riskstream did not write is not noted."""
    try:
        row = _decoded(value)
        link.execute(
            "REPLACE INTO standing VALUES (?, ?, ?)",
            (subject, _gone(row), row.decay.half_life_ms),
        )
    except (ValueError, ArithmeticError):
        forget_standing(link, subject)


def forget_standing(link: sqlite3.Connection, subject: str) -> None:
    """Its row is gone."""
    link.execute("DELETE FROM standing WHERE subject = ?", (subject,))


def worst_now(link: sqlite3.Connection, now_ms: int, most: int) -> Worst:
    """The subjects with the highest scores by now, and how many stand High."""
    shortest = link.execute(
        "SELECT min(half_life) FROM standing WHERE gone > ?", (now_ms,)
    ).fetchone()[0]
    first: list[tuple[Measure, Standing]] = []
    high = 0
    rows = link.execute(
        "SELECT gone, value FROM standing JOIN row ON topic = ? AND key = subject "
        "WHERE gone > ? ORDER BY gone DESC",
        (USERS, now_ms),
    )
    for gone, value in rows:
        # At most this score now, whichever row it is: an estimate from above.
        limit = _NO_BELOW * exp2(min((gone - now_ms) / shortest, 64))
        if limit < _HIGH_FROM and len(first) == most and limit < first[-1][0].score - 0.5:
            break
        row = decode_standing(value)
        found = measure(row, max(now_ms, row.as_of_ms))
        high += found.score >= HIGH_FROM
        if found.score >= LOW_FROM:
            first.append((found, row))
            first.sort(key=lambda each: (-each[0].score, each[1].subject))
            del first[most:]
    return Worst(first, high)


def _decoded(value: bytes) -> Standing:
    row = decode_standing(value)
    if not all(0 <= cause.score <= _MOST for cause in row.causes):
        raise ValueError("a cause's score is none")
    return row


def _gone(row: Standing) -> int:
    """When it is No at the latest.

    ``d * (peak + 100 * rest / halfway)`` is no less than the score once ``d`` of it is left.
    """
    found = measure(row, row.as_of_ms)
    weight = found.peak + 100 * (found.accumulated - found.peak) / row.decay.halfway
    if weight < _NO_BELOW:
        return row.as_of_ms
    return row.as_of_ms + ceil(log2(weight / _NO_BELOW) * row.decay.half_life_ms)
