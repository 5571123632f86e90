"""What is usual, as decayed counts: one integer per value, in a dict bounded per feature.

An entry packs, from the lowest bit: the count in 64ths of an event (20 bits), the day it was last
seen (14), the six-hour pane in which it was first seen (16), the days it was seen on while
provisional (6), on how many of them a factor was verified (2), whether today is one of those (1),
and whether it is provisional (1). Days and panes count from 2020.

Counts halve in every half-life, in four steps. Each feature keeps the most frequent values by the
algorithm of Misra and Gries (1982) in its weighted form: when there is no room, the smallest count
is taken off all of them and off the new value. So a count is never more than what was seen, and
nobody becomes usual by pushing others out.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from riskstream.risk.features import feature_of
from riskstream.windows.panes import DAY_MS

__all__ = [
    "AGE_STEPS",
    "COUNT_BITS",
    "MAX_PROVISIONAL",
    "PANES_A_DAY",
    "UNIT",
    "Confirming",
    "Habits",
    "Met",
    "aged",
    "confirm",
    "count_of",
    "doubt",
    "entry",
    "first_pane",
    "is_alike",
    "is_provisional",
    "meet",
    "pane_of",
    "provisional",
    "restart",
    "seen_on",
]

Habits = dict[int, int]
"""Entries by key of ``features``."""
UNIT: Final = 64
"""One event in the units of a count."""
MAX_PROVISIONAL: Final = 2
"""Provisional values of a feature kept beside the usual ones."""
PANES_A_DAY: Final = 4
AGE_STEPS: Final = 4
"""Steps in which a count halves."""

_PANE_MS: Final = DAY_MS // PANES_A_DAY
_FIRST_PANE: Final = 18_262 * PANES_A_DAY
"""Of 2020."""
COUNT_BITS: Final = (1 << 20) - 1
"""Of an entry; all zero in what is provisional."""
_FULL: Final = COUNT_BITS - UNIT
_LAST_AT: Final = 20
_LAST: Final = (1 << 14) - 1
_FIRST_AT: Final = 34
_FIRST: Final = (1 << 16) - 1
_DAYS_AT: Final = 50
_DAYS: Final = (1 << 6) - 1
_VERIFIED_AT: Final = 56
_VERIFIED: Final = 3
_VERIFIED_TODAY: Final = 1 << 58
_PROVISIONAL: Final = 1 << 59


def pane_of(time_ms: int) -> int:
    """Six-hour panes since 2020, within what an entry can hold."""
    pane = time_ms // _PANE_MS - _FIRST_PANE
    return pane if 0 <= pane <= _FIRST else min(max(pane, 0), _FIRST)


def entry(count: int, last: int, first: int) -> int:
    """A value that is usual, by the panes in which it was last and first seen."""
    return min(count, COUNT_BITS) | last // PANES_A_DAY << _LAST_AT | first << _FIRST_AT


def provisional(pane: int) -> int:
    """A value that is not usual yet, met for the first time."""
    return entry(0, pane, pane) | _PROVISIONAL | 1 << _DAYS_AT


def is_provisional(packed: int) -> bool:
    """Not usual yet."""
    return packed >= _PROVISIONAL


def count_of(packed: int) -> int:
    """Decayed count in units; 0 for what is provisional."""
    return packed & COUNT_BITS


def is_alike(packed: int, other: int) -> bool:
    """Both provisional or both usual, and first seen in the same pane."""
    return not (packed ^ other) >> _FIRST_AT


def seen_on(packed: int) -> int:
    """Day since 2020 on which it was last seen."""
    return packed >> _LAST_AT & _LAST


def first_pane(packed: int) -> int:
    """Pane in which it was first seen."""
    return packed >> _FIRST_AT & _FIRST


def meet(habits: Habits, keys: Iterable[int], pane: int, room: Sequence[int]) -> bool:
    """One more event with these values; those that are new are usual from now on.

    Args:
        habits: Changed in place. What is provisional in it is left alone.
        keys: Of the values.
        pane: In which they were met.
        room: By feature, how many values are kept.

    Returns:
        Whether a value came or went.
    """
    day, changed = pane // PANES_A_DAY, False
    for key in keys:
        held = habits.get(key)
        if held is None:
            _admit(habits, key, entry(UNIT, pane, pane), room[feature_of(key)])
            changed = True
        elif held < _PROVISIONAL:
            ahead = day - (held >> _LAST_AT & _LAST)
            if held & COUNT_BITS <= _FULL:
                held += UNIT
            habits[key] = held + (ahead << _LAST_AT) if ahead > 0 else held
    return changed


def doubt(habits: Habits, key: int, pane: int) -> None:
    """A value is met for the first time, in doubtful company: provisional. Changes ``habits``."""
    feature = feature_of(key)
    others = [
        other
        for other, held in habits.items()
        if held >= _PROVISIONAL and feature_of(other) == feature
    ]
    if len(others) >= MAX_PROVISIONAL:
        del habits[min(others, key=lambda other: (seen_on(habits[other]), other))]
    habits[key] = provisional(pane)


class Confirming(NamedTuple):
    """What makes a provisional value usual."""

    verified_days: int
    """So many days with a verified factor."""
    unverified_days: int
    """Or so many days at all; 0: no number of them."""


class Met(Struct, frozen=True, gc=False):
    """When a provisional value is met again, and what confirms it."""

    pane: int
    verified: bool
    """A factor was verified with it."""
    factor_pane: int
    """Pane in which the user's factors were changed last; one confirms only what came after."""


def confirm(habits: Habits, key: int, met: Met, room: int, rule: Confirming) -> bool:
    """A provisional value is met again; on enough days it becomes usual, and then this is True.

    Changes ``habits``.
    """
    held = habits[key]
    days, verified = held >> _DAYS_AT & _DAYS, held >> _VERIFIED_AT & _VERIFIED
    today, last, first = bool(held & _VERIFIED_TODAY), seen_on(held), first_pane(held)
    day = met.pane // PANES_A_DAY
    if day > last:
        days, today, last = min(days + 1, _DAYS), False, day
    if met.verified and not today and met.factor_pane <= first:
        verified, today = min(verified + 1, _VERIFIED), True
    if verified >= rule.verified_days or 0 < rule.unverified_days <= days:
        del habits[key]
        _admit(habits, key, entry(UNIT * rule.verified_days, last * PANES_A_DAY, first), room)
        return True
    habits[key] = (
        entry(0, last * PANES_A_DAY, first)
        | days << _DAYS_AT
        | verified << _VERIFIED_AT
        | today * _VERIFIED_TODAY
        | _PROVISIONAL
    )
    return False


def restart(habits: Habits) -> Habits:
    """After a High event: what is provisional begins anew to be confirmed. The same if none is."""
    doubtful = [key for key, held in habits.items() if held >= _PROVISIONAL]
    if not doubtful:
        return habits
    fresh = habits.copy()
    for key in doubtful:
        last = seen_on(fresh[key]) * PANES_A_DAY
        fresh[key] = entry(0, last, first_pane(fresh[key])) | _PROVISIONAL
    return fresh


def aged(habits: Habits, steps: int) -> Habits:
    """A copy, that many quarters of a half-life later; what has faded is gone."""
    factor, kept = _factor(steps), {}
    for key, held in habits.items():
        if held >= _PROVISIONAL:
            kept[key] = held
            continue
        count = held & COUNT_BITS
        left = count * factor >> 16
        if left:
            kept[key] = held - count + left
    return kept


@lru_cache(maxsize=1024)
def _factor(steps: int) -> int:
    return round(65536 * 2 ** (-steps / AGE_STEPS))


def _admit(habits: Habits, key: int, packed: int, room: int) -> None:
    """Put a usual value in place, by Misra and Gries where there is no room."""
    feature = feature_of(key)
    rivals = [
        other
        for other, held in habits.items()
        if held < _PROVISIONAL and feature_of(other) == feature
    ]
    if len(rivals) < room:
        habits[key] = packed
        return
    less = min(packed & COUNT_BITS, *(habits[other] & COUNT_BITS for other in rivals))
    for other in rivals:
        if habits[other] & COUNT_BITS == less:
            del habits[other]
        else:
            habits[other] -= less
    if packed & COUNT_BITS > less:
        habits[key] = packed - less
