"""Panes: the arithmetic that others recount by."""

from hypothesis import given
from hypothesis import strategies as st

from riskstream.windows.panes import Panes, add, count, oldest, prune

INDEXES = st.lists(st.integers(0, 40), max_size=60)


def _panes(indexes: list[int]) -> Panes:
    panes: Panes = ()
    for index in indexes:
        panes = add(panes, index)
    return panes


@given(INDEXES)
def test_adding_counts_each_pane_in_ascending_order(indexes: list[int]) -> None:
    """Whatever the order of events."""
    assert _panes(indexes) == tuple(sorted({each: indexes.count(each) for each in indexes}.items()))


@given(INDEXES, st.integers(-5, 45), st.integers(1, 20))
def test_a_window_is_the_pane_of_now_and_those_before_it(
    indexes: list[int], now: int, span: int
) -> None:
    """Counted by definition: now - span < pane <= now."""
    inside = [each for each in indexes if now - span < each <= now]
    assert count(_panes(indexes), now, span) == len(inside)
    assert oldest(_panes(indexes), now, span) == (min(inside) if inside else None)


@given(INDEXES, st.integers(-5, 45))
def test_pruning_keeps_what_lies_above_the_floor(indexes: list[int], floor: int) -> None:
    """And gives back the same object when there is nothing to drop."""
    panes = _panes(indexes)
    kept = prune(panes, floor)
    assert kept == _panes([each for each in indexes if each > floor])
    assert (kept is panes) == (kept == panes)
