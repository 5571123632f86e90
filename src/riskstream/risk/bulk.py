"""How much a system does in one go: the size of its present run, and of its usual ones.

A directory that syncs every night does little by day and thousands of things at night, so its
usual run is not an average: it is the largest of late, halved in every half-life. A run is at an
end when nothing has come for a while. One in which something scored High is not learned.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from riskstream.events.event import Facts
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.levels import HIGH_FROM

__all__ = ["Bulk", "is_bulk", "usual_size", "with_one_more"]


class Bulk(Struct, frozen=True, array_like=True, gc=False):
    """A system's runs."""

    size: int
    """Of the present run, or the last one."""
    last_ms: int
    """Its newest event."""
    high: bool = False
    """Something in it scored High."""
    usual: int = 0
    """Size of the largest run before, as of ``usual_ms``; 0: there was none."""
    usual_ms: int = 0


def is_bulk(facts: Facts) -> bool:
    """A system changed something, or took somebody in from a directory."""
    return (
        facts.subject_type == "system"
        and facts.outcome is not EventOutcome.FAILURE
        and (facts.sensitivity is not Sensitivity.NONE or facts.kind is Kind.DIRECTORY)
    )


def with_one_more(
    bulk: Bulk | None, time_ms: int, score: int, gap_ms: int, half_life_ms: int
) -> Bulk:
    """The runs with an event at this time; one from before the present run changes nothing."""
    high = score >= HIGH_FROM
    if bulk is None:
        return Bulk(1, time_ms, high)
    if time_ms < bulk.last_ms - gap_ms:
        return bulk
    if time_ms <= bulk.last_ms + gap_ms:
        last = max(bulk.last_ms, time_ms)
        return replace(bulk, size=bulk.size + 1, last_ms=last, high=bulk.high or high)
    return Bulk(1, time_ms, high, _settled(bulk, half_life_ms), bulk.last_ms)


def usual_size(bulk: Bulk, time_ms: int, half_life_ms: int) -> int:
    """What a run comes to at this time, by the runs before the present one; 0: not known."""
    return _faded(bulk.usual, time_ms - bulk.usual_ms, half_life_ms)


def _settled(bulk: Bulk, half_life_ms: int) -> int:
    """The usual size once the present run is at an end."""
    before = usual_size(bulk, bulk.last_ms, half_life_ms)
    return before if bulk.high else max(before, bulk.size)


def _faded(size: int, passed_ms: int, half_life_ms: int) -> int:
    """Halved in every half-life, straight in between; in whole numbers on every machine."""
    halvings, rest = divmod(max(passed_ms, 0), half_life_ms)
    left = size >> min(halvings, _MOST_HALVINGS)
    return left - left * rest // (2 * half_life_ms)


_MOST_HALVINGS: Final = 64
