"""Medians, ratios and percentiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import percentile, ratio, spread


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.001, 1)]
)
def test_percentiles_by_nearest_rank(share: float, value: int) -> None:
    """Of 1 to 100, the percentile is the number itself."""
    assert percentile(list(range(100, 0, -1)), share) == value


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50),
    st.floats(0, 1, exclude_min=True),
)
def test_a_percentile_covers_its_share(values: list[float], share: float) -> None:
    """It is one of the values, and at least that share of them does not exceed it."""
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_no_values_have_no_percentile() -> None:
    """There is no figure to make up."""
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)


def test_ratio_and_spread() -> None:
    """A ratio to nothing is none; the spread is relative to the median."""
    assert ratio(10.0, 4.0) == 2.5
    assert ratio(10.0, 0.0) is None
    assert spread([9.0, 10.0, 12.0]) == pytest.approx(0.3)
    assert spread([]) == 0.0
