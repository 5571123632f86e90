"""Sweeps cover all of time, whatever the order, the delay within the overlap, and the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.sources.paging import (
    Checkpoint,
    PollPlan,
    after_page,
    next_sweep,
    read_checkpoint,
)

NOW = 1_795_438_800_000
PLAN = PollPlan(overlap_ms=600_000, slice_ms=86_400_000)

times = st.integers(0, 2**41)
checkpoints = st.builds(Checkpoint, times) | st.builds(
    Checkpoint, times, times, st.none() | st.text(max_size=40)
)


@given(checkpoints)
def test_a_checkpoint_survives_kafka(at: Checkpoint) -> None:
    """What is written is what is read."""
    assert read_checkpoint(at.encode()) == at


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b"{}", b'{"version":2,"since":"2026-11-23T13:00:00.000Z"}', b'{"version":1}',
     b'{"version":1,"since":"yesterday"}', b"\xff"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_not_guessed_at(value: bytes) -> None:
    """Beginning somewhere else than where the last run was would lose or repeat events."""
    with pytest.raises(ValueError, match=r".+"):
        read_checkpoint(value)


def test_a_new_sweep_ends_now() -> None:
    """Or after a slice, where there is more than that to catch up on, or at the plan's end."""
    assert next_sweep(Checkpoint(NOW - 5000), NOW, PLAN) == Checkpoint(NOW - 5000, NOW)
    old = Checkpoint(NOW - 10 * PLAN.slice_ms)
    assert next_sweep(old, NOW, PLAN).until_ms == old.since_ms + PLAN.slice_ms
    bounded = PollPlan(PLAN.overlap_ms, PLAN.slice_ms, end_ms=NOW - 1000)
    assert next_sweep(Checkpoint(NOW - 5000), NOW, bounded).until_ms == NOW - 1000


def test_a_sweep_under_way_goes_on() -> None:
    """Its end stays, however late it has become."""
    at = Checkpoint(NOW - 5000, NOW - 4000, "c")
    assert next_sweep(at, NOW + 10**9, PLAN) is at


def test_only_a_whole_sweep_moves_the_beginning() -> None:
    """A page with a further cursor moves nothing but the cursor."""
    at = Checkpoint(NOW - 900_000, NOW)
    at = after_page(at, "c1", NOW, PLAN)
    assert at == Checkpoint(NOW - 900_000, NOW, "c1")
    assert after_page(at, None, NOW, PLAN) == Checkpoint(NOW - PLAN.overlap_ms)


def test_the_beginning_never_goes_back() -> None:
    """A sweep shorter than the overlap begins where it began."""
    at = Checkpoint(NOW - 1000, NOW)
    assert after_page(at, None, NOW, PLAN) == Checkpoint(NOW - 1000)


def test_a_clock_of_ours_that_is_ahead_skips_nothing() -> None:
    """A sweep up to a time that has not come yet counts up to the API's now."""
    at = Checkpoint(NOW - 900_000, NOW + 3_600_000)
    assert after_page(at, None, NOW, PLAN) == Checkpoint(NOW - PLAN.overlap_ms)


def test_a_sweep_that_begins_again_is_shorter() -> None:
    """Down to twice the overlap, which still gets further; what is shorter stays."""
    at, spans = Checkpoint(NOW, NOW + 8 * PLAN.overlap_ms, "c"), []
    for _ in range(4):
        at = at.restarted(PLAN)
        assert at.cursor is None
        spans.append(((at.until_ms or 0) - NOW) / PLAN.overlap_ms)
    assert spans == [4, 2, 2, 2]
    assert Checkpoint(NOW, NOW + 1000, "c").restarted(PLAN) == Checkpoint(NOW, NOW + 1000)
    assert Checkpoint(NOW).restarted(PLAN) == Checkpoint(NOW)


def test_a_plan_that_gets_nowhere_is_refused() -> None:
    """A slice that the overlap eats up would be read for ever."""
    with pytest.raises(ValueError, match="longer than the overlap"):
        PollPlan(overlap_ms=1000, slice_ms=1000)


@given(
    events=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 100)), max_size=40),
    steps=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 7)), max_size=60),
    drop_cursor=st.sets(st.integers(0, 200), max_size=5),
)
def test_every_event_that_shows_up_in_time_is_seen(
    events: list[tuple[int, int]], steps: list[tuple[int, int]], drop_cursor: set[int]
) -> None:
    """Created at one time, visible up to an overlap later: some sweep has it in a page.

    Pages come in any order, time passes between pages, and cursors run out.
    """
    plan = PollPlan(overlap_ms=100, slice_ms=1000)
    born = [(at + 1, at + 1 + late) for at, late in events]
    now, seen = 0, set[int]()
    at = Checkpoint(0)
    for turn, (passed, size) in enumerate([*steps, *[(400, 7)] * 200]):
        now += passed
        at = next_sweep(at, now, plan)
        until = at.until_ms or 0
        found = [
            number
            for number, (created, visible) in enumerate(born)
            if at.since_ms < created < until and visible <= now
        ]
        found.sort(key=lambda number: number * 7919 % 101)
        # The cursor names what was given, so that what shows up meanwhile is not skipped.
        given_before = set(map(int, filter(None, (at.cursor or "").split(","))))
        left = [number for number in found if number not in given_before]
        seen |= set(left[:size])
        given_now = given_before | set(left[:size])
        cursor = ",".join(map(str, sorted(given_now))) if len(left) > size else None
        at = after_page(at, cursor, now, plan)
        if turn in drop_cursor:
            at = at.restarted(plan)
    assert seen == set(range(len(born)))
