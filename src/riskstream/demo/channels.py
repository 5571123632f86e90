"""The channels that deliver the tenant's events to Kafka, each in a shape of its own."""

from typing import NamedTuple

from riskstream.demo.hostile import BrokenRecord
from riskstream.demo.shapes import Shape, TypeIds, event_id, render, wrap
from riskstream.demo.tenant_event import TenantEvent
from riskstream.events.outcome import Reason

__all__ = ["CHANNELS", "Channel", "RawMessage", "broken_message"]


class RawMessage(NamedTuple):
    """One record for the raw topic, and how what is in it must end."""

    key: bytes | None
    value: bytes | None
    at_ms: int
    """When it is delivered, epoch milliseconds; never before any event in it."""
    routed: int
    dead_letters: tuple[str, ...] = ()
    """The reason of each dead letter, in order."""
    filtered: int = 0
    stories: tuple[tuple[str, str], ...] = ()
    """(event identity, name of the story) of each event that is part of one."""

    @property
    def events(self) -> int:
        """Outcomes that this record must have."""
        return self.routed + len(self.dead_letters) + self.filtered


CHANNELS: tuple[tuple[str, Shape, int], ...] = (
    ("collector-a", Shape.REST_OBJECT, 1),
    ("collector-b", Shape.REST_TEXT, 1),
    ("poller-a", Shape.REST_PAGE, 25),
    ("poller-b", Shape.REST_PAGE, 25),
    ("broadcaster-a", Shape.ARRAY_SPARSE, 10),
    ("broadcaster-b", Shape.ARRAY_SPARSE, 10),
    ("broadcaster-c", Shape.ARRAY_FULL, 10),
    ("siem-a", Shape.NDJSON, 10),
    ("siem-b", Shape.NDJSON_CRLF, 10),
    ("eventbridge-a", Shape.EVENTBRIDGE, 1),
    ("eventbridge-b", Shape.EVENTBRIDGE, 1),
)
"""Name (the records' key), shape, most events in a record.

Each owner's events come by one channel, and a channel's records share a key and so a partition:
what one user does reaches the classified topic in the order in which it was done, and a demo
with the same seed gives the same scores.
"""


class Channel:
    """Collects events until a record is full or has waited long enough."""

    def __init__(self, name: str, shape: Shape, capacity: int, patience_ms: int) -> None:
        self.key = name.encode()
        self.shape = shape
        self._capacity = capacity
        self._patience_ms = patience_ms
        self._members: list[bytes] = []
        self._reasons: list[str] = []
        self._stories: list[tuple[str, str]] = []
        self._since_ms = 0
        self.latest_ms = 0
        """Time of the newest event taken."""
        self._serial = 0

    @property
    def batches(self) -> bool:
        """Whether one record holds several events."""
        return self._capacity > 1

    def add(self, event: TenantEvent, serial: int, types: TypeIds, story: str) -> RawMessage | None:
        """Take an event; the record, once it is full."""
        if story:
            self._stories.append((event_id(self.shape, serial), story))
        return self._take(render(self.shape, event, serial, types), event.at_ms, serial)

    def add_bad_member(
        self, member: bytes, reason: Reason, at_ms: int, serial: int
    ) -> RawMessage | None:
        """Take a member that will be a dead letter; the record, once it is full."""
        self._reasons.append(reason.value)
        return self._take(member, at_ms, serial)

    def due(self, now_ms: int) -> RawMessage | None:
        """The record, if it has waited long enough."""
        if self._members and now_ms - self._since_ms >= self._patience_ms:
            return self.flush(now_ms)
        return None

    def flush(self, now_ms: int) -> RawMessage | None:
        """The record as it is; None when there is nothing in it."""
        if not self._members:
            return None
        message = RawMessage(
            key=self.key,
            value=wrap(self.shape, self._members, self._serial, now_ms),
            at_ms=now_ms,
            routed=len(self._members) - len(self._reasons),
            dead_letters=tuple(self._reasons),
            stories=tuple(self._stories),
        )
        self._members, self._reasons, self._stories = [], [], []
        return message

    def _take(self, member: bytes, at_ms: int, serial: int) -> RawMessage | None:
        if not self._members:
            self._since_ms = at_ms
        self.latest_ms = at_ms
        self._members.append(member)
        self._serial = serial
        return self.flush(at_ms) if len(self._members) >= self._capacity else None


def broken_message(record: BrokenRecord, at_ms: int, serial: int) -> RawMessage:
    """A broken record as it comes, without a key; a tombstone has one, of its own."""
    reason = record.ends_as
    dead = (reason.value,) if isinstance(reason, Reason) else ()
    value = record.render(serial)
    return RawMessage(
        key=b"nobody" if value is None else None,
        value=value,
        at_ms=at_ms,
        routed=0,
        dead_letters=dead,
        filtered=0 if dead else 1,
    )
