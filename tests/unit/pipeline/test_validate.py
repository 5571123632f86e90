"""Identity, time and ids of events."""

from hashlib import sha256
from typing import Any

import pytest

from riskstream.events.outcome import Reason
from riskstream.events.vendor import VendorEvent
from riskstream.pipeline.validate import MAX_ID, Fault, Valid, validate, whole_number


def make(**fields: Any) -> VendorEvent:
    """An event with only what every event must have."""
    needed: dict[str, Any] = {
        "event_type_id": 6,
        "account_id": 1234,
        "created_at": "2026-11-23T13:00Z",
    }
    return VendorEvent(**needed | fields)


def valid(**fields: Any) -> Valid:
    """What becomes of it where it is valid."""
    result = validate(make(**fields), b"{}")
    assert isinstance(result, Valid)
    return result


@pytest.mark.parametrize(
    ("fields", "ident"),
    [
        ({"id": 45_192_178_366}, "1234:45192178366"),
        ({"id": "45192178366"}, "1234:45192178366"),
        ({"id": 0}, "1234:0"),
        ({"id": MAX_ID}, f"1234:{MAX_ID}"),
        ({"uuid": "6f0b"}, "1234:6f0b"),
        ({"id": 5, "uuid": "6f0b"}, "1234:5"),
        ({"id": "", "uuid": " 6f0b "}, "1234:6f0b"),
        ({"id": None, "uuid": ""}, f"1234:sha256-{sha256(b'{}').hexdigest()[:32]}"),
    ],
)
def test_identity_is_the_same_each_time(fields: dict[str, Any], ident: str) -> None:
    """From the id, else the uuid, else the bytes."""
    assert valid(**fields).id == ident


@pytest.mark.parametrize(
    ("fields", "milliseconds"),
    [
        ({"created_at": "2026-11-23T13:00:00.847Z"}, 1_795_438_800_847),
        ({"created_at": "2026-11-23T13:00:00Z"}, 1_795_438_800_000),
        ({"created_at": "2026-11-23T13:00:00"}, 1_795_438_800_000),
        ({"created_at": "2026-11-23T15:00:00.000+02:00"}, 1_795_438_800_000),
        ({"created_at": None, "event_timestamp": "2026-11-23 13:00:00 UTC"}, 1_795_438_800_000),
        ({"created_at": " ", "event_timestamp": "2026-11-23 13:00:00 UTC"}, 1_795_438_800_000),
        ({"event_timestamp": "2020-01-01 00:00:00 UTC"}, 1_795_438_800_000),
    ],
)
def test_times_of_every_channel_are_understood(fields: dict[str, Any], milliseconds: int) -> None:
    """The API's time comes first where both are there."""
    assert valid(**fields).time_ms == milliseconds


@pytest.mark.parametrize("user_id", [7, "7", " 7 ", "007"])
def test_ids_may_be_numbers_or_their_digits(user_id: int | str) -> None:
    """One sender has the one, another the other."""
    assert valid(user_id=user_id).user_id == 7


@pytest.mark.parametrize("user_id", [None, "", "  "])
def test_blank_ids_are_no_ids(user_id: str | None) -> None:
    """Null, empty and blank all mean nobody."""
    assert valid(user_id=user_id, actor_user_id=user_id).user_id is None


@pytest.mark.parametrize("field", ["user_id", "actor_user_id", "assuming_acting_user_id"])
@pytest.mark.parametrize("value", [-1, "-1", "seven", 2**63, str(2**63), "1" * 400, "1.0", "²"])
def test_an_unusable_id_names_its_field(field: str, value: int | str) -> None:
    """And never its value."""
    assert validate(make(**{field: value}), b"") == Fault(Reason.INVALID_FIELD, field)


@pytest.mark.parametrize("field", ["event_type_id", "account_id"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.MISSING_FIELD),
        ("", Reason.MISSING_FIELD),
        ("x", Reason.INVALID_FIELD),
        (-5, Reason.INVALID_FIELD),
    ],
)
def test_what_every_event_must_have(field: str, value: int | str | None, reason: Reason) -> None:
    """Missing and invalid are told apart."""
    assert validate(make(**{field: value}), b"") == Fault(reason, field)


def test_the_most_of_a_number_can_be_set() -> None:
    """A risk score goes to 100."""
    assert [whole_number(value, 100) for value in (100, "100", 101, "101", None, "")] == [
        100,
        100,
        None,
        None,
        None,
        None,
    ]
