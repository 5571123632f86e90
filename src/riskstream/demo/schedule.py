"""When things happen: how a day's events spread over it."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

__all__ = [
    "DAY_MS",
    "LEAD_MS",
    "Day",
    "Schedule",
    "days_for",
    "steady",
    "workdays",
]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
EVENTS_PER_DAY = 5_000
"""Of a working day of some three hundred users."""
EVENTS_PER_DAY_OFF = 800
WORKING_WEEK = (EVENTS_PER_DAY,) * 5 + (EVENTS_PER_DAY_OFF,) * 2
"""A run begins on the first day of a week; the sixth and seventh are days off."""
STEADY_PATIENCE_MS = 5_000
LEAD_MS = 4 * HOUR_MS
"""How long before it begins in earnest a story starts."""

HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 13, 10, 12, 14, 14, 12, 9, 6, 4, 3, 2, 2, 1)
"""Weight of each hour of a day."""
HOUR_SUMS = tuple(accumulate(HOURS, initial=0))


@dataclass(frozen=True, slots=True)
class Day:
    """A day and how many events fall into it."""

    start_ms: int
    events: int

    def moment(self, progress: float) -> int:
        """The time by which this share (0 to 1) of the day's events has come."""
        wanted = min(max(progress, 0.0), 1.0) * HOUR_SUMS[-1]
        hour = min(bisect_right(HOUR_SUMS, wanted), len(HOURS)) - 1
        share = (wanted - HOUR_SUMS[hour]) / HOURS[hour]
        return self.start_ms + int((hour + share) * HOUR_MS)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where a run begins and how its days follow each other."""

    base_ms: int
    """A midnight."""
    quotas: tuple[int, ...] = WORKING_WEEK
    """Events per day; the days go through them again and again."""
    patience_ms: int = HOUR_MS // 4
    """How long a channel keeps a record that is not full."""
    interval_ms: float | None = None
    """Time between one event and the next, whatever their order tells of days and hours.

    None leaves every event at its own time of day.
    """

    def days(self) -> Iterator[Day]:
        """All days, without end."""
        start = self.base_ms
        while True:
            for quota in self.quotas:
                yield Day(start, quota)
                start += DAY_MS


def workdays(base_ms: int) -> Schedule:
    """Days with office hours, five of work and two off; ``base_ms`` is a midnight."""
    return Schedule(base_ms)


def steady(base_ms: int, events_per_second: float) -> Schedule:
    """The order of working days, told at an even pace from ``base_ms`` on."""
    return Schedule(
        base_ms,
        quotas=(EVENTS_PER_DAY,),
        patience_ms=STEADY_PATIENCE_MS,
        interval_ms=1000 / events_per_second,
    )


def days_for(events: int) -> int:
    """Days that ``workdays`` takes for so many events."""
    days = 0
    left = events
    for day in workdays(0).days():
        days += 1
        left -= day.events
        if left <= 0:
            break
    return days
