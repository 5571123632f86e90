"""Headers, references and dead letters as they are written."""

import json
from hashlib import sha256

import msgspec
import pytest

from riskstream.events.event import Classified, Facts, Origin
from riskstream.events.outcome import DeadLetter, Reason, Stage, Tally
from riskstream.events.record import InputRecord
from riskstream.events.topics import DEAD_LETTER, RAW
from riskstream.events.vocabulary import Category, EventOutcome, Kind
from riskstream.pipeline.outputs import (
    MAX_KEY_BYTES,
    dead_letter_output,
    origin_record,
    raw_reference,
    scored_headers,
    shrink_raw,
)

FACTS = Facts(
    id="1234:45192178366",
    time_ms=1_795_438_800_847,
    account_id=1234,
    subject="1234:7",
    event_type_id=6,
    category=Category.USERS,
    kind=Kind.LOGIN_FAILURE,
    outcome=EventOutcome.FAILURE,
)
ORIGIN = Origin(RAW, 2, 41, 3)


def test_a_dead_letter_says_where_it_came_from_and_why() -> None:
    """In Connect's names and in ours; the value is the payload."""
    letter = DeadLetter(Stage.VALIDATE, Reason.MISSING_FIELD, "account_id", b"{}", 3)
    tally = Tally()
    output = dead_letter_output(
        letter, InputRecord(RAW, 2, 41, 1_000, b"k", b"[...]"), 1_000, tally
    )
    assert (output.topic, output.key, output.value) == (DEAD_LETTER, b"k", b"{}")
    assert output.timestamp == 1_000
    assert dict(output.headers) == {
        "__connect.errors.topic": RAW.encode(),
        "__connect.errors.partition": b"2",
        "__connect.errors.offset": b"41",
        "__connect.errors.stage": b"validate",
        "__connect.errors.exception.message": b"account_id",
        "x-riskstream-stage": b"validate",
        "x-riskstream-reason": b"missing_field",
        "x-riskstream-detail": b"account_id",
        "x-riskstream-member": b"3",
        "x-riskstream-timestamp": b"1000",
    }
    assert tally.dead_lettered == {("validate", "missing_field"): 1}
    assert tally.truncated == 0


def test_details_are_one_short_line() -> None:
    """Whatever the fault's text holds."""
    letter = DeadLetter(Stage.DECODE, Reason.MALFORMED_JSON, "a\n\t b\ud800\x1b" + "x" * 999, b"")
    output = dead_letter_output(letter, InputRecord(RAW, 0, 0, None, None, None), 9, Tally())
    detail = dict(output.headers)["x-riskstream-detail"].decode()
    assert detail.startswith("a b  xxx")
    assert len(detail) == 500
    assert output.key == f"{RAW}-0-0".encode()
    assert "x-riskstream-timestamp" not in dict(output.headers)


@pytest.mark.parametrize("stamp", [None, -1, 253_402_300_800_000])
def test_a_time_that_is_none_is_not_passed_on(stamp: int | None) -> None:
    """Kafka says -1 for none, and refuses what is too far away."""
    letter = DeadLetter(Stage.DECODE, Reason.MALFORMED_JSON, "", b"x")
    output = dead_letter_output(letter, InputRecord(RAW, 0, 0, stamp, None, None), 9, Tally())
    assert output.timestamp is None
    assert "x-riskstream-timestamp" not in dict(output.headers)


def test_a_payload_that_does_not_fit_becomes_its_reference() -> None:
    """One byte decides."""
    letter = DeadLetter(Stage.DECODE, Reason.MALFORMED_JSON, "", b"x" * 101)
    tally = Tally()
    raw = InputRecord(RAW, 2, 41, None, b"k", None)
    assert dead_letter_output(letter, raw, 101, tally).value == letter.payload
    output = dead_letter_output(letter, raw, 100, tally)
    digest = sha256(letter.payload).hexdigest()
    assert output.value == f"sha256={digest} bytes=101 origin={RAW}-2-41".encode()
    assert dict(output.headers)["raw_truncated"] == b"true"
    assert tally.truncated == 1


def test_a_long_key_is_not_carried_along() -> None:
    """It would be repeated for every member."""
    letter = DeadLetter(Stage.DECODE, Reason.MALFORMED_JSON, "", b"x")
    for size, kept in ((MAX_KEY_BYTES, True), (MAX_KEY_BYTES + 1, False)):
        raw = InputRecord(RAW, 2, 41, None, b"k" * size, None)
        key = dead_letter_output(letter, raw, 100, Tally()).key
        assert key == (raw.key if kept else f"{RAW}-2-41".encode())


def test_a_classified_record_knows_its_raw_record() -> None:
    """So that a dead letter of assess has the key and origin of one of ingest."""
    part = Classified(schema_version=1, facts=FACTS, origin=ORIGIN, key="/2s=", received_ms=5)
    assert origin_record(part) == InputRecord(RAW, 2, 41, 5, b"\xffk", None)
    bare = Classified(schema_version=1, facts=FACTS, origin=ORIGIN)
    assert origin_record(bare) == InputRecord(RAW, 2, 41, None, None, None)


def test_a_raw_text_shrinks_to_hash_size_and_origin() -> None:
    """Of its UTF-8 bytes, the same from text and from a JSON literal."""
    text = '{"a":"ü"}'
    reference = raw_reference(text.encode(), ORIGIN)
    assert reference == f"sha256={sha256(text.encode()).hexdigest()} bytes=10 origin={RAW}-2-41#3"
    assert json.loads(shrink_raw(msgspec.json.encode(text), ORIGIN)) == reference


def test_scored_headers_are_cloud_events_in_binary_mode() -> None:
    """And what a consumer filters by without parsing; all of it UTF-8 text."""
    assert dict(scored_headers(FACTS, 56, "high")) == {
        "ce_id": b"1234:45192178366",
        "ce_source": b"/riskstream/onelogin/1234",
        "ce_specversion": b"1.0",
        "ce_type": b"com.onelogin.event.login_failure",
        "ce_time": b"2026-11-23T13:00:00.847Z",
        "ce_subject": b"1234:7",
        "content-type": b"application/json",
        "risk_score": b"56",
        "risk_level": b"high",
        "category": b"users",
    }
