"""How far a poller has read, and what it asks for next. Pure.

A *sweep* reads all events between two times, page after page by cursor. Only a whole sweep moves
the beginning of the next one, so nothing depends on the order in which the API gives events. The
next sweep begins before the end of the last: an event may show up a while after its own time.
"""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from riskstream.events.times import format_time, parse_time

__all__ = ["Checkpoint", "PollPlan", "after_page", "next_sweep", "read_checkpoint"]

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What decides the sweeps, and what of them is kept."""

    overlap_ms: int
    """How much of the last sweep the next one reads again."""
    slice_ms: int
    """Longest span of a sweep; more than the overlap, so that each gets further."""
    end_ms: int | None = None
    """Stop when everything before this time was read; None goes on for ever."""
    once: bool = False
    """Stop when everything up to now was read."""
    max_event_bytes: int = 1_000_000
    """Of a larger event only its hash is kept, since Kafka would not take it."""

    def __post_init__(self) -> None:
        """Refuse a plan that would never get anywhere."""
        if self.slice_ms <= self.overlap_ms:
            raise ValueError("a sweep must be longer than the overlap")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a source has been read; stands in Kafka beside what was read."""

    since_ms: int
    """Of events before this time none will be asked for any more."""
    until_ms: int | None = None
    """End of the sweep under way; None between two sweeps."""
    cursor: str | None = None
    """Next page of that sweep; None is its first."""

    @property
    def sweeping(self) -> bool:
        """Whether a sweep is under way."""
        return self.until_ms is not None

    def encode(self) -> bytes:
        """As JSON that a person can read."""
        until = None if self.until_ms is None else format_time(self.until_ms)
        return msgspec.json.encode(_Wire(VERSION, format_time(self.since_ms), until, self.cursor))

    def restarted(self, plan: PollPlan) -> "Checkpoint":
        """The sweep from its first page, for a cursor that is no longer known.

        Half as long, down to twice the overlap: cursors that run out sooner than a sweep takes
        must not keep it from ever ending.
        """
        if self.until_ms is None:
            return self
        span = self.until_ms - self.since_ms
        shorter = max(span // 2, min(span, 2 * plan.overlap_ms))
        return Checkpoint(self.since_ms, self.since_ms + shorter)


class _Wire(msgspec.Struct, omit_defaults=True):
    version: int
    since: str
    until: str | None = None
    cursor: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Wire)


def read_checkpoint(value: bytes) -> Checkpoint:
    """The checkpoint in these bytes.

    Raises:
        ValueError: They are none, or one of a later version.
    """
    try:
        wire = _DECODER.decode(value)
    except msgspec.DecodeError as fault:
        raise ValueError(f"not a checkpoint: {fault}") from fault
    if wire.version != VERSION:
        raise ValueError(f"a checkpoint of version {wire.version}, and this build knows {VERSION}")
    until = None if wire.until is None else parse_time(wire.until)
    return Checkpoint(parse_time(wire.since), until, wire.cursor if until is not None else None)


def next_sweep(at: Checkpoint, now_ms: int, plan: PollPlan) -> Checkpoint:
    """The sweep to go on with: the one under way, or a new one up to now.

    Args:
        at: How far the source is.
        now_ms: By the API's own clock; a sweep never ends later.
        plan: Bounds it.
    """
    if at.until_ms is not None:
        return at
    until = min(at.since_ms + plan.slice_ms, now_ms)
    if plan.end_ms is not None:
        until = min(until, plan.end_ms)
    return Checkpoint(at.since_ms, max(until, at.since_ms))


def after_page(at: Checkpoint, cursor: str | None, now_ms: int, plan: PollPlan) -> Checkpoint:
    """Where a sweep stands after a page; without a further cursor it is done.

    The next sweep then begins where this one ended, less the overlap: whatever shows up within
    that time of its creation is seen by one of them.

    Args:
        at: The sweep that the page belongs to.
        cursor: Of the next page.
        now_ms: By the API's own clock as the page told it. A sweep that was meant to end later
            than that, by a clock of ours that is ahead, counts only up to then.
        plan: Says how much overlaps.
    """
    if at.until_ms is None:
        raise ValueError("no sweep is under way")
    if cursor is not None:
        return replace(at, cursor=cursor)
    return Checkpoint(max(at.since_ms, min(at.until_ms, now_ms) - plan.overlap_ms))
