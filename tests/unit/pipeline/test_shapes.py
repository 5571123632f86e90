"""Every delivery shape ends as the same events."""

import pytest

from riskstream.pipeline.outputs import MEMBER, REASON
from tests.support.events import (
    Fields,
    classified,
    dead_letters,
    encode,
    eventbridge,
    full_event,
    header,
    ingest,
    ndjson,
    page,
    public,
    raw_text,
    rest_event,
    sparse_event,
)

REST = [rest_event(id=number) for number in (1, 2, 3)]
SPARSE = [sparse_event(uuid=f"u-{number}") for number in (1, 2, 3)]
LINES = [encode({"event": event}) for event in SPARSE]


@pytest.mark.parametrize(
    ("value", "events"),
    [
        pytest.param(encode(REST[0]), REST[:1], id="one REST event"),
        pytest.param(encode(SPARSE[0]), SPARSE[:1], id="one sparse event"),
        pytest.param(encode(REST), REST, id="array of REST events"),
        pytest.param(encode(page(REST)), REST, id="REST page"),
        pytest.param(encode({"data": REST}), REST, id="page with data alone"),
        pytest.param(b"\n".join(LINES), SPARSE, id="NDJSON without a last line end"),
        pytest.param(ndjson(SPARSE), SPARSE, id="NDJSON"),
        pytest.param(ndjson(SPARSE, nested=False), SPARSE, id="plain NDJSON"),
        pytest.param(b"\xef\xbb\xbf" + ndjson(SPARSE, "\r\n\r\n"), SPARSE, id="BOM, CRLF, blanks"),
        pytest.param(ndjson(SPARSE, " "), SPARSE, id="documents on one line"),
        pytest.param(ndjson(SPARSE, ""), SPARSE, id="documents without anything between"),
        pytest.param(ndjson(SPARSE, ",\n"), SPARSE, id="lines with a comma"),
        pytest.param(encode(eventbridge(SPARSE[0])), SPARSE[:1], id="EventBridge"),
        pytest.param(encode(eventbridge({"event": SPARSE[0]})), SPARSE[:1], id="two envelopes"),
        pytest.param(
            encode([eventbridge(event) for event in SPARSE]), SPARSE, id="array of EventBridge"
        ),
        pytest.param(
            encode(page(REST)) + b"\n" + LINES[0] + b"\n" + encode(SPARSE[1:]),
            [*REST, *SPARSE],
            id="any mix",
        ),
    ],
)
def test_every_shape_gives_its_events_with_their_text_unchanged(
    value: bytes, events: list[Fields]
) -> None:
    """One classified record per event, in order, each with the exact text it came as."""
    result = ingest(value)
    parts = classified(result)
    assert dead_letters(result) == []
    assert [raw_text(part).encode() for part in parts] == [encode(event) for event in events]
    assert [part.origin.member for part in parts] == list(range(len(events)))
    assert result.tally.received == len(events)


def test_documents_that_span_lines_are_read_as_one() -> None:
    """Pretty-printed events between plain lines, each with its own text."""
    pretty = b'{\n  "event_type_id": 5,\n  "account_id": 1,\n  "created_at": "2026-11-23T13:00Z"\n}'
    plain = encode(REST[0])
    parts = classified(ingest(b"\n".join([plain, pretty, plain, pretty])))
    assert [raw_text(part).encode() for part in parts] == [plain, pretty, plain, pretty]


def test_a_pretty_printed_array_keeps_the_text_of_its_members() -> None:
    """The text of a member has its inner blanks, and none around it."""
    member = b'{ "event_type_id" : 5,\n\t"account_id": 1 , "created_at":"2026-11-23T13:00Z"}'
    parts = classified(ingest(b"[\n  " + member + b",\n  " + member + b"\n]\n"))
    assert [raw_text(part).encode() for part in parts] == [member, member]


@pytest.mark.parametrize("make", [rest_event, sparse_event, full_event])
def test_the_same_login_failure_reads_alike_in_each_shape(make: type[Fields]) -> None:
    """Identity differs by channel; user, subject, address and type do not."""
    (part,) = classified(ingest(make()))
    event = public(part)
    assert (event.subject, event.event_type.id, event.account_id) == ("1234:7", 6, 1234)
    assert event.source is not None
    assert event.source.ip == "203.0.113.9"


def test_a_bad_member_of_an_array_dies_alone() -> None:
    """The others are kept, and each dead letter holds its member's bytes and index."""
    value = encode([REST[0], {"account_id": 1}, 5, None, [], REST[1]])
    result = ingest(value)
    assert [part.origin.member for part in classified(result)] == [0, 5]
    letters = dead_letters(result)
    assert [letter.value for letter in letters] == [b'{"account_id": 1}', b"5", b"null", b"[]"]
    assert [header(letter, MEMBER) for letter in letters] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "bad",
    [b'{"account_id":NaN}', b'{"a":"\\ud800"}', b'{"a" 1}', b'{"a":1}}', b"nope", b'{"a":"\x01"}'],
)
@pytest.mark.parametrize("wrap", [b'{"status":{"error":false},"data":[%s]}', b"[%s]"])
def test_a_slip_in_one_member_spares_the_others(bad: bytes, wrap: bytes) -> None:
    """An array that is not JSON as a whole is taken apart by its brackets."""
    good = [encode(event) for event in REST]
    result = ingest(wrap % b", ".join([good[0], bad, good[1], good[2]]))
    (letter,) = dead_letters(result)
    assert [raw_text(part).encode() for part in classified(result)] == good
    assert (letter.value, header(letter, REASON)) == (bad, "malformed_json")
    assert header(letter, MEMBER) == "1"


def test_an_array_that_is_cut_off_keeps_its_whole_members() -> None:
    """What is left of the member that was cut is a dead letter."""
    value = encode(REST)[:-40]
    result = ingest(value)
    assert [raw_text(part).encode() for part in classified(result)] == [
        encode(event) for event in REST[:2]
    ]
    (letter,) = dead_letters(result)
    assert header(letter, REASON) == "malformed_json"
    assert letter.value == encode(REST[2])[:-39]


def test_a_broken_line_dies_alone() -> None:
    """Cut off in the middle of a string, as when a disk was full."""
    value = LINES[0] + b"\n" + LINES[1][:50] + b"\n" + LINES[2] + b"\n"
    result = ingest(value)
    assert [part.origin.member for part in classified(result)] == [0, 2]
    (letter,) = dead_letters(result)
    assert letter.value == LINES[1][:50]
    assert header(letter, MEMBER) == "1"


def test_a_record_with_one_event_dies_whole() -> None:
    """Its dead letter is the record unchanged, envelope, mark and blanks included."""
    value = b"\xef\xbb\xbf " + encode(eventbridge({"account_id": 1})) + b"\r\n"
    (letter,) = dead_letters(ingest(value))
    assert letter.value == value
    assert header(letter, MEMBER) is None
