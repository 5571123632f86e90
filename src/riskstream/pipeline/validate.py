"""What every event must have, and the ids that decide whose it is."""

from hashlib import sha256
from typing import Final, NamedTuple

from msgspec import UNSET, Struct

from riskstream.events.outcome import Reason
from riskstream.events.times import parse_time
from riskstream.events.vendor import TIME_FIELDS, Scalar, VendorEvent

__all__ = ["MAX_ID", "Fault", "Valid", "validate", "whole_number"]

MAX_ID: Final = 2**63 - 1
"""Ids are signed 64-bit numbers at the vendor's."""
_MAX_DIGITS: Final = 19
_MAX_UUID: Final = 128
_BAD: Final = -1
_ID_FIELDS: Final = (
    "event_type_id",
    "account_id",
    "user_id",
    "actor_user_id",
    "assuming_acting_user_id",
)


class Fault(NamedTuple):
    """Why an event is not valid. ``detail`` names the field and never shows its value."""

    reason: Reason
    detail: str


class Valid(Struct, frozen=True, gc=False):
    """Identity, time and principals of a valid event."""

    id: str
    """``{account_id}:{id or uuid}``, else ``{account_id}:sha256-{32 hex digits}``."""
    account_id: int
    event_type_id: int
    time_ms: int
    user_id: int | None
    actor_user_id: int | None
    assuming_user_id: int | None


def validate(event: VendorEvent, data: bytes) -> Valid | Fault:
    """Check one event.

    Args:
        event: As read.
        data: Its bytes, of which the id is a hash where the event has none.
    """
    type_id = _optional(None if event.event_type_id is UNSET else event.event_type_id)
    account_id = _optional(None if event.account_id is UNSET else event.account_id)
    user_id = _optional(event.user_id)
    actor_id = _optional(event.actor_user_id)
    assuming_id = _optional(event.assuming_acting_user_id)
    if type_id is None or account_id is None:
        field = "event_type_id" if type_id is None else "account_id"
        return Fault(Reason.MISSING_FIELD, field)
    ids = (type_id, account_id, user_id, actor_id, assuming_id)
    if _BAD in ids:
        return Fault(Reason.INVALID_FIELD, _ID_FIELDS[ids.index(_BAD)])
    time_ms = _time(event)
    if isinstance(time_ms, Fault):
        return time_ms
    ident = _identity(event, data)
    if isinstance(ident, Fault):
        return ident
    return Valid(
        f"{account_id}:{ident}", account_id, type_id, time_ms, user_id, actor_id, assuming_id
    )


def whole_number(value: Scalar, most: int = MAX_ID) -> int | None:
    """A number from 0 to ``most``, given as one or as its decimal digits; else None."""
    if type(value) is int:
        return value if 0 <= value <= most else None
    if isinstance(value, str):
        digits = value.strip()
        if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit():
            number = int(digits)
            return number if number <= most else None
    return None


def _optional(value: Scalar) -> int | None:
    """The number; None where it is missing or blank, ``_BAD`` where it is none."""
    if value is None:
        return None
    if type(value) is int and 0 <= value <= MAX_ID:
        return value
    if isinstance(value, str) and not value.strip():
        return None
    number = whole_number(value)
    return _BAD if number is None else number


def _time(event: VendorEvent) -> int | Fault:
    stamp, field = event.created_at, TIME_FIELDS[0]
    if not stamp or stamp.isspace():
        stamp, field = event.event_timestamp, TIME_FIELDS[1]
        if not stamp or stamp.isspace():
            return Fault(Reason.MISSING_FIELD, " or ".join(TIME_FIELDS))
    try:
        return parse_time(stamp)
    except (ValueError, OverflowError):
        return Fault(Reason.INVALID_TIME, field)


def _identity(event: VendorEvent, data: bytes) -> str | Fault:
    number = event.id
    if type(number) is int:
        return str(number) if 0 <= number <= MAX_ID else Fault(Reason.INVALID_FIELD, "id")
    for field, value in (("id", number), ("uuid", event.uuid)):
        if isinstance(value, str) and (text := value.strip()):
            if len(text) > _MAX_UUID or not text.isprintable():
                return Fault(Reason.INVALID_FIELD, field)
            return text
    return f"sha256-{sha256(data).hexdigest()[:32]}"
