"""One event in every delivery shape, as OneLogin's documentation and samples have them."""

import json
from typing import Any

import pytest

from riskstream.demo.generator import type_ids
from riskstream.demo.shapes import Shape, event_id, render, wrap
from riskstream.demo.tenant import Tenant
from riskstream.demo.tenant_event import Place, TenantEvent, by_user, from_place, notes
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED
from tests.support.demo import ingest
from tests.support.events import BROADCASTER_ONLY_KEYS, REST_KEYS

AT_MS = 1_795_438_800_847
SERIAL = 45_192_178_366


@pytest.fixture
def login() -> TenantEvent:
    """A login of user 17."""
    place = Place("203.0.113.9", "agent")
    person = Tenant(7, 300).person(17)
    how = notes("Authentication method: password + OTP.")
    return by_user(AT_MS, "USER_LOGGED_INTO_ONELOGIN", person, from_place(place), how)


def _rendered(shape: Shape, event: TenantEvent) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(shape, event, SERIAL, type_ids()))
    return body


def test_rest_has_its_35_keys(login: TenantEvent) -> None:
    """All keys are there, null where there is nothing; none of the broadcaster's own."""
    event = _rendered(Shape.REST_OBJECT, login)
    assert set(event) == set(REST_KEYS)
    assert event["created_at"] == "2026-11-23T13:00:00.847Z"
    assert event["id"] == SERIAL
    assert event["role_id"] is None


def test_the_broadcaster_s_full_shape_has_every_key(login: TenantEvent) -> None:
    """Nulls and all; no ``id`` and no ``created_at``."""
    event = _rendered(Shape.ARRAY_FULL, login)
    rest = set(REST_KEYS) - {"id", "created_at", "operation_name"}
    assert set(event) == rest | set(BROADCASTER_ONLY_KEYS) - {"safe_to_unescape"}
    assert event["event_timestamp"] == "2026-11-23 13:00:00 UTC"
    assert event["create"] == {"_id": event["uuid"]}
    assert event["privilege_id"] is None


def test_the_broadcaster_s_sparse_shape_has_no_null(login: TenantEvent) -> None:
    """Keys without a value are left out."""
    event = _rendered(Shape.ARRAY_SPARSE, login)
    assert None not in event.values()
    assert event["user_agent"] == "agent"


def test_ndjson_nests_each_line(login: TenantEvent) -> None:
    """One line per event, its fields under ``event``."""
    member = render(Shape.NDJSON, login, SERIAL, type_ids())
    lines = wrap(Shape.NDJSON, [member, member], SERIAL, AT_MS).splitlines()
    assert [list(json.loads(line)) for line in lines] == [["event"], ["event"]]


def test_a_bom_and_crlf_are_there_where_they_should_be(login: TenantEvent) -> None:
    """The clumsy collector writes a byte order mark, CRLF and blank lines."""
    member = render(Shape.NDJSON_CRLF, login, SERIAL, type_ids())
    value = wrap(Shape.NDJSON_CRLF, [member, member], SERIAL, AT_MS)
    assert value.startswith(b"\xef\xbb\xbf")
    assert value.count(b"\r\n") == 3


@pytest.mark.parametrize("shape", list(Shape))
def test_ingest_reads_every_shape(shape: Shape, login: TenantEvent) -> None:
    """The event comes out classified, with the identity that was foretold."""
    value = wrap(shape, [render(shape, login, SERIAL, type_ids())], SERIAL, AT_MS)
    ingested = ingest()([InputRecord("raw", 0, 0, AT_MS, None, value)])
    (output,) = ingested.outputs
    assert output.topic == CLASSIFIED
    assert json.loads(output.value or b"")["facts"]["id"] == event_id(shape, SERIAL)


def test_an_unlisted_type_keeps_its_number(login: TenantEvent) -> None:
    """A bare number goes out as it is; a name in no list is a bug and says so."""
    strange = TenantEvent(AT_MS, 60_001, login.owner, login.fields)
    assert _rendered(Shape.REST_OBJECT, strange)["event_type_id"] == 60_001
    with pytest.raises(KeyError, match="NO_SUCH_TYPE"):
        _rendered(Shape.REST_OBJECT, TenantEvent(AT_MS, "NO_SUCH_TYPE", 1))
