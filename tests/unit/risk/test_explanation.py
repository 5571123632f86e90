"""Why an event scores what it scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.risk.explanation import explain
from riskstream.risk.levels import Level, level_of
from riskstream.risk.score import MILLI, points, score_of

Signals = list[tuple[str, int]]


def _risk(prior: int, signals: Signals) -> dict[str, object]:
    split = points(prior, tuple(evidence for _, evidence in signals))
    return {
        "score": split.score,
        "prior": {"evidence": prior / MILLI, "points": split.prior},
        "signals": [
            {"id": id_, "evidence": evidence / MILLI, "points": share, "detail": f"because {id_}"}
            for (id_, evidence), share in zip(signals, split.signals, strict=True)
        ],
    }


def test_a_high_event() -> None:
    """What raised it, what lowered it, and without what it would be lower."""
    told = explain(_risk(-1200, [("guessed", 2000), ("new", 400), ("usual", -200)]))
    assert (told.score, told.level, told.prior) == (51, Level.HIGH, 9)
    assert [each[0] for each in told.raised] == ["guessed", "new"]
    assert [each[2] for each in told.lowered] == ["because usual"]
    assert told.lower is not None
    assert told.lower.without == ("guessed",)
    assert told.lower.level is Level.LOW
    assert told.higher is None


def test_several_signals_may_have_to_be_taken_away() -> None:
    """The strongest ones first."""
    told = explain(_risk(-1200, [("a", 1500), ("b", 1500), ("c", 1500)]))
    assert told.lower is not None
    assert told.lower.without == ("a", "b")


def test_a_level_that_the_kind_of_event_has_alone() -> None:
    """No signal made it."""
    told = explain(_risk(-500, [("usual", -100)]))
    assert told.lower is None
    assert not told.raised


@given(
    st.integers(-3000, -500),
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(-900, 2000).filter(bool)), max_size=6
    ),
)
def test_what_would_change_the_level_does(prior: int, signals: Signals) -> None:
    """Recomputed from the evidence as it is written."""
    told = explain(_risk(prior, signals))
    total = prior + sum(evidence for _, evidence in signals)
    levels = list(Level)
    assert len(told.raised) + len(told.lowered) == len(signals) == len(told.each)
    for change, (_, evidence) in zip(told.each, signals, strict=True):
        assert change.score == score_of(total - evidence)
    if told.lower is not None:
        assert levels.index(told.lower.level) < levels.index(told.level)
    if told.higher is not None:
        following, missing = told.higher
        needed = total + round(missing * MILLI)
        assert level_of(score_of(needed)) is following
        assert level_of(score_of(needed - 1)) is told.level


def test_what_is_no_risk_is_refused() -> None:
    """With a message, not a traceback."""
    with pytest.raises(ValueError, match="not the risk of a scored event"):
        explain({"score": 3})
