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

from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from riskstream.risk.features import feature_of
from riskstream.windows.panes import DAY_MS

__all__ = [
    "AGE_STEPS",
    "DAY_OF_2020",
    "MAX_PROVISIONAL",
    "PANES_A_DAY",
    "UNIT",
    "Confirming",
    "Habits",
    "Met",
    "aged",
    "confirm",
    "count_of",
    "day_of",
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
    "strengthen",
]

Habits = dict[int, int]
"""Entries by key of ``features``."""
UNIT: Final = 64
"""One event in the units of a count."""
MAX_PROVISIONAL: Final = 2
"""Provisional values of a feature kept beside the usual ones."""
PANES_A_DAY: Final = 4
DAY_OF_2020: Final = 18_262
AGE_STEPS: Final = 4
"""Steps in which a count halves."""

_COUNT: Final = (1 << 20) - 1
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


class Met(Struct, frozen=True, gc=False):
    """When a value was met, and what confirms it."""

    day: int
    """Since 2020."""
    pane: int
    verified: bool = False
    """A factor was verified with it."""
    factor_pane: int = 0
    """Pane in which the newest factor was enrolled; it confirms only what came after it."""


def day_of(time_ms: int) -> int:
    """Days since 2020, within what an entry can hold."""
    return min(max(time_ms // DAY_MS - DAY_OF_2020, 0), _LAST)


def pane_of(time_ms: int) -> int:
    """Six-hour panes since 2020, within what an entry can hold."""
    return min(max(time_ms * PANES_A_DAY // DAY_MS - DAY_OF_2020 * PANES_A_DAY, 0), _FIRST)


def entry(count: int, day: int, pane: int) -> int:
    """A value that is usual."""
    return min(count, _COUNT) | day << _LAST_AT | pane << _FIRST_AT


def provisional(day: int, pane: int) -> int:
    """A value that is not usual yet."""
    return entry(0, day, pane) | _PROVISIONAL | 1 << _DAYS_AT


def is_provisional(packed: int) -> bool:
    """Not usual yet."""
    return packed >= _PROVISIONAL


def count_of(packed: int) -> int:
    """Decayed count in units; 0 for what is provisional."""
    return packed & _COUNT


def is_alike(packed: int, other: int) -> bool:
    """Both provisional or both usual, and first seen in the same pane."""
    return not (packed ^ other) >> _FIRST_AT


def seen_on(packed: int) -> int:
    """Day since 2020 on which it was last seen."""
    return packed >> _LAST_AT & _LAST


def first_pane(packed: int) -> int:
    """Pane in which it was first seen."""
    return packed >> _FIRST_AT & _FIRST


def strengthen(packed: int, day: int) -> int:
    """One more event with a usual value."""
    count = packed & _COUNT
    more = min(UNIT, _COUNT - count)
    last = packed >> _LAST_AT & _LAST
    return packed + more + (max(day - last, 0) << _LAST_AT)


def meet(habits: Habits, key: int, met: Met, room: int) -> None:
    """One more event with a value, usual from now on if it is new; changes ``habits``."""
    held = habits.get(key)
    if held is None:
        _admit(habits, key, entry(UNIT, met.day, met.pane), room)
    elif held < _PROVISIONAL:
        habits[key] = strengthen(held, met.day)


def doubt(habits: Habits, key: int, met: Met) -> None:
    """A value met in doubtful company: provisional if it is new; changes ``habits``."""
    if key in habits:
        return
    feature = feature_of(key)
    others = [
        other
        for other, held in habits.items()
        if held >= _PROVISIONAL and feature_of(other) == feature
    ]
    if len(others) >= MAX_PROVISIONAL:
        del habits[min(others, key=lambda other: (seen_on(habits[other]), other))]
    habits[key] = provisional(met.day, met.pane)


class Confirming(NamedTuple):
    """What makes a provisional value usual."""

    verified_days: int
    """So many days with a verified factor."""
    unverified_days: int
    """Or so many days at all; 0: no number of them."""


def confirm(habits: Habits, key: int, met: Met, room: int, rule: Confirming) -> None:
    """A provisional value is met again; on enough days it becomes usual. Changes ``habits``."""
    held = habits[key]
    days, verified = held >> _DAYS_AT & _DAYS, held >> _VERIFIED_AT & _VERIFIED
    today = bool(held & _VERIFIED_TODAY)
    last, first = seen_on(held), first_pane(held)
    if met.day > last:
        days, today, last = min(days + 1, _DAYS), False, met.day
    if met.verified and not today and met.factor_pane <= first:
        verified, today = min(verified + 1, _VERIFIED), True
    if verified >= rule.verified_days or 0 < rule.unverified_days <= days:
        del habits[key]
        _admit(habits, key, entry(UNIT * rule.verified_days, last, first), room)
        return
    habits[key] = (
        entry(0, last, first)
        | days << _DAYS_AT
        | verified << _VERIFIED_AT
        | today * _VERIFIED_TODAY
        | _PROVISIONAL
    )


def restart(habits: Habits) -> Habits:
    """After a High event: what is provisional begins anew to be confirmed. The same if none is."""
    doubtful = [key for key, held in habits.items() if held >= _PROVISIONAL]
    if not doubtful:
        return habits
    fresh = habits.copy()
    for key in doubtful:
        fresh[key] = entry(0, seen_on(fresh[key]), first_pane(fresh[key])) | _PROVISIONAL
    return fresh


def aged(habits: Habits, steps: int) -> Habits:
    """A copy, that many quarters of a half-life later; what has faded is gone."""
    factor, kept = _factor(steps), {}
    for key, held in habits.items():
        if held >= _PROVISIONAL:
            kept[key] = held
            continue
        count = held & _COUNT
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
    less = min(packed & _COUNT, *(habits[other] & _COUNT for other in rivals))
    for other in rivals:
        if habits[other] & _COUNT == less:
            del habits[other]
        else:
            habits[other] -= less
    if packed & _COUNT > less:
        habits[key] = packed - less
