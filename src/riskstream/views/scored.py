"""A scored event read back, as views need it."""

from typing import Final

import msgspec

from riskstream.events.event import Event, Target
from riskstream.events.times import parse_time
from riskstream.risk.scorer import Risk
from riskstream.risk.situation import Counts

__all__ = ["ScoredEvent", "read_scored"]


class ScoredEvent(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Value of a record of a scored topic. Fields that are added later are not seen here."""

    risk: Risk
    windows: Counts
    raw: str = ""
    raw_truncated: bool = False
    late: bool = False
    time_clipped: bool = False

    @property
    def time_ms(self) -> int:
        """The event's time in epoch milliseconds."""
        return parse_time(self.time)

    @property
    def received_ms(self) -> int | None:
        """When the raw record came, in epoch milliseconds."""
        return None if self.received_time is None else parse_time(self.received_time)

    @property
    def why(self) -> str | None:
        """Why it did not go well, as far as the event says."""
        return (self.auth.reason if self.auth is not None else None) or self.error

    def target(self, kind: str) -> Target | None:
        """The first target of this type."""
        return next((target for target in self.targets if target.type == kind), None)


_DECODER: Final = msgspec.json.Decoder(ScoredEvent)


def read_scored(value: bytes) -> ScoredEvent:
    """Read the value of a scored record.

    Raises:
        ValueError: It is none; the text says where.
    """
    try:
        event = _DECODER.decode(value)
        parse_time(event.time)
        if event.received_time is not None:
            parse_time(event.received_time)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise ValueError(str(fault)) from fault
    return event
