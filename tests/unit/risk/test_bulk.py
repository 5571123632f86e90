"""What a system does in one go, against its own past runs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.bulk import Bulk, usual_size, with_one_more
from tests.support.risk import DAY, HOUR, MINUTE, NOON, Story, Told, assess, policy

HALF_LIFE = 30 * DAY
GAP = 30 * MINUTE
SYSTEM = "1234:system:Active Directory"


def _sync(story: Story, size: int, **changes: Any) -> list[Told]:
    """So many people at once, a day after what came before."""
    values: dict[str, Any] = {
        "subject": SYSTEM,
        "subject_type": "system",
        "user_id": None,
        "ip": None,
        "user_agent": None,
        "sensitivity": Sensitivity.ORDINARY,
    }
    first = story.happens(Kind.USER_LIFECYCLE, DAY, **(values | changes))
    rest = [story.happens(Kind.USER_LIFECYCLE, 100, **(values | changes)) for _ in range(size - 1)]
    return [first, *rest]


def _spoken(told: list[Told]) -> list[int]:
    """At which size of the run the signal began to speak, if it did."""
    return [place + 1 for place, each in enumerate(told) if "unusual_bulk" in each.signals]


def test_a_nightly_sync_is_no_burst_and_ten_times_its_size_is() -> None:
    """From the hundredth change on at least, and by how many times it is larger."""
    story = Story()
    for _ in range(5):
        assert not _spoken(_sync(story, 40))
    told = _sync(story, 440)
    assert _spoken(told) == list(range(200, 441))
    assert told[-1].signals["unusual_bulk"] == 1.2
    assert (told[-1].level, told[100].level) == ("medium", "low")
    assert told[-1].value["risk"]["reasons"] == "440 changes in one go, 40 are usual"


def test_small_runs_by_day_do_not_shrink_what_is_usual() -> None:
    """The largest of late is usual, not the average."""
    story = Story()
    _sync(story, 150)
    for _ in range(20):
        _sync(story, 2)
    assert not _spoken(_sync(story, 160))


def test_a_run_without_a_past_says_nothing() -> None:
    """A directory's first import is large, and there is nothing to compare it with."""
    assert not _spoken(_sync(Story(), 300))


def test_small_runs_say_nothing() -> None:
    """Ten times two is no burst."""
    story = Story()
    _sync(story, 2)
    assert not _spoken(_sync(story, 99))


def test_a_high_run_is_not_learned() -> None:
    """Whoever took over a directory does not make it usual."""
    story = Story()
    _sync(story, 10)
    high = _sync(story, 310, sensitivity=Sensitivity.SENSITIVE)
    assert high[-1].level == "high"
    assert _spoken(_sync(story, 110))


def test_people_and_failures_are_no_bulk() -> None:
    """People have signals of their own."""
    story = Story()
    for size in (10, 150):
        assert not _spoken(_sync(story, size, subject="1234:7", subject_type="user", user_id=7))
    profile = story.state.profiles["1234:7"]
    assert profile.bulk is None


def test_a_policy_may_leave_it_out() -> None:
    """Runs are learned all the same, so that it can be turned on later."""
    signals = policy().signals.model_copy(update={"unusual_bulk": None})
    story = Story(by=assess(by=policy().model_copy(update={"signals": signals})))
    _sync(story, 10)
    assert not _spoken(_sync(story, 120))
    bulk = story.state.profiles[SYSTEM].bulk
    assert bulk is not None
    assert (bulk.size, bulk.usual) == (120, 10)


@pytest.mark.parametrize(("days", "left"), [(0, 3000), (15, 2250), (30, 1500), (60, 750), (600, 0)])
def test_what_is_usual_fades(days: int, left: int) -> None:
    """Halved in every half-life, straight in between."""
    bulk = Bulk(1, NOON, usual=3000, usual_ms=NOON)
    assert usual_size(bulk, NOON + days * DAY, HALF_LIFE) == pytest.approx(left, abs=3)


@given(st.lists(st.tuples(st.integers(-2 * HOUR, 3 * DAY), st.integers(0, 100)), max_size=60))
def test_it_is_bounded_and_never_goes_back(steps: list[tuple[int, int]]) -> None:
    """Usual is never more than the largest run; the present run has its events, and no more."""
    bulk, now = None, NOON
    for events, (step, score) in enumerate(steps, 1):
        now += step
        before = bulk
        bulk = with_one_more(bulk, now, score, GAP, HALF_LIFE)
        assert 1 <= bulk.size <= events
        assert 0 <= usual_size(bulk, now, HALF_LIFE) <= bulk.usual <= events
        assert before is None or bulk.last_ms >= before.last_ms
