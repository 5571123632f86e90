"""Standings and alerts in the store and on the pages."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from starlette.testclient import TestClient

from riskstream.console.store.alerts import AlertFilters
from riskstream.console.store.database import open_writer
from riskstream.console.store.retention import Retention
from riskstream.console.store.standings import note_standing, worst_now
from riskstream.console.store.store import Store
from riskstream.console.store.writer import Writer
from riskstream.console.web.app import make_app
from riskstream.contract.check import check_document
from riskstream.events.record import InputRecord
from riskstream.events.topics import ALERTS, USERS
from riskstream.risk.levels import HIGH_FROM, LOW_FROM
from riskstream.risk.standing import Standing, measure
from riskstream.risk.standing_rows import encode_standing
from tests.support.console import (
    NOW_MS,
    alert_record,
    filled_store,
    make_site,
    scored,
    standing,
    standing_record,
)

HOUR = 3_600_000
DAY = 24 * HOUR
HOSTILE = "<img src=x onerror=alert(1)>"
COUNT = 120
ROWS = st.lists(
    st.tuples(
        st.lists(st.integers(26, 100), min_size=1, max_size=4),
        st.integers(0, 10 * DAY),
        st.sampled_from((1, 24, 24, 96)),
    ),
    max_size=40,
)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """Ten events, and what they brought user 7."""
    made = filled_store(tmp_path, [scored(n, NOW_MS - n * HOUR, score=55) for n in range(10)])
    yield made
    made.close()


def browser(directory: Path) -> TestClient:
    """A browser of sorts."""
    return TestClient(make_app(make_site(directory)), base_url="http://127.0.0.1")


@given(ROWS, st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_the_worst_are_those_of_a_look_at_all(
    found: list[tuple[list[int], int, int]], most: int
) -> None:
    """Though most rows are not looked at, and half-lives differ."""
    rows = [
        standing(f"1234:{n}", NOW_MS - age, *scores, hours=hours)
        for n, (scores, age, hours) in enumerate(found)
    ]
    link = sqlite3.connect(":memory:")
    link.execute("CREATE TABLE row (topic, key, value)")
    link.execute("CREATE TABLE standing (subject PRIMARY KEY, gone INTEGER, half_life INTEGER)")
    for row in rows:
        value = encode_standing(row)
        link.execute("INSERT INTO row VALUES (?, ?, ?)", (USERS, row.subject, value))
        note_standing(link, row.subject, value)
    worst = worst_now(link, NOW_MS, most)
    link.close()
    everyone = [(measure(row, NOW_MS).score, row.subject) for row in rows]
    wanted = sorted((-score, subject) for score, subject in everyone if score >= LOW_FROM)
    assert [(-each.score, row.subject) for each, row in worst.first] == wanted[:most]
    assert worst.high == sum(score >= HIGH_FROM for score, _subject in everyone)


def test_rows_that_cannot_be_among_the_first_are_not_read(tmp_path: Path) -> None:
    """Of a hundred that have faded, not one."""
    link = open_writer(tmp_path)
    rows = [standing(f"1234:{n}", NOW_MS - 2 * DAY, 40) for n in range(COUNT)]
    rows += [standing(f"1234:70{n}", NOW_MS - HOUR, 80 + n) for n in range(3)]
    for row in rows:
        faded = row.as_of_ms < NOW_MS - DAY
        note_standing(link, row.subject, encode_standing(row))
        value = b"not to be read" if faded else encode_standing(row)
        link.execute("INSERT INTO row VALUES (?, ?, ?)", (USERS, row.subject, value))
    worst = worst_now(link, NOW_MS, 2)
    link.close()
    assert [row.subject for _found, row in worst.first] == ["1234:702", "1234:701"]


def test_an_alert_is_there_once_and_found_by_what_it_came_from(
    writer: Writer, tmp_path: Path
) -> None:
    """However often it comes; by subject, family, time and event."""
    first = standing("1234:7", NOW_MS - 2 * HOUR, 70, 40)
    second = standing("1234:8", NOW_MS - HOUR, 60)
    records = [alert_record(1, first), alert_record(2, second)]
    strange = [
        InputRecord(ALERTS, 0, n, NOW_MS, b"k", value)
        for n, value in enumerate((None, b"", b"{}", b"[1]", b'{"id": 1}'))
    ]
    taken = writer.take([*records, *strange], {}, {("a", 0): 1})
    taken += writer.take(records, {}, {("a", 0): 2})
    assert (taken["alerts"], taken["repeated"], taken["strange"]) == (2, 2, 5)
    store = Store(tmp_path)

    def ids(**filters: Any) -> list[int]:
        found = store.alerts(AlertFilters(**filters), 10)
        assert store.alert_count(AlertFilters(**filters)) == len(found)
        return [int(each.alert.id, 16) for each in found]

    assert ids() == [2, 1]
    assert ids(subjects=("1234:7", "1234:9")) == [1]
    assert ids(subjects=()) == []
    assert ids(family="failures") == [1]
    assert ids(family="consent") == [2, 1]
    assert ids(start_ms=NOW_MS - HOUR) == [2]
    assert ids(end_ms=NOW_MS - HOUR, family="consent") == [1]
    newest = store.alerts(AlertFilters(), 1)[0]
    below = (newest.at_ms, newest.alert.id)
    assert [int(each.alert.id, 16) for each in store.alerts(AlertFilters(), 9, below)] == [1]
    assert [int(each.alert.id, 16) for each in store.alerts_behind("1234:1")] == [1]
    assert len(store.alerts_behind("1234:0")) == 2
    assert store.alerts_behind("1234:77") == []


def test_alerts_go_with_the_events_of_their_time(writer: Writer, tmp_path: Path) -> None:
    """And one that is too old on arrival is not taken."""
    retention = Retention(writer, 3 * DAY, 10**12)
    old, new = standing("1234:7", NOW_MS - 4 * DAY, 70), standing("1234:7", NOW_MS - DAY, 70)
    writer.take([alert_record(1, old), alert_record(2, new)], {}, {("a", 0): 1})
    retention.raise_floor(NOW_MS)
    taken = writer.take([alert_record(3, old)], {}, {("a", 0): 2})
    assert taken["expired"] == 1
    store = Store(tmp_path)
    assert [int(each.alert.id, 16) for each in store.alerts(AlertFilters(), 10)] == [2]
    assert len(store.alerts_behind("1234:0")) == 1


def test_a_row_of_users_comes_changes_and_goes(writer: Writer, tmp_path: Path) -> None:
    """And one that riskstream did not write hurts nobody."""
    store = Store(tmp_path)

    def worst() -> list[tuple[str, int]]:
        return [(row.subject, each.score) for each, row in store.worst(NOW_MS, 10).first]

    def take(record: InputRecord) -> None:
        writer.take([record], {}, {("u", 0): 1})

    row = standing("1234:7", NOW_MS - DAY, 60)
    take(standing_record(row))
    assert worst() == [("1234:7", 30)]
    take(standing_record(standing("1234:7", NOW_MS, 80)))
    assert worst() == [("1234:7", 80)]
    shown = orjson.loads(encode_standing(row))
    shown["causes"][0]["score"] = 10**6
    for value in (b"?", b"{}", orjson.dumps(shown)):
        take(standing_record(row)._replace(value=value))
        assert worst() == []
        assert browser(tmp_path).get("/users/1234:7").status_code == 200
    take(standing_record(row))
    take(standing_record(row)._replace(value=None))
    assert worst() == []
    assert store.row(USERS, "1234:7") is None


def test_a_store_from_before_standings_gets_them(tmp_path: Path) -> None:
    """Nothing is to be deleted, and the new topics have no position yet."""
    writer = filled_store(tmp_path, [scored(1)])
    for table in ("alert", "alert_cause", "standing"):
        writer.link.execute(f"DROP TABLE {table}")
    writer.close()
    again = Writer(tmp_path)
    assert again.take([alert_record(1, standing("1234:7", NOW_MS, 60))], {}, {})["alerts"] == 1
    assert again.positions() == {("t", 0): 1}
    again.close()


def everything(writer: Writer) -> Standing:
    """A standing of user 7 with two causes, one of whose events is kept, and its alert."""
    row = standing("1234:7", NOW_MS - HOUR, 70, 40)
    gone = replace(row.causes[1], event_id="1234:404")
    row = replace(row, causes=(row.causes[0], gone))
    writer.take([standing_record(row), alert_record(1, row)], {}, {("a", 0): 1})
    return row


def test_pages_tell_of_standings_and_alerts(writer: Writer, tmp_path: Path) -> None:
    """Overview, User, Event, the list and the alert itself, each linked to the others."""
    everything(writer)
    pages = browser(tmp_path)
    alert = f"/alerts/{1:032x}"
    overview = pages.get("/overview").text
    assert "Riskiest now" in overview
    assert "reason 0 of 1234:7" in overview
    for path in ("/overview", "/users/1234:7", "/events/1234:0", "/alerts"):
        assert alert in pages.get(path).text, path
    assert alert not in pages.get("/events/1234:5").text
    user = pages.get("/users/1234:7").text
    assert "points halve every 24 hours" in user
    assert user.count('href="/events/1234:0"') >= 2
    told = pages.get(alert).text
    assert "User Seven rose to High" in told
    assert 'href="/events/1234:0"' in told
    assert pages.get("/alerts/none").status_code == 404
    for query, found in (
        ("user=7", True),
        ("user=User+Seven", True),
        ("user=8", False),
        ("family=consent", True),
        ("family=travel", False),
        ("since=30m", False),
        ("from=2026-11-23T11:00:00Z&to=2026-11-23T13:00:00Z", True),
    ):
        assert (alert in pages.get(f"/alerts?{query}").text) is found, query
    for query in ("family=none", "colour=red", "since=1y", "before=x", "from=yesterday"):
        assert pages.get(f"/alerts?{query}").status_code == 400, query


def test_a_user_with_a_standing_alone_has_a_page(writer: Writer, tmp_path: Path) -> None:
    """The events may be older than is kept."""
    row = standing("1234:client:abc", NOW_MS - HOUR, 70)
    writer.take([standing_record(row), alert_record(1, row)], {}, {("a", 0): 1})
    text = browser(tmp_path).get("/users/1234:client:abc").text
    assert "Alert: the standing rose to High" in text


def test_the_api_has_them_as_their_schemas_say(writer: Writer, tmp_path: Path) -> None:
    """Alerts as they were told, standings faded to now."""
    everything(writer)
    more = [alert_record(n, standing("1234:8", NOW_MS - n * HOUR, 60)) for n in range(2, 5)]
    writer.take(more, {}, {("a", 0): 2})
    pages = browser(tmp_path)
    told = pages.get("/api/v1/alerts?limit=3").json()
    assert told["total"] == 4
    rest = pages.get(f"/api/v1/alerts?limit=3&before={told['next']}").json()
    assert rest["next"] is None
    found = [*told["alerts"], *rest["alerts"]]
    assert [int(each["id"], 16) for each in found] == [1, 2, 3, 4]
    for each in found:
        assert check_document("alert.v1", each) == []
    assert pages.get(f"/api/v1/alerts/{1:032x}").json()["alert"] == found[0]
    assert pages.get("/api/v1/alerts/0").status_code == 404
    standings = pages.get("/api/v1/standings").json()
    assert standings["high"] == 1
    (row,) = standings["standings"]
    assert check_document("users_row.v1", row) == []
    assert row["as_of"] == standings["at"]
    assert row["causes"][0]["points"] < 70
    assert pages.get("/api/v1/standings/1234:7").json()["standing"] == row
    assert pages.get("/api/v1/standings/1234:9").status_code == 404
    assert pages.get("/api/v1/standings?limit=0").status_code == 400


def test_hostile_text_in_an_alert_is_text(writer: Writer, tmp_path: Path) -> None:
    """Details of signals have names and addresses in them."""
    row = standing(f"1234:name:{HOSTILE}", NOW_MS - HOUR, 70, 60)
    writer.take([standing_record(row), alert_record(1, row)], {}, {("a", 0): 1})
    pages = browser(tmp_path)
    for path in ("/overview", "/alerts", f"/alerts/{1:032x}", f"/users/1234:name:{HOSTILE}"):
        answer = pages.get(path)
        assert answer.status_code == 200
        assert "<img src=x" not in answer.text, path
        assert "onerror=alert(1)&gt;" in answer.text, path
