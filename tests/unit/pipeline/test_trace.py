"""Trace context: valid headers are passed on from the raw record, all else is left out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.record import Headers, InputRecord
from riskstream.events.topics import CLASSIFIED, DEAD_LETTER, RAW
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.trace import TRACEPARENT, TRACESTATE, trace_context
from riskstream.risk.loader import load_policy
from tests.support.events import rest_event, shipped_catalog

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = b"vendor=t61rcWkgMzE,tenant@system=1"


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(PARENT, id="version 0"),
        pytest.param(b"01" + PARENT[2:], id="a later version"),
        pytest.param(b"01" + PARENT[2:] + b"-more", id="a later version with more to it"),
    ],
)
def test_a_valid_context_is_passed_on(parent: bytes) -> None:
    """Byte for byte, and nothing of the other headers."""
    headers = [("x", b"1"), (TRACEPARENT, parent), (TRACESTATE, STATE)]
    assert trace_context(headers) == ((TRACEPARENT, parent), (TRACESTATE, STATE))


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(None, id="null"),
        pytest.param(b"", id="empty"),
        pytest.param(PARENT.upper(), id="upper case"),
        pytest.param(PARENT[:-1], id="too short"),
        pytest.param(PARENT + b"-more", id="version 0 is no longer than that"),
        pytest.param(PARENT + b"\n", id="a line end"),
        pytest.param(b"ff" + PARENT[2:], id="the forbidden version"),
        pytest.param(b"00-" + b"0" * 32 + PARENT[35:], id="no trace id"),
        pytest.param(PARENT[:36] + b"0" * 16 + PARENT[52:], id="no parent id"),
        pytest.param(b"01" + PARENT[2:] + b"-" + b"a" * 300, id="too long"),
        pytest.param(b"01" + PARENT[2:] + b"-\xff", id="not text"),
    ],
)
def test_an_invalid_parent_takes_the_state_with_it(parent: bytes | None) -> None:
    """Without a parent the state means nothing."""
    assert trace_context([(TRACEPARENT, parent), (TRACESTATE, STATE)]) == ()


@pytest.mark.parametrize(
    "state",
    [b"no equals sign", b"Upper=1", b"a=\xff", b"a=1,b", b"a=" + b"x" * 512, b",", b"a=1\n"],
)
def test_an_invalid_state_is_left_out(state: bytes) -> None:
    """The parent stays."""
    assert trace_context([(TRACEPARENT, PARENT), (TRACESTATE, state)]) == ((TRACEPARENT, PARENT),)


def test_two_parents_are_none_and_two_states_are_one_list() -> None:
    """As W3C has it for HTTP."""
    assert trace_context([(TRACEPARENT, PARENT)] * 2) == ()
    states = [(TRACEPARENT, PARENT), (TRACESTATE, b"a=1"), (TRACESTATE, b"b=2")]
    assert trace_context(states)[1] == (TRACESTATE, b"a=1,b=2")


@given(st.lists(st.tuples(st.sampled_from([TRACEPARENT, TRACESTATE, "x"]), st.binary())))
def test_any_headers_do_no_harm(headers: list[tuple[str, bytes]]) -> None:
    """What is passed on is text, and passes again."""
    context = trace_context(headers)
    assert trace_context(context) == context
    for _, value in context:
        assert value.decode().isprintable()


def _raw(value: object, headers: Headers) -> InputRecord:
    return InputRecord(RAW, 0, 5, 1_795_438_800_000, b"k", msgspec.json.encode(value), headers)


def _assessed(record: InputRecord) -> list[tuple[str, Headers]]:
    """Topic and headers of all that comes of a raw record, over both hops."""
    found = []
    for offset, output in enumerate(Ingest(shipped_catalog(), Limits())([record]).outputs):
        if output.topic == DEAD_LETTER:
            found.append((output.topic, output.headers))
            continue
        classified = InputRecord(
            CLASSIFIED, 0, offset, output.timestamp, output.key, output.value, output.headers
        )
        assess = Assess(load_policy(), Limits())
        found += [(o.topic, o.headers) for o in assess([classified], PartitionState()).outputs]
    return found


def test_every_event_and_dead_letter_of_a_record_carries_its_context() -> None:
    """Through the classified record's own headers, after all headers of ours."""
    context = ((TRACEPARENT, PARENT), (TRACESTATE, STATE))
    record = _raw([rest_event(id=1), rest_event(id=2), {"uuid": "no event"}], context)
    found = _assessed(record)
    assert len(found) == 3
    assert {headers[-2:] for _, headers in found} == {context}


def test_without_context_no_header_is_added() -> None:
    """Other headers of a raw record go no further."""
    plain = _assessed(_raw(rest_event(id=1), ()))
    assert _assessed(_raw(rest_event(id=1), (("x", b"1"), (TRACEPARENT, b"bad")))) == plain


def test_a_malformed_classified_record_keeps_its_context() -> None:
    """It becomes a dead letter of the second hop."""
    record = InputRecord(CLASSIFIED, 0, 0, None, b"k", b"{}", ((TRACEPARENT, PARENT),))
    (letter,) = Assess(load_policy(), Limits())([record], PartitionState()).outputs
    assert letter.topic == DEAD_LETTER
    assert letter.headers[-1] == (TRACEPARENT, PARENT)
