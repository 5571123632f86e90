"""When things happen: how a block of events spreads over its stretch of time."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["DAY_MS", "EVENTS_PER_DAY", "Block", "Schedule", "days_for", "steady", "workdays"]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
EVENTS_PER_DAY = 5_000
"""Of a working day of some three hundred users."""
EVENTS_PER_DAY_OFF = 800
WEEK = 7
FIRST_DAY_OFF = 5
"""A run begins on the first day of a week; the sixth and seventh are days off."""

HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 13, 10, 12, 14, 14, 12, 9, 6, 4, 3, 2, 2, 1)
"""Weight of each hour of a day."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of time and how many events fall into it."""

    start_ms: int
    length_ms: int
    events: int
    weights: tuple[int, ...]

    def moment(self, progress: float) -> int:
        """The time by which this share (0 to 1) of the block's events has come."""
        sums = list(accumulate(self.weights, initial=0))
        wanted = min(max(progress, 0.0), 1.0) * sums[-1]
        slot = min(bisect_right(sums, wanted) - 1, len(self.weights) - 1)
        share = (wanted - sums[slot]) / self.weights[slot]
        return self.start_ms + int((slot + share) / len(self.weights) * self.length_ms)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where a run begins and how its blocks follow each other."""

    base_ms: int
    lead_ms: int
    """How long before it begins in earnest a story starts."""
    patience_ms: int
    """How long a channel keeps a record that is not full."""
    length_ms: int
    quotas: tuple[int, ...]
    """Events per block; the blocks go through them again and again."""
    weights: tuple[int, ...]

    def blocks(self) -> Iterator[Block]:
        """All blocks, without end."""
        start = self.base_ms
        while True:
            for quota in self.quotas:
                yield Block(start, self.length_ms, quota, self.weights)
                start += self.length_ms


def workdays(base_ms: int) -> Schedule:
    """Days with office hours, five of work and two off; ``base_ms`` is a midnight."""
    on, off = (EVENTS_PER_DAY,) * FIRST_DAY_OFF, (EVENTS_PER_DAY_OFF,) * (WEEK - FIRST_DAY_OFF)
    return Schedule(base_ms, 4 * HOUR_MS, HOUR_MS // 4, DAY_MS, on + off, HOURS)


def steady(base_ms: int, events_per_second: float) -> Schedule:
    """The same number of events in every second, for a feed that goes by the clock."""
    length_ms = max(1, int(EVENTS_PER_DAY / events_per_second * 1000))
    return Schedule(base_ms, HOUR_MS // 12, 10_000, length_ms, (EVENTS_PER_DAY,), (1,))


def days_for(events: int) -> int:
    """Days that ``workdays`` takes for so many events."""
    days = 0
    left = events
    for block in workdays(0).blocks():
        days += 1
        left -= block.events
        if left <= 0:
            break
    return days
