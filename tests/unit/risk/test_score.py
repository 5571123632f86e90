"""Evidence to score, and points that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.risk.levels import Level, level_of
from riskstream.risk.score import capped, curve, evidence_for, points, score_of

EVIDENCE = st.integers(-6000, 6000)


@pytest.mark.parametrize(
    ("milli", "score"),
    [
        (-2200, 3),
        (-2000, 4),
        (-1200, 9),
        (-1000, 11),
        (-800, 13),
        (-500, 17),
        (0, 26),
        (1000, 51),
        (2000, 76),
    ],
)
def test_the_curve_has_the_values_that_the_contract_names(milli: int, score: int) -> None:
    """E = 0 is the first Medium, E = 1 the first High."""
    assert score_of(milli) == score


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0, "no"),
        (4, "no"),
        (5, "low"),
        (25, "low"),
        (26, "medium"),
        (50, "medium"),
        (51, "high"),
        (100, "high"),
    ],
)
def test_the_levels_are_onelogins(score: int, level: str) -> None:
    """No 0-4, Low 5-25, Medium 26-50, High 51-100."""
    assert level_of(score) == Level(level)


def test_the_example_of_the_contract() -> None:
    """Prior -0.4, then +1.0 and +0.6."""
    assert points(-400, (1000, 600)) == (56, 19, (23, 14))


@given(EVIDENCE, st.lists(EVIDENCE.filter(bool), max_size=8))
def test_points_add_up_to_the_score(prior: int, evidence: list[int]) -> None:
    """Always exactly, and each within one point of its share."""
    result = points(prior, tuple(evidence))
    assert result.score == score_of(prior + sum(evidence))
    assert result.prior == score_of(prior)
    assert result.prior + sum(result.signals) == result.score
    total = sum(evidence)
    if abs(total) > 10:
        slope = (curve(prior + total) - curve(prior)) / total
        assert all(
            abs(share - slope * each) < 1
            for share, each in zip(result.signals, evidence, strict=True)
        )


def test_evidence_that_cancels_out_still_gets_its_points() -> None:
    """The tangent stands for the chord."""
    assert points(-1000, (600, -600)) == (11, 11, (6, -6))


def test_of_equal_remainders_the_earlier_wins() -> None:
    """So that the same evidence gives the same bytes."""
    result = points(0, (500, 500))
    assert sum(result.signals) == 25
    assert result.signals == (13, 12)


@given(st.lists(EVIDENCE, max_size=8), st.integers(1, 4000))
def test_a_cap_bounds_each_side_and_keeps_proportions(evidence: list[int], cap: int) -> None:
    """Rounding may add half a thousandth per signal."""
    scaled = capped(evidence, cap)
    slack = len(evidence)
    assert sum(each for each in scaled if each > 0) <= cap + slack
    assert -sum(each for each in scaled if each < 0) <= cap + slack
    assert all(abs(new) <= abs(old) for new, old in zip(scaled, evidence, strict=True))
    up = [each for each in evidence if each > 0]
    if sum(up) <= cap:
        assert [each for each in scaled if each > 0] == up


@given(st.integers(0, 100))
def test_the_evidence_for_a_score_gives_it_back(score: int) -> None:
    """A reader can recompute a score that the vendor decided."""
    assert score_of(evidence_for(score)) == score
