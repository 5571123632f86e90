"""Input that no collector should send and every collector sends some day.

Whole records that are broken, and single members that spoil nothing but themselves.
"""

from dataclasses import dataclass

from riskstream.events.outcome import FilterReason, Reason

__all__ = ["BAD_MEMBERS", "BROKEN_RECORDS", "BrokenRecord"]

DEPTH = 2_000
"""Nesting of the deep record; far over any limit, and short enough to send."""

_EVENT = (
    b'{"id":%d,"created_at":"2026-11-23T09:00:00.000Z","account_id":1234,"user_id":10017,'
    b'"event_type_id":5,"user_name":"User 17","actor_user_name":"User 17"}'
)


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A whole record that is no event."""

    name: str
    value: bytes | None
    """``%d`` in it, where there is one, takes the serial number."""
    ends_as: Reason | FilterReason

    def render(self, serial: int) -> bytes | None:
        """The record's value."""
        if self.value is None or b"%d" not in self.value:
            return self.value
        return self.value.replace(b"%d", str(serial).encode())


BROKEN_RECORDS: tuple[BrokenRecord, ...] = (
    BrokenRecord("cut off", _EVENT[:90], Reason.MALFORMED_JSON),
    BrokenRecord("not UTF-8", _EVENT.replace(b"User 17", b"B\xfcro \xff", 1), Reason.INVALID_UTF8),
    BrokenRecord(
        "no time",
        _EVENT.replace(b'"created_at":"2026-11-23T09:00:00.000Z",', b""),
        Reason.MISSING_FIELD,
    ),
    BrokenRecord("tombstone", None, FilterReason.TOMBSTONE),
    BrokenRecord(
        "NaN",
        _EVENT.replace(b'"event_type_id":5', b'"event_type_id":5,"risk_score":NaN'),
        Reason.MALFORMED_JSON,
    ),
    BrokenRecord("empty value", b"", FilterReason.EMPTY),
    BrokenRecord(
        "time in words",
        _EVENT.replace(b"2026-11-23T09:00:00.000Z", b"yesterday at nine"),
        Reason.INVALID_TIME,
    ),
    BrokenRecord("deep nesting", b"[" * DEPTH + b"]" * DEPTH, Reason.TOO_DEEP),
    BrokenRecord("somebody else's", b'{"greeting":"hello"}', Reason.UNEXPECTED_SHAPE),
    BrokenRecord(
        "empty page",
        b'{"status":{"error":false,"code":200,"type":"success","message":"Success"},'
        b'"pagination":{},"data":[]}',
        FilterReason.EMPTY,
    ),
    BrokenRecord(
        "type in words",
        _EVENT.replace(b'"event_type_id":5', b'"event_type_id":"five"'),
        Reason.INVALID_FIELD,
    ),
)
"""In the order in which they come."""

BAD_MEMBERS: tuple[tuple[bytes, Reason], ...] = (
    (b'"not an event"', Reason.UNEXPECTED_SHAPE),
    (b'{"account_id":1234,"notes":"no type and no time"}', Reason.MISSING_FIELD),
)
"""Members that stand among good ones in a page, an array or NDJSON."""
