"""Waits grow and are spread; ids are remembered up to a bound."""

from hypothesis import given
from hypothesis import strategies as st

from riskstream.sources.waiting import RecentIds, backoff_seconds


def test_waits_double_up_to_the_longest() -> None:
    """Without chance: 1, 2, 4, … and never more than 300."""
    waits = [backoff_seconds(attempt, 1.0, 300.0, 1.0) for attempt in range(12)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 300
    assert backoff_seconds(10**6, 1.0, 300.0, 1.0) == 300


@given(st.integers(0, 40), st.floats(0, 1))
def test_half_of_a_wait_is_chance(attempt: int, draw: float) -> None:
    """So that those who failed at once do not come again at once, and nobody comes at once."""
    full = backoff_seconds(attempt, 1.0, 300.0, 1.0)
    assert full / 2 <= backoff_seconds(attempt, 1.0, 300.0, draw) <= full


def test_what_was_entered_is_not_fresh() -> None:
    """Nor is the second of two in one page."""
    recent = RecentIds(10)
    first, second = b'{"id":1}', b'{"id":2}'
    assert list(recent.fresh([first, second, first])) == ["1", "2"]
    assert list(recent.fresh([first])) == ["1"], "looking alone enters nothing"
    recent.enter(["1"])
    assert list(recent.fresh([first, second]).values()) == [second]


def test_the_oldest_are_forgotten_first() -> None:
    """Entering again makes an id young."""
    recent = RecentIds(2)
    recent.enter(["1", "2"])
    recent.enter(["1", "3"])
    assert len(recent) == 2
    assert list(recent.fresh([b'{"id":1}', b'{"id":2}', b'{"id":3}'])) == ["2"]


def test_nothing_needs_to_be_remembered() -> None:
    """Then ingest's filter alone drops what comes twice."""
    recent = RecentIds(0)
    recent.enter(["1"])
    assert len(recent) == 0
