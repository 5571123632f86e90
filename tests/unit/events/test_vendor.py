"""The vendor's field names, and how fields of strange types are read."""

import pytest
from msgspec import UNSET

from riskstream.catalog.message import PLACEHOLDERS
from riskstream.events import vendor
from riskstream.events.vendor import (
    MESSAGE_FIELDS,
    STRICT_FIELDS,
    BadField,
    VendorEvent,
    read_event,
    read_targets,
)
from tests.support.events import encode, full_event, page, rest_event


def read(**fields: object) -> VendorEvent:
    """Read an event with these fields."""
    event = read_event(encode(fields))
    assert isinstance(event, VendorEvent)
    return event


def test_every_placeholder_has_its_fields() -> None:
    """The catalog's messages ask for nothing that is not here, and all fields exist."""
    assert set(MESSAGE_FIELDS) == set(PLACEHOLDERS)
    fields = {name for source in MESSAGE_FIELDS.values() for name in (*source.names, source.ident)}
    assert fields - {None} <= set(VendorEvent.__struct_fields__)


def test_the_targets_fields_stand_together() -> None:
    """In the order of their rows, for they are read as one slice."""
    names = VendorEvent.__struct_fields__[vendor._FIRST_TARGET : vendor._AFTER_TARGETS]
    assert names == vendor._TARGET_FIELDS


def test_a_missing_type_is_told_from_a_null_one() -> None:
    """The first may be an envelope, the second is a bad event."""
    assert read().event_type_id is UNSET
    assert read(event_type_id=None).event_type_id is None


@pytest.mark.parametrize("field", sorted(STRICT_FIELDS))
@pytest.mark.parametrize("value", [{}, [], True, 1.5])
def test_a_strange_type_of_what_decides_is_named(field: str, value: object) -> None:
    """Identity, time and subject may not be guessed at."""
    assert read_event(encode(rest_event() | {field: value})) == BadField(field)


@pytest.mark.parametrize("field", sorted(set(rest_event()) - STRICT_FIELDS))
@pytest.mark.parametrize("value", [{"a": [1]}, [], True, 1.5])
def test_a_strange_type_of_anything_else_reads_as_absent(field: str, value: object) -> None:
    """The rest of the event is read."""
    event = read(**rest_event() | {field: value})
    assert getattr(event, field, None) is None
    assert event.event_type_id == 6


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"a"'])
def test_what_is_no_object_is_no_event(text: bytes) -> None:
    """None, and no exception."""
    assert read_event(text) is None


def test_an_event_without_targets_has_none() -> None:
    """Nulls and empty strings are not targets."""
    assert read_targets(read(**full_event(role_name="", group_id=""))) == []
    assert read_targets(read(**page([]))) == []


def test_targets_come_in_a_fixed_order() -> None:
    """Whatever the order of the keys."""
    event = read(policy_id=1, role_name="Engineers", role_id=0)
    assert read_targets(event) == [("role", 0, "Engineers"), ("policy", 1, None)]
