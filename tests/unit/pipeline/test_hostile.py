"""Hostile input: each case of the table in docs/input.md has the outcome it names."""

from pathlib import Path

import pytest

from riskstream.events.outcome import FilterReason
from riskstream.events.record import InputRecord
from riskstream.events.topics import RAW
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.outputs import DETAIL, MEMBER, RAW_TRUNCATED, REASON, STAGE
from tests.support.events import (
    Fields,
    classified,
    dead_letters,
    encode,
    header,
    ingest,
    page,
    public,
    raw_text,
    record,
    rest_event,
    shipped_catalog,
)

HUGE = int("9" * 400)
EVENT = encode(rest_event())
WITHOUT_END = EVENT[:-1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, FilterReason.TOMBSTONE),
        (b"", FilterReason.EMPTY),
        (b" \r\n\t", FilterReason.EMPTY),
        (b"\xef\xbb\xbf\n", FilterReason.EMPTY),
        (b"[]", FilterReason.EMPTY),
        (b"[ ]\n[]", FilterReason.EMPTY),
        (b'{"data":[]}', FilterReason.EMPTY),
        (b'{"data":null}', FilterReason.EMPTY),
        (encode(page([])), FilterReason.EMPTY),
        (encode(page(None)), FilterReason.EMPTY),
    ],
)
def test_nothing_in_it_is_filtered(value: bytes | None, reason: FilterReason) -> None:
    """Counted as one event received, and without output."""
    result = ingest(value)
    assert result.outputs == []
    assert result.tally.filtered == {reason.value: 1}
    assert result.tally.received == 1


CASES: dict[str, tuple[bytes, str, str]] = {
    "not JSON": (b"hello", "decode", "malformed_json"),
    "NUL bytes": (b"\0\0\0", "decode", "malformed_json"),
    "cut off": (EVENT[:100], "decode", "malformed_json"),
    "NaN": (WITHOUT_END + b',"x":NaN}', "decode", "malformed_json"),
    "Infinity": (WITHOUT_END + b',"x":-Infinity}', "decode", "malformed_json"),
    "lone surrogate in a read field": (
        EVENT.replace(b"User Seven", b"\\ud800"),
        "decode",
        "malformed_json",
    ),
    "lone surrogate elsewhere": (WITHOUT_END + b',"x":"\\udc00"}', "decode", "malformed_json"),
    "lone surrogate in a key": (WITHOUT_END + b',"\\ud800":1}', "decode", "malformed_json"),
    "control character": (WITHOUT_END + b',"x":"\x07"}', "decode", "malformed_json"),
    "single quotes": (b"{'event_type_id': 5}", "decode", "malformed_json"),
    "invalid UTF-8 in a read field": (
        EVENT.replace(b"User Seven", b"\xff"),
        "decode",
        "invalid_utf8",
    ),
    "invalid UTF-8 elsewhere": (WITHOUT_END + b',"x":"\xc3"}', "decode", "invalid_utf8"),
    "invalid UTF-8 in a key": (WITHOUT_END + b',"\xed\xa0\x80":1}', "decode", "invalid_utf8"),
    "UTF-16": ("\ufeff{}".encode("utf-16-le"), "decode", "invalid_utf8"),
    "Avro or protobuf": (b"\x00\x00\x00\x00\x07\xf2\x01", "decode", "invalid_utf8"),
    "null": (b"null", "decode", "unexpected_shape"),
    "a number": (b"42", "decode", "unexpected_shape"),
    "a string": (b'"event"', "decode", "unexpected_shape"),
    "empty object": (b"{}", "decode", "unexpected_shape"),
    "another object": (b'{"level":"info","msg":"hi"}', "decode", "unexpected_shape"),
    "page without array": (b'{"data":{"a":1}}', "decode", "unexpected_shape"),
    "empty event": (b'{"event":{}}', "decode", "unexpected_shape"),
    "null detail": (b'{"detail":null}', "decode", "unexpected_shape"),
    "three envelopes": (
        b'{"event":{"event":{"event":%s}}}' % EVENT,
        "decode",
        "unexpected_shape",
    ),
    "error page": (
        encode(page(None, error=True, code=401)),
        "decode",
        "unexpected_shape",
    ),
    "error page with an empty array": (
        encode(page([], error=True, code=429)),
        "decode",
        "unexpected_shape",
    ),
    "100,000 brackets": (b"[" * 100_000, "decode", "too_deep"),
    "100,000 brackets in a field": (
        WITHOUT_END + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "decode",
        "too_deep",
    ),
    "65 levels": (WITHOUT_END + b',"x":' + b"[" * 64 + b"]" * 64 + b"}", "decode", "too_deep"),
    "all null": (encode(dict.fromkeys(rest_event())), "validate", "missing_field"),
    "no type": (encode({"account_id": 1, "created_at": "x"}), "validate", "missing_field"),
    "no account": (encode(rest_event(account_id=None)), "validate", "missing_field"),
    "blank account": (encode(rest_event(account_id=" ")), "validate", "missing_field"),
    "no time": (encode(rest_event(created_at="")), "validate", "missing_field"),
    "400-digit account": (encode(rest_event(account_id=HUGE)), "validate", "invalid_field"),
    "400-digit string": (encode(rest_event(account_id=str(HUGE))), "validate", "invalid_field"),
    "5,000-digit type": (
        b'{"account_id":1,"event_type_id":' + b"9" * 5_000 + b"}",
        "validate",
        "invalid_field",
    ),
    "negative user": (encode(rest_event(user_id=-1)), "validate", "invalid_field"),
    "user is a name": (encode(rest_event(user_id="seven")), "validate", "invalid_field"),
    "user over 63 bits": (encode(rest_event(user_id=2**63)), "validate", "invalid_field"),
    "actor is an object": (encode(rest_event(actor_user_id={})), "validate", "invalid_field"),
    "type is true": (encode(rest_event(event_type_id=True)), "validate", "invalid_field"),
    "type is 6.5": (encode(rest_event(event_type_id=6.5)), "validate", "invalid_field"),
    "Arabic digits": (encode(rest_event(user_id="\u0667")), "validate", "invalid_field"),
    "id of 129 characters": (encode(rest_event(id="i" * 129)), "validate", "invalid_field"),
    "id with a line end": (encode(rest_event(id="a\nb")), "validate", "invalid_field"),
    "epoch time": (encode(rest_event(created_at=1_795_438_800)), "validate", "invalid_time"),
    "date alone": (encode(rest_event(created_at="2026-11-23")), "validate", "invalid_time"),
    "no date": (encode(rest_event(created_at="yesterday at noon")), "validate", "invalid_time"),
    "year 0001": (
        encode(rest_event(created_at="0001-01-01T00:00:00+23:59")),
        "validate",
        "invalid_time",
    ),
    "31 February": (
        encode(rest_event(created_at="2026-02-31T00:00:00Z")),
        "validate",
        "invalid_time",
    ),
}


@pytest.mark.parametrize(("value", "stage", "reason"), CASES.values(), ids=CASES.keys())
def test_a_bad_record_is_one_dead_letter(value: bytes, stage: str, reason: str) -> None:
    """With its bytes unchanged, its stage and its reason."""
    result = ingest(value)
    (letter,) = result.outputs
    assert letter.value == value
    assert (header(letter, STAGE), header(letter, REASON)) == (stage, reason)
    assert result.tally.dead_lettered == {(stage, reason): 1}
    assert result.tally.received == 1


@pytest.mark.parametrize(("value", "stage", "reason"), CASES.values(), ids=CASES.keys())
def test_a_bad_member_does_not_take_a_good_one_with_it(
    value: bytes, stage: str, reason: str
) -> None:
    """The same between two good lines; only a record over a limit is dead as a whole."""
    result = ingest(EVENT + b"\n" + value + b"\n" + EVENT)
    letters = dead_letters(result)
    assert result.tally.received == result.tally.outcomes + len(classified(result))
    assert {(header(letter, STAGE), header(letter, REASON)) for letter in letters} == {
        (stage, reason)
    }
    assert len(classified(result)) == (0 if reason == "too_deep" else 2)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"new_field": {"a": [1, 2.5, None]}}, id="unknown keys"),
        pytest.param({"new_number": HUGE}, id="400 digits in an unknown key"),
        pytest.param({"notes": {"a": 1}}, id="notes are an object"),
        pytest.param({"app_name": 7}, id="a name is a number"),
        pytest.param({"app_id": "x" * 400}, id="an app's id is no number"),
        pytest.param({"app_id": HUGE}, id="an app's id has 400 digits"),
        pytest.param({"resolution": "done"}, id="resolution is a word"),
        pytest.param({"risk_score": 101}, id="a risk score over 100"),
        pytest.param({"risk_score": True, "risk_reasons": ["a"]}, id="a risk score is true"),
        pytest.param({"ipaddr": "999.1.1.1"}, id="an address that is none"),
        pytest.param({"ipaddr": "2001:db8::1%" + "e" * 9_000}, id="an address with a zone"),
        pytest.param({"user_name": "a\x00b\x1b[31m"}, id="escapes in a name"),
        pytest.param({"id": None, "uuid": None}, id="no id"),
        pytest.param({"user_id": "7", "account_id": "1234", "event_type_id": "6"}, id="strings"),
        pytest.param({"user_id": "", "actor_user_id": None}, id="empty ids"),
    ],
)
def test_an_odd_field_that_decides_nothing_costs_nothing(extra: Fields) -> None:
    """The event is classified; what is unusable is left out, and the raw text keeps it."""
    event = rest_event(**extra)
    (part,) = classified(ingest(event))
    assert raw_text(part).encode() == encode(event)
    assert all(ord(char) >= 32 for char in public(part).message)


def test_of_duplicate_keys_the_last_one_counts() -> None:
    """As nearly every JSON reader has it."""
    (part,) = classified(ingest(WITHOUT_END + b',"user_id":8,"event_type_id":5}'))
    assert (part.facts.user_id, part.facts.event_type_id) == (8, 5)


def test_depth_is_not_counted_in_strings() -> None:
    """Brackets in text are text."""
    event = rest_event(notes="[" * 5_000)
    assert len(classified(ingest(event, [event], page([event])))) == 3


def test_the_deepest_allowed_nesting_passes() -> None:
    """The event itself is the first level."""
    value = WITHOUT_END + b',"x":' + b"[" * 63 + b"]" * 63 + b"}"
    assert len(classified(ingest(value))) == 1


def test_a_record_over_the_byte_limit_is_one_dead_letter() -> None:
    """Its value does not fit into the dead-letter topic either, so it is a reference."""
    limits = Limits(max_record_bytes=70_000, max_message_bytes=65_536)
    value = encode([rest_event()] * 100)
    result = ingest(value, limits=limits)
    (letter,) = dead_letters(result)
    assert header(letter, REASON) == "record_too_large"
    assert header(letter, RAW_TRUNCATED) == "true"
    assert (letter.value or b"").endswith(f" bytes={len(value)} origin={RAW}-0-0".encode())
    assert (result.tally.received, result.tally.truncated) == (1, 1)


@pytest.mark.parametrize(
    "value",
    [
        encode([rest_event()] * 4),
        encode(page([rest_event()] * 4)),
        b"\n".join([EVENT] * 4),
        b"[%s,NaN,1,2]" % EVENT,
        encode([rest_event()] * 2) + b"\n" + encode([rest_event()] * 2),
    ],
)
def test_a_record_with_too_many_events_is_one_dead_letter(value: bytes) -> None:
    """Whatever the shape; with exactly as many as allowed it passes."""
    result = ingest(value, limits=Limits(max_events_per_record=3))
    (letter,) = result.outputs
    assert (header(letter, REASON), header(letter, MEMBER)) == ("too_many_events", None)
    assert letter.value == value
    assert ingest(value, limits=Limits(max_events_per_record=4)).tally.received == 4


def test_a_text_that_does_not_fit_gives_way_to_its_reference() -> None:
    """Everything else of the event stays."""
    limits = Limits(max_classified_bytes=65_536)
    event = rest_event(notes="n" * 70_000)
    result = ingest([event], limits=limits)
    (part,) = classified(result)
    assert part.raw_truncated
    assert raw_text(part).startswith("sha256=")
    assert raw_text(part).endswith(f" bytes={len(encode(event))} origin={RAW}-0-0#0")
    assert result.tally.truncated == 1


def test_an_event_too_large_even_without_its_text_is_a_dead_letter() -> None:
    """Names of four-byte letters in every field, against the smallest limit."""
    fields = ("role_name", "group_name", "policy_name", "app_name", "user_name")
    names = dict.fromkeys(fields, "\U0001f512" * 1024)
    result = ingest(rest_event(**names), limits=Limits(max_classified_bytes=4_096))
    (letter,) = dead_letters(result)
    assert (header(letter, STAGE), header(letter, REASON)) == ("classify", "record_too_large")


def test_no_detail_shows_a_value() -> None:
    """Passwords are typed into names and ids; details name fields and positions only."""
    secret = "hunter2"
    values = [
        encode(rest_event(user_id=secret)),
        encode(rest_event(created_at=secret)),
        encode(rest_event(event_type_id=None, user_name=secret)),
        encode(rest_event(user_name=secret))[:-1],
        encode({secret: secret}),
        secret.encode(),
    ]
    letters = dead_letters(ingest(*values))
    assert len(letters) == len(values)
    assert not [letter for letter in letters if secret in (header(letter, DETAIL) or "")]


@pytest.mark.parametrize("fault", [ValueError, MemoryError, RecursionError])
@pytest.mark.parametrize("stage", ["decode", "validate", "classify"])
def test_a_bug_on_one_event_is_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception], stage: str
) -> None:
    """It names the exception and the place, and not the exception's text."""

    def broken(*_: object, **__: object) -> None:
        raise fault("hunter2")

    name = "provenance" if stage == "none" else stage
    stage_of = Ingest(shipped_catalog(), Limits())
    if stage == "classify":
        monkeypatch.setattr(stage_of, "_classify", broken)
    else:
        monkeypatch.setattr(f"riskstream.pipeline.ingest.{name}", broken)
    (letter,) = stage_of([record(EVENT)]).outputs
    assert (header(letter, STAGE), header(letter, REASON)) == (stage, "internal_error")
    detail = header(letter, DETAIL) or ""
    assert detail.startswith(f"{fault.__name__} in broken, line ")
    assert "hunter2" not in detail
    assert letter.value == EVENT


@pytest.mark.parametrize("key", [None, b"", b"k" * 1_025, b"\xff\x00"])
def test_any_key_will_do(key: bytes | None) -> None:
    """A dead letter without a usable key is keyed by its origin."""
    stage = Ingest(shipped_catalog(), Limits())
    result = stage([record(EVENT, 3, key=key), record(b"x", 4, key=key)])
    own, letter = result.outputs
    assert own.key == b"1234:7"
    assert letter.key == (key if key == b"\xff\x00" else f"{RAW}-0-4".encode())


@pytest.mark.parametrize("timestamp", [None, -1, 10**18])
def test_a_record_without_a_usable_timestamp_has_no_received_time(timestamp: int | None) -> None:
    """Kafka writes -1 where there is none."""
    stage = Ingest(shipped_catalog(), Limits())
    result = stage([InputRecord(RAW, 0, 0, timestamp, None, EVENT)])
    (part,) = classified(result)
    assert part.received_ms is None
    assert public(part).received_time is None
    assert result.outputs[0].timestamp is None


def test_every_case_is_in_the_documents() -> None:
    """The table of docs/input.md names each reason that this file provokes."""
    text = Path("docs/input.md").read_text(encoding="utf-8")
    reasons = {reason for _, _, reason in CASES.values()}
    reasons |= {"record_too_large", "too_many_events", "internal_error", "tombstone", "empty"}
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in text] == []
