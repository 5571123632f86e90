"""Ingest as a whole: total on any bytes, the same however its input is cut, no event uncounted."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from riskstream.catalog.catalog import Catalog
from riskstream.events.event import Classified, Event
from riskstream.events.outcome import Reason, Stage, Tally
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, DEAD_LETTER
from riskstream.pipeline.ingest import Ingest, Ingested
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.outputs import MEMBER, REASON, STAGE
from tests.support.events import (
    API_LOCK_USER,
    classified,
    dead_letters,
    encode,
    eventbridge,
    full_event,
    header,
    ingest,
    ndjson,
    page,
    raw_text,
    record,
    rest_event,
    shipped_catalog,
    sparse_event,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(["7", "", " ", "2026-11-23T13:00:00Z", "2026-11-23 13:00:00 UTC", "x" * 2000])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from([*rest_event(), *full_event(), "event", "detail", "data", "status"])
ODD_EVENTS = st.dictionaries(FIELDS, VALUES, max_size=6).map(lambda odd: rest_event() | odd)
EVENTS = ODD_EVENTS | st.sampled_from(
    [rest_event(), sparse_event(), full_event(), rest_event(event_type_id=API_LOCK_USER)]
)
RECORD_VALUES = (
    st.none()
    | st.binary(max_size=80)
    | EVENTS.map(encode)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.lists(EVENTS, max_size=4).map(encode)
    | st.lists(EVENTS, max_size=4).map(page).map(encode)
    | st.lists(EVENTS, max_size=4).map(ndjson)
    | EVENTS.map(eventbridge).map(encode)
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes | None:
    """A value of any shape, often cut, spliced or overwritten somewhere."""
    value = draw(RECORD_VALUES)
    if value and draw(st.booleans()):
        start = draw(st.integers(min_value=0, max_value=len(value)))
        end = draw(st.integers(min_value=start, max_value=min(start + 20, len(value))))
        value = value[:start] + draw(st.binary(max_size=6)) + value[end:]
    return value


def check(result: Ingested, records: list[InputRecord]) -> None:
    """What holds for any input."""
    tally = result.tally
    assert tally.records == len(records)
    events = 0
    for output in result.outputs:
        if output.topic == CLASSIFIED:
            events += check_classified(output)
        else:
            check_dead_letter(output)
    assert tally.received == tally.outcomes + events
    assert tally.dead_lettered.total() == len(dead_letters(result))
    assert tally.effects == sum(output.topic == CLASSIFIED for output in result.outputs) - events


def check_classified(output: Output) -> bool:
    """By structure; whether it is an event and not an effect."""
    part = msgspec.json.decode(output.value or b"", type=Classified)
    assert output.key == part.facts.subject.encode()
    if not bytes(part.event):
        assert part.facts.change is not None
        assert not bytes(part.raw)
        return False
    event = msgspec.json.decode(part.event, type=Event)
    assert (event.id, event.subject) == (part.facts.id, part.facts.subject)
    assert event.message
    assert msgspec.json.decode(part.raw, type=str)
    return True


def check_dead_letter(output: Output) -> None:
    """Closed sets in its headers, UTF-8 throughout."""
    assert output.topic == DEAD_LETTER
    assert output.key
    assert output.value
    assert header(output, STAGE) in set(Stage)
    assert header(output, REASON) in set(Reason) - {Reason.INTERNAL_ERROR}
    for _, value in output.headers:
        assert value.decode()


@given(st.lists(damaged(), max_size=4))
def test_any_bytes_have_a_defined_outcome(values: list[bytes | None]) -> None:
    """Never an exception, never an event uncounted, never an internal error."""
    records = [record(value, offset) for offset, value in enumerate(values)]
    check(Ingest(shipped_catalog(), Limits())(records), records)


@given(st.lists(damaged(), min_size=1, max_size=3))
def test_the_bytes_of_bad_input_are_kept(values: list[bytes | None]) -> None:
    """A dead letter is its record, or a part of it; no byte of it is changed."""
    for value in values:
        for letter in dead_letters(ingest(value)):
            assert letter.value is not None
            assert value is not None
            assert letter.value == value if header(letter, MEMBER) is None else True
            assert letter.value in value


@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_the_text_of_a_classified_event_is_a_part_of_its_record(events: list[Any]) -> None:
    """Whatever the shape that it came in."""
    for value in (encode(events), encode(page(events)), ndjson(events)):
        for part in classified(ingest(value)):
            assert not bytes(part.raw) or raw_text(part).encode() in value


@given(st.lists(damaged(), max_size=6), st.data())
def test_chunks_may_be_cut_anywhere(values: list[bytes | None], data: st.DataObject) -> None:
    """The same records give the same bytes and the same counts."""
    records = [record(value, offset) for offset, value in enumerate(values)]
    whole = Ingest(shipped_catalog(), Limits())(records)
    cut = data.draw(st.integers(min_value=0, max_value=len(records)))
    stage = Ingest(shipped_catalog(), Limits())
    pieces = [stage(records[:cut]), stage(records[cut:])]
    tally = Tally()
    for piece in pieces:
        tally.merge(piece.tally)
    assert pieces[0].outputs + pieces[1].outputs == whole.outputs
    assert tally == whole.tally


def test_outputs_stand_in_the_order_of_the_input() -> None:
    """Across records and members, dead letters among the classified."""
    result = ingest(
        [rest_event(id=1), {}, rest_event(id=2)], b"x", rest_event(id=3), None, rest_event(id=4)
    )
    topics = [output.topic for output in result.outputs]
    order = [CLASSIFIED, DEAD_LETTER, CLASSIFIED, DEAD_LETTER, CLASSIFIED, CLASSIFIED]
    assert topics == order
    assert [part.facts.id for part in classified(result)] == [f"1234:{n}" for n in (1, 2, 3, 4)]


def test_an_empty_chunk_is_nothing() -> None:
    """No output, no count."""
    assert ingest() == Ingested([], Tally())


def test_an_empty_catalog_takes_every_event_as_uncataloged() -> None:
    """Never dropped."""
    (output,) = Ingest(Catalog([]), Limits())([record(rest_event())]).outputs
    part = msgspec.json.decode(output.value or b"", type=Classified)
    assert (part.facts.category, part.facts.kind) == ("uncataloged", "unknown")
