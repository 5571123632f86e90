"""Views as records: beside each scored record, in its order, with its key and headers."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.record import Output
from riskstream.events.topics import DEAD_LETTER, SCORED, SCORED_PATTERN, VIEWS
from riskstream.events.vocabulary import View
from riskstream.views.render import render, view_outputs
from riskstream.views.scored import read_scored
from tests.support.events import rest_event
from tests.support.views import scored_event, scored_outputs

ALL = tuple(View)
LIMIT = 1_000_000


def test_each_scored_record_has_one_of_each_view() -> None:
    """In the order of the chunk; dead letters and the rest have none."""
    scored = scored_outputs(rest_event(id=1), rest_event(id=2))
    other = Output(DEAD_LETTER, b"k", b"x")
    made = view_outputs([scored[0], other, scored[1]], ALL, LIMIT)
    assert made.faults == []
    assert [each.topic for each in made.outputs] == [VIEWS[view] for view in ALL] * 2
    assert view_outputs(scored, (), LIMIT).outputs == []


def test_key_time_and_headers_are_those_of_the_scored_record() -> None:
    """But for the type of the content."""
    (scored,) = scored_outputs(rest_event())
    for view, output in zip(ALL, view_outputs([scored], ALL, LIMIT).outputs, strict=True):
        assert (output.key, output.timestamp) == (scored.key, scored.timestamp)
        before, after = dict(scored.headers), dict(output.headers)
        content = after.pop("content-type").decode()
        assert content == ("text/plain; charset=utf-8" if view is View.CEF else "application/json")
        assert after == {name: value for name, value in before.items() if name != "content-type"}


def test_json_views_are_json_and_cef_is_a_line() -> None:
    """With the same event in each."""
    (scored,) = scored_outputs(rest_event(id=7))
    ocsf, ecs, cef = (each.value or b"" for each in view_outputs([scored], ALL, LIMIT).outputs)
    assert json.loads(ocsf)["metadata"]["uid"] == "1234:7"
    assert json.loads(ecs)["event"]["id"] == "1234:7"
    assert b" externalId=1234:7 " in cef


@pytest.mark.parametrize("view", [View.OCSF, View.ECS])
def test_what_would_be_too_large_loses_its_text(view: View) -> None:
    """And says so; a view never is what a broker refuses."""
    event = scored_event(rest_event(), raw="x" * 5000)
    whole, cut = render(view, event, 10_000), render(view, event, 4_000)
    assert len(whole) > 5000
    assert len(cut) < 4000
    assert b"xxxx" not in cut
    assert b'"is_truncated":true' in cut or b'"raw_truncated":true' in cut


def test_a_fault_costs_one_event_s_view_alone() -> None:
    """It is told by the event's id; the others are there."""
    good = scored_outputs(rest_event(id=1), rest_event(id=2))
    broken = good[0]._replace(value=b'{"time":')
    made = view_outputs([broken, good[1]], (View.OCSF,), LIMIT)
    assert [json.loads(each.value or b"")["metadata"]["uid"] for each in made.outputs] == ["1234:2"]
    assert made.faults == [("1234:1", "ValueError")]


@given(st.binary(max_size=80))
def test_anything_else_is_refused_with_a_reason(value: bytes) -> None:
    """A file or a topic may hold anything."""
    with pytest.raises(ValueError, match=r".+"):
        read_scored(value)


def test_times_that_are_none_are_refused() -> None:
    """They would fail later, in the middle of a view."""
    (scored,) = scored_outputs(rest_event())
    for field in ("time", "received_time"):
        value = json.loads(scored.value or b"") | {field: "yesterday"}
        with pytest.raises(ValueError, match=r"."):
            read_scored(json.dumps(value).encode())


def test_fields_of_a_later_version_are_passed_over() -> None:
    """Within v1 fields are only added."""
    assert scored_event(rest_event(), added_later={"a": [1]}).id == "1234:45192178366"


def test_views_are_not_swept_up_by_who_reads_all_scored_topics() -> None:
    """Nor by the pattern that takes them."""
    assert all(re.match(SCORED_PATTERN, name) for name in SCORED.values())
    assert not any(re.match(SCORED_PATTERN, name) for name in VIEWS.values())
