"""The generator: repeatable, counted, in order of time, in every shape, and telling its stories."""

import ipaddress
import json
import re
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.demo.channels import CHANNELS
from riskstream.demo.generator import DEFAULT_BASE_MS, Generator, generate
from riskstream.demo.schedule import DAY_MS, days_for, steady, workdays
from riskstream.demo.shapes import Shape
from riskstream.demo.stories import STORIES
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import RAW
from riskstream.events.vocabulary import Category
from tests.support.demo import Processed, ingest, process

DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


@pytest.fixture(scope="module")
def day() -> Processed:
    """The smallest demo that must show everything."""
    return process(generate(2000, 7))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers())
def test_as_many_outcomes_as_asked_for(events: int, seed: int) -> None:
    """Records are known to hold exactly the wanted number of outcomes, however few."""
    assert sum(message.events for message in generate(events, seed)) == events


def test_days_follow_each_other() -> None:
    """A run over working days and days off has exactly the wanted number of outcomes, too."""
    messages = list(generate(27_001, 3))
    assert sum(message.events for message in messages) == 27_001
    assert days_for(27_001) == 8
    assert (messages[-1].at_ms - DEFAULT_BASE_MS) // DAY_MS == 7


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Everything follows from seed, number and base time; another seed gives other bytes."""
    assert list(generate(1500, 11)) == list(generate(1500, 11))
    assert list(generate(1500, 11)) != list(generate(1500, 12))


def test_the_base_time_moves_the_days_and_changes_nothing_else() -> None:
    """The draws do not depend on when: same keys, counts and distances, all so much later."""
    later = 9 * DAY_MS + 60_000
    here, there = list(generate(1500, 11)), list(generate(1500, 11, DEFAULT_BASE_MS + later))
    assert [m.at_ms + later for m in here] == [m.at_ms for m in there]
    assert [m[3:6] for m in here] == [m[3:6] for m in there]
    assert [m.key for m in here] == [m.key for m in there]


def test_records_come_in_order_of_time() -> None:
    """Delivery times never go back."""
    times = [message.at_ms for message in generate(6000, 5)]
    assert times == sorted(times)


def test_no_event_is_in_the_future_of_its_delivery() -> None:
    """Every time in a record is at or before the time at which it is delivered."""
    for message in generate(2000, 5):
        stamps = re.findall(
            rb'"(?:created_at|event_timestamp)":"(\d{4}[^"]{15})', message.value or b""
        )
        due = [stamp.replace(b" ", b"T") for stamp in stamps if b"yesterday" not in stamp]
        limit = format_time(message.at_ms)[:19]
        assert all(stamp.decode()[:19] <= limit for stamp in due) or message.dead_letters


def test_every_outcome_is_as_foretold() -> None:
    """Each record alone, through ingest: so many events, these dead letters, these filtered."""
    for message in generate(3000, 2):
        record = InputRecord(RAW, 0, 0, message.at_ms, message.key, message.value)
        tally = ingest()([record]).tally
        reasons = [reason for _, reason in tally.dead_lettered.elements()]
        assert Counter(reasons) == Counter(message.dead_letters), message.value
        assert tally.filtered.total() == message.filtered
        assert tally.received == message.events


def test_every_shape_is_in_use() -> None:
    """All delivery shapes occur, and a channel's records all have its key."""
    assert {shape for _, shape, _ in CHANNELS} == set(Shape)
    keys = {message.key for message in generate(2000, 7)}
    assert keys >= {name.encode() for name, _, _ in CHANNELS}


def test_a_short_run_shows_every_category_and_level(day: Processed) -> None:
    """At 2,000 events all five scored topics have records, and all four levels occur."""
    categories = {category for category, _ in day.outcomes.by_category}
    assert categories == {category.value for category in Category}
    assert set(day.outcomes.by_level) == {"no", "low", "medium", "high"}


def test_a_short_run_has_many_event_types(day: Processed) -> None:
    """At least 60 different types occur in 2,000 events."""
    assert len(day.types) >= 60


@pytest.mark.parametrize("story", ["guessing_success", "push_fatigue", "privilege"])
def test_loud_stories_are_high(day: Processed, story: str) -> None:
    """What should be noticed is: the story's worst event is High."""
    assert day.highest[story] >= 51


def test_every_story_is_told(day: Processed) -> None:
    """All stories are among the routed events."""
    assert set(day.highest) == {story.name for story in STORIES}


def test_ordinary_days_stay_quiet(day: Processed) -> None:
    """High is only what belongs to a story."""
    told = {"guessing_lockout", "guessing_success", "push_fatigue", "privilege", "mass_deletion"}
    high = sum(subject.high for subject in day.outcomes.subjects.values())
    assert high <= 4 * len(told)
    assert high == day.outcomes.by_level["high"]


def test_only_documentation_addresses(day: Processed) -> None:
    """Addresses are of the ranges reserved for documentation, names and mail of nobody."""
    assert day.outcomes.routed > 0
    for message in generate(2000, 7):
        text = (message.value or b"").decode("utf-8", "replace")
        for address in re.findall(r'"ipaddr":"([^"]+)"', text):
            assert any(ipaddress.ip_address(address) in network for network in DOCUMENTATION)
        for mail in re.findall(r"[\w.-]+@([\w.]+)", text):
            assert mail == "example.com"


def test_identities_are_unique_over_runs() -> None:
    """A run that begins later repeats no event's identity, so it is not taken for a repeat."""
    first = {identity for m in generate(3000, 7) for identity, _ in m.stories}
    later = {
        identity for m in generate(3000, 7, DEFAULT_BASE_MS + DAY_MS) for identity, _ in m.stories
    }
    assert len(first) == len(later) > 0
    assert not first & later


def test_it_goes_on_for_ever_within_bounds() -> None:
    """Without a number it does not end, and what it keeps for later stays small."""
    generator = Generator(7, workdays(DEFAULT_BASE_MS), 300)
    messages = list(islice(generator.messages(None), 12_000))
    assert len(messages) == 12_000
    assert len(generator._queue) < 1000


def test_a_steady_feed_keeps_its_pace() -> None:
    """At 20 events a second the last of 1,000 comes after 50 s, none much later."""
    start = DEFAULT_BASE_MS + 12_345
    messages = list(generate(1000, 7, schedule=steady(start, 20.0)))
    assert messages[-1].at_ms == start + 50_000
    sent = 0
    for message in messages[:-20]:
        sent += message.events
        assert sent >= (message.at_ms - start) / 1000 * 20 - 300


def test_values_of_the_text_shape_are_strings() -> None:
    """One collector sends ids as text, as some do."""
    value = next(m.value for m in generate(300, 7) if m.key == b"collector-b")
    event = json.loads(value or b"")
    assert isinstance(event["event_type_id"], str)
    assert isinstance(event["id"], str)
