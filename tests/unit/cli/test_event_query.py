"""Which events a person asked for."""

import json
from typing import Any

import pytest

from riskstream.cli.event_query import EventQuery, Newest
from riskstream.cli.event_view import events_table, full_event, one_line
from riskstream.cli.output import console
from riskstream.events.topics import DEAD_LETTER
from tests.support.cli import invoke, mixed_file, ndjson

LINES = [
    line
    for line in ndjson(invoke("score", "-", stdin=mixed_file()).stdout)
    if line["topic"] != DEAD_LETTER
]


def select(query: EventQuery) -> list[dict[str, Any]]:
    """The sample's events that the query lets pass."""
    found = []
    for line in LINES:
        headers = [(name, value.encode()) for name, value in line["headers"].items()]
        event = query.select(headers, json.dumps(line["value"]).encode())
        if event is not None:
            found.append(event)
    return found


def test_no_filter_lets_everything_pass() -> None:
    """And says that it has none."""
    assert len(select(EventQuery())) == len(LINES)
    assert not EventQuery().filters


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        (
            EventQuery(categories=frozenset({"provisioning"})),
            lambda e: e["category"] == "provisioning",
        ),
        (EventQuery(status="failure"), lambda e: e["outcome"] == "failure"),
        (EventQuery(event_type="6"), lambda e: e["event_type"]["id"] == 6),
        (
            EventQuery(event_type="user_failed_onelogin_login"),
            lambda e: e["event_type"]["id"] == 6,
        ),
        (EventQuery(user="9"), lambda e: e["actor"]["id"] == 9),
        (EventQuery(user="user seven"), lambda e: e["user"]["name"] == "User Seven"),
        (EventQuery(user="1234:9"), lambda e: e["subject"] == "1234:9"),
        (EventQuery(event_id="1234:105"), lambda e: e["id"] == "1234:105"),
        (EventQuery(since_ms=1_795_438_905_000), lambda e: e["time"] >= "2026-11-23T13:01:45"),
    ],
)
def test_each_filter_keeps_what_it_names(query: EventQuery, holds: Any) -> None:
    """What passes has the property, and it is as many as have it."""
    found = select(query)
    assert found
    assert all(holds(event) for event in found)
    assert len(found) < len(LINES)


def test_levels_are_looked_at() -> None:
    """The sample's events are all Low."""
    assert len(select(EventQuery(levels=frozenset({"low", "high"})))) == len(LINES)
    assert not select(EventQuery(levels=frozenset({"no", "medium"})))


def test_filters_must_all_agree() -> None:
    """A user of one event and the type of another find nothing."""
    assert select(EventQuery(user="9", event_type="6")) == []


def test_records_of_others_are_not_events() -> None:
    """Without our headers, not JSON, or JSON that is no object."""
    query = EventQuery()
    assert query.select([], b"{}") is None
    assert query.select([("ce_id", b"1")], b"not json") is None
    assert query.select([("ce_id", b"1")], b"[]") is None


def test_newest_keeps_the_newest_by_time_then_arrival() -> None:
    """However they come in, the oldest go first."""
    newest = Newest(3)
    for number in (3, 1, 5, 2, 4, 5):
        newest.add({"time": f"2026-11-23T13:00:0{number}.000Z", "id": number})
    assert [event["id"] for event in newest.newest_first()] == [5, 5, 4]
    assert newest.seen == 6


def test_views_escape_what_an_attacker_wrote() -> None:
    """No control character of a field reaches the screen in any view."""
    event = json.loads(json.dumps(LINES[0]["value"]))
    event["user"]["name"] = event["message"] = event["risk"]["reasons"] = "\x1b[31mred\x07"
    event["raw"] = '{"name": "\x1b]0;title\x07"'
    out = console()
    with out.capture() as capture:
        out.print(events_table([event]), one_line(event))
        show_full = list(full_event(event))
        out.print(*show_full[:-1])
    text = capture.get()
    assert "\\x1b[31mred\\x07" in text
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
