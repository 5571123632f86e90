"""The store against a naive one: the same records, the same questions, the same answers."""

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.console.store import search as search_module
from riskstream.console.store.filters import Filters
from riskstream.console.store.retention import Retention
from riskstream.console.store.search import Found, Search
from riskstream.console.store.store import Store
from riskstream.console.store.words import parse_text, words
from riskstream.console.store.writer import Writer
from riskstream.errors import StateStoreError
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import DEAD_LETTER, FAILURES, FEEDBACK, SCORED
from riskstream.events.vocabulary import Category

NOW_MS = 1_795_438_800_000
DAY_MS = 86_400_000
USERS = (7, 8, 9)
IPS = ("203.0.113.9", "203.0.113.10", "2001:db8::1")
TYPES = ((5, "USER_LOGGED_INTO_ONELOGIN"), (6, "USER_FAILED_ONELOGIN_LOGIN"), (17, "DELETED_USER"))
LEVELS = ((2, "no"), (11, "low"), (30, "medium"), (77, "high"))


def scored(number: int, at_ms: int, **changes: Any) -> dict[str, Any]:
    """A scored event of the schema."""
    score, level = changes.pop("risk", (11, "low"))
    type_id, name = changes.pop("type", TYPES[1])
    return {
        "schema_version": 1,
        "id": f"1234:{number}",
        "time": format_time(at_ms),
        "received_time": format_time(at_ms),
        "account_id": 1234,
        "subject": "1234:7",
        "category": "users",
        "event_type": {
            "id": type_id,
            "name": name,
            "title": "Title",
            "kind": "other",
            "basis": "article",
        },
        "message": "something happened",
        "outcome": "failure",
        "user": {"id": 7, "name": "User Seven"},
        "source": {"ip": IPS[0]},
        "risk": {
            "score": score,
            "level": level,
            "policy": "1",
            "prior": {"evidence": 0, "points": score},
            "signals": [],
            "signal_ids": [],
            "reasons": "",
        },
        "windows": {},
        "raw": "{}",
        **changes,
    }


def as_record(event: dict[str, Any], offset: int) -> InputRecord:
    """As the scored topic of its category has it."""
    topic = SCORED[Category(event["category"])]
    return InputRecord(topic, 0, offset, NOW_MS, b"k", orjson.dumps(event))


events_strategy = st.lists(
    st.builds(
        lambda at, user, ip, kind, risk, outcome, category, text: {
            "at": at,
            "user": {"id": user, "name": f"User {user}"},
            "source": {"ip": ip},
            "type": kind,
            "risk": risk,
            "outcome": outcome,
            "category": category,
            "message": text,
        },
        st.integers(NOW_MS - 3 * DAY_MS, NOW_MS),
        st.sampled_from(USERS),
        st.sampled_from(IPS),
        st.sampled_from(TYPES),
        st.sampled_from(LEVELS),
        st.sampled_from(("success", "failure", "unknown")),
        st.sampled_from([category.value for category in Category]),
        st.sampled_from(("wrong password", "locked out", "Señor clicked", "password reset")),
    ),
    max_size=40,
)
filters_strategy = st.builds(
    Filters,
    users=st.none() | st.sampled_from([("1234:7",), ("1234:8", "1234:9"), ()]),
    ips=st.none() | st.sampled_from([(IPS[0],), (IPS[1], IPS[2])]),
    types=st.sampled_from([(), (6,), (5, 17)]),
    categories=st.sampled_from([(), ("users",), ("apps", "provisioning")]),
    levels=st.sampled_from([(), ("high",), ("no", "medium")]),
    outcomes=st.sampled_from([(), ("failure",)]),
    score_least=st.sampled_from([0, 11, 50]),
    score_most=st.sampled_from([100, 30]),
    text=st.sampled_from(["", "password", "pass*", "senor", "password -wrong", "locked out"]),
)


def naive(events: Iterable[dict[str, Any]], filters: Filters) -> list[dict[str, Any]]:
    """What the filters say, event by event."""
    text = parse_text(filters.text)
    return [
        event
        for event in events
        if (filters.users is None or f"1234:{event['user']['id']}" in filters.users)
        and (filters.ips is None or event["source"]["ip"] in filters.ips)
        and (not filters.types or event["event_type"]["id"] in filters.types)
        and (not filters.categories or event["category"] in filters.categories)
        and (not filters.levels or event["risk"]["level"] in filters.levels)
        and (not filters.outcomes or event["outcome"] in filters.outcomes)
        and filters.score_least <= event["risk"]["score"] <= filters.score_most
        and (not filters.text or text.match(words(event["message"])))
    ]


@settings(max_examples=60)
@given(
    drawn=events_strategy,
    asked=st.lists(filters_strategy, min_size=3, max_size=6),
    cut=st.integers(1, 40),
)
def test_it_finds_and_counts_what_a_naive_filter_does(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[dict[str, Any]],
    asked: list[Filters],
    cut: int,
) -> None:
    """However the records are cut into chunks and whatever is asked for."""
    directory = tmp_path_factory.mktemp("store")
    made = [
        scored(n, each["at"], **{k: v for k, v in each.items() if k != "at"})
        for n, each in enumerate(drawn)
    ]
    writer = Writer(directory)
    for start in range(0, len(made), cut):
        chunk = [as_record(event, start + n) for n, event in enumerate(made[start : start + cut])]
        writer.take(chunk, {}, {("t", 0): start + len(chunk)})
        if start % 2:
            writer.settle()
    store = Store(directory)
    try:
        assert store.snapshot.count == len(made)
        for filters in asked:
            wanted = sorted(naive(made, filters), key=lambda event: event["time"], reverse=True)
            found = store.search(filters).page(1000)
            got = [event for _key, event in store.events(found.keys)]
            assert [event["time"] for event in got] == [event["time"] for event in wanted]
            assert {event["id"] for event in got} == {event["id"] for event in wanted}
            assert found.counts.total == len(wanted)
            assert int(found.counts.heights.sum()) == len(wanted)
            if not filters.text:
                others = naive(
                    made,
                    Filters(
                        **{
                            n: getattr(filters, n)
                            for n in (
                                "users",
                                "ips",
                                "types",
                                "categories",
                                "outcomes",
                                "score_least",
                                "score_most",
                            )
                        }
                    ),
                )
                levels = Counter(event["risk"]["level"] for event in others)
                assert {k: v for k, v in found.counts.levels.items() if v} == dict(levels)
            keys = list(store.search(filters).downwards())
            assert keys == found.keys
    finally:
        store.close()
        writer.close()


def filled(directory: Path, count: int = 30, **changes: Any) -> Writer:
    """A store with events a minute apart, the last one now."""
    writer = Writer(directory)
    records = [
        as_record(scored(n, NOW_MS - (count - 1 - n) * 60_000, **changes), n) for n in range(count)
    ]
    writer.take(records, {}, {("t", 0): count})
    return writer


def test_pages_follow_each_other_without_gap_or_repetition(tmp_path: Path) -> None:
    """By the key of the last event, with and without text."""
    filled(tmp_path)
    store = Store(tmp_path)
    for filters in (Filters(), Filters(text="something"), Filters(ips=(IPS[0],), text="some*")):
        found = store.search(filters).page(8)
        seen = list(found.keys)
        while found.more:
            found = store.search(filters).page(8, seen[-1])
            seen += found.keys
            assert found.counts.total == 30
        assert len(seen) == len(set(seen)) == 30
        assert seen == sorted(seen, reverse=True)
    assert store.search(Filters()).newer(3, seen[10]) == seen[7:10]


def test_free_text_takes_longer_to_fill_a_page_than_to_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting stops soon; a page that is not full yet is worth twice the wait, not more."""
    monkeypatch.setattr(search_module, "MOST_READ", 0)
    writer = Writer(tmp_path)
    days = 60
    writer.take(
        [as_record(scored(n, NOW_MS - n * DAY_MS), n) for n in range(days)], {}, {("t", 0): days}
    )
    store = Store(tmp_path)

    def found(size: int) -> Found:
        ticks = itertools.count()
        filters = Filters(text="happened")
        search = Search(
            store.link, store.columns.snapshot, filters, clock=lambda: next(ticks) / 500
        )
        return search.page(size)

    quick, patient = found(5), found(days)
    assert (quick.capped, patient.capped) == (True, True)
    assert 5 < quick.counts.total < patient.counts.total < days
    assert quick.keys == patient.keys[:5]
    store.close()
    writer.close()


def test_an_event_is_stored_once_however_often_it_comes(tmp_path: Path) -> None:
    """A repeated chunk after a restart, and two events of the same millisecond."""
    writer = filled(tmp_path)
    writer.close()
    writer = Writer(tmp_path)
    same_moment = [as_record(scored(100 + n, NOW_MS), n) for n in range(5)]
    again = [as_record(scored(n, NOW_MS - (29 - n) * 60_000), n) for n in range(30)]
    taken = writer.take([*again, *same_moment], {("t", 0): 30}, {("t", 0): 31})
    assert taken["repeated"] == 30
    assert taken["stored"] == 5
    assert Store(tmp_path).snapshot.count == 35
    assert writer.positions() == {("t", 0): 31}


def test_a_second_writer_is_refused_before_it_stores_anything(tmp_path: Path) -> None:
    """Its positions are not those of the store any more."""
    first, second = Writer(tmp_path), Writer(tmp_path)
    first.take([as_record(scored(1, NOW_MS), 0)], {("t", 0): None}, {("t", 0): 1})
    with pytest.raises(StateStoreError, match="one console at a time"):
        second.take([as_record(scored(2, NOW_MS), 0)], {("t", 0): None}, {("t", 0): 1})
    assert Store(tmp_path).snapshot.count == 1


def test_a_reader_keeps_up_and_catches_up(tmp_path: Path) -> None:
    """Chunk by chunk, and after chunks that it missed were put into blocks."""
    writer = filled(tmp_path)
    store = Store(tmp_path)
    writer.take([as_record(scored(50, NOW_MS + 1000), 0)], {}, {("t", 0): 31})
    assert len(store.columns.refresh()) == 1
    for n in range(3):
        writer.take([as_record(scored(60 + n, NOW_MS + 2000 + n), 0)], {}, {("t", 0): 32 + n})
        writer.settle()
    store.columns.refresh()
    assert store.snapshot.count == 34
    assert [event["id"] for _k, event in store.events(store.search(Filters()).page(2).keys)] == [
        "1234:62",
        "1234:61",
    ]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    """From sight at once, from the file in slices, and it does not come back."""
    writer = filled(tmp_path)
    writer.settle()
    retention = Retention(writer, keep_ms=10 * 60_000, most_bytes=10**9)
    retention.raise_floor(NOW_MS)
    store = Store(tmp_path)
    assert store.snapshot.count == 11
    assert store.event("1234:0") is None
    assert store.event("1234:29") is not None
    while retention.remove_some():
        pass
    assert writer.link.execute("SELECT count(*) FROM event").fetchone() == (11,)
    taken = writer.take([as_record(scored(0, NOW_MS - 29 * 60_000), 0)], {}, {("t", 0): 31})
    assert taken["expired"] == 1


def test_a_day_that_is_gone_takes_its_words_along(tmp_path: Path) -> None:
    """Full text lies in a table per day."""
    writer = filled(tmp_path)
    old = [as_record(scored(900 + n, NOW_MS - 5 * DAY_MS), n) for n in range(3)]
    writer.take(old, {}, {("t", 0): 40})
    assert Store(tmp_path).search(Filters(text="something")).page(50).counts.total == 33
    Retention(writer, keep_ms=2 * DAY_MS, most_bytes=10**9).raise_floor(NOW_MS)
    tables = writer.link.execute(
        "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%fts5%'"
    ).fetchone()
    assert tables == (1,)
    assert Store(tmp_path).search(Filters(text="something")).page(50).counts.total == 30


def test_a_store_that_is_too_large_loses_its_oldest(tmp_path: Path) -> None:
    """A part of the time that it covers at each look."""
    writer = filled(tmp_path, 200)
    retention = Retention(writer, keep_ms=DAY_MS, most_bytes=1)
    retention.raise_floor(NOW_MS)
    count = Store(tmp_path).snapshot.count
    assert 0 < count < 200


def test_events_from_the_future_stand_where_they_are_folded(tmp_path: Path) -> None:
    """Nobody can pin an event to the top by its time; the event keeps what it says."""
    writer = filled(tmp_path)
    future = scored(77, NOW_MS + 900 * DAY_MS, received_time=format_time(NOW_MS - 600_000))
    writer.take([as_record(future, 0)], {}, {("t", 0): 31})
    store = Store(tmp_path)
    newest = store.events(store.search(Filters()).page(1).keys)[0][1]
    assert newest["id"] == "1234:29"
    stored = store.event("1234:77")
    assert stored is not None
    assert stored[1]["time"] == future["time"]


def test_records_of_others_are_counted_and_left_out(tmp_path: Path) -> None:
    """No input stops the follower."""
    writer = Writer(tmp_path)
    values = (
        b"",
        b"\xff",
        b"{}",
        b"[]",
        b'{"id": 7}',
        orjson.dumps({**scored(1, 0), "time": "yesterday"}),
        orjson.dumps({**scored(1, 0), "risk": {"score": 900, "level": "high"}}),
    )
    records = [
        InputRecord(SCORED[Category.USERS], 0, n, NOW_MS, None, value)
        for n, value in enumerate(values)
    ]
    records.append(InputRecord(SCORED[Category.USERS], 0, 99, NOW_MS, None, None))
    records.append(InputRecord(FEEDBACK, 0, 0, NOW_MS, None, b"?"))
    taken = writer.take(records, {}, {("t", 0): 100})
    assert taken["strange"] == 9
    assert taken["stored"] == 0


def test_rows_letters_and_remarks_are_kept(tmp_path: Path) -> None:
    """A tombstone removes a row; letters and remarks are there once."""
    writer = Writer(tmp_path)
    row = InputRecord(FAILURES, 0, 0, NOW_MS, b"1234:7", b'{"a":1}')
    letter = InputRecord(
        DEAD_LETTER, 2, 17, NOW_MS, b"k", b"\xff<b>", (("x-riskstream-reason", b"invalid_utf8"),)
    )
    said = {
        "schema_version": 1,
        "event_id": "1234:1",
        "subject": "1234:7",
        "verdict": "false_positive",
        "author": "someone",
        "time": format_time(NOW_MS),
        "event_time": format_time(NOW_MS),
        "event_type_id": 6,
        "score": 30,
        "level": "medium",
        "policy": "1",
    }
    remark = InputRecord(FEEDBACK, 0, 0, NOW_MS, b"1234:1", orjson.dumps(said))
    for number in range(2):
        writer.take([row, letter, remark], {}, {("t", 0): number})
    store = Store(tmp_path)
    assert store.row(FAILURES, "1234:7") == b'{"a":1}'
    assert store.letter_reasons() == {"invalid_utf8": 1}
    assert store.letters("", 10, None) == [store.letter(2, 17)]
    assert store.letters("", 10, (NOW_MS, 2, 17)) == []
    assert [each.words for each in store.remarks(["1234:1"])["1234:1"]] == ["False positive"]
    writer.take([row._replace(value=None)], {}, {("t", 0): 9})
    assert store.row(FAILURES, "1234:7") is None


def test_people_are_found_by_id_name_and_beginning(tmp_path: Path) -> None:
    """A whole name goes before names that begin with it."""
    writer = Writer(tmp_path)
    people = {7: "Ba", 8: "Bab", 9: "Bac"}
    records = [
        as_record(scored(n, NOW_MS, user={"id": n, "name": name}), n) for n, name in people.items()
    ]
    writer.take(records, {}, {("t", 0): 1})
    store = Store(tmp_path)
    assert store.resolve("user", "7") == ("1234:7",)
    assert store.resolve("user", "BA") == ("1234:7",)
    assert set(store.resolve("user", "bab")) == {"1234:8"}
    assert set(store.resolve("user", "b")) == {"1234:7", "1234:8", "1234:9"}
    assert store.resolve("user", "1234:8") == ("1234:8",)
    assert store.search(Filters(users=store.resolve("user", "b"))).page(9).counts.total == 3


@given(st.text(max_size=200))
def test_text_queries_are_never_syntax(text: str) -> None:
    """Whatever is typed is words or nothing."""
    query = parse_text(text)
    if query:
        quoted = query.expression()
        assert quoted.count('"') % 2 == 0
        assert all(word == "".join(words(word)) for word in (*query.whole, *query.beginnings))
