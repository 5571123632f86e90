"""The lockouts row: registers that commute, and what is in force when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from riskstream.events.vocabulary import Change, LockScope
from riskstream.windows.lockouts import (
    LockChange,
    LockoutsRow,
    Register,
    count_locks,
    fold_change,
    fold_login,
    is_late_lock,
    register_in_force,
)
from tests.support.risk import DAY, HOUR, MINUTE, NOON

CHANGES = st.lists(
    st.builds(
        LockChange,
        st.sampled_from([Change.LOCK, Change.UNLOCK, Change.SUSPEND, Change.REINSTATE]),
        st.sampled_from(LockScope),
        st.builds(
            Register,
            st.integers(0, 60).map(lambda hours: NOON - hours * 4 * HOUR),
            st.integers(0, 3).map(lambda each: f"1234:{each}"),
            st.just(19),
        ),
    ),
    min_size=1,
    max_size=25,
)


def _fold(changes: list[LockChange]) -> LockoutsRow:
    row: LockoutsRow | None = None
    for offset, change in enumerate(changes):
        row = fold_change(row, "1234:7", change, offset)
    assert row is not None
    return replace(row, offset=0)


def _change(change: Change, time_ms: int, until_ms: int | None = None) -> LockChange:
    return LockChange(change, LockScope.ACCOUNT, Register(time_ms, f"e{time_ms}", 19, until_ms))


def _held(row: LockoutsRow, time_ms: int) -> Register | None:
    (state,) = row.scopes
    return register_in_force(state, time_ms)


@given(CHANGES, st.randoms(use_true_random=False))
def test_any_interleaving_gives_the_same_row(changes: list[LockChange], shuffle: object) -> None:
    """Events of the same time and id are the same event, so ids are spread over kinds."""
    unique = list(
        {(each.register.time_ms, each.register.event_id): each for each in changes}.values()
    )
    other = list(unique)
    shuffle.shuffle(other)  # type: ignore[attr-defined]
    assert _fold(other) == _fold(unique)


@given(CHANGES)
def test_locks_are_counted_by_definition(changes: list[LockChange]) -> None:
    """Locks alone, of every scope, in quarters of the last seven days."""
    row = _fold(changes)
    now = row.as_of_ms // (15 * MINUTE)
    locks = [
        each.register.time_ms // (15 * MINUTE) for each in changes if each.change is Change.LOCK
    ]
    assert count_locks(row, row.as_of_ms) == sum(now - 96 < pane <= now for pane in locks)
    assert count_locks(row, row.as_of_ms, 672) == sum(now - 672 < pane <= now for pane in locks)


def test_a_lock_holds_from_its_time_until_its_presumed_end() -> None:
    """Not before, and not at the end itself."""
    row = _fold([_change(Change.LOCK, NOON, NOON + HOUR)])
    assert [_held(row, NOON + each) is not None for each in (-1, 0, HOUR - 1, HOUR)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("change", [Change.UNLOCK, Change.REINSTATE])
def test_an_unlock_ends_locks_and_suspensions_before_it(change: Change) -> None:
    """And none after it."""
    row = _fold(
        [_change(Change.SUSPEND, NOON), _change(Change.LOCK, NOON), _change(change, NOON + 9)]
    )
    assert _held(row, NOON + 8) is not None
    assert _held(row, NOON + 9) is None
    again = fold_change(row, "1234:7", _change(Change.LOCK, NOON + 20), 9)
    assert _held(again, NOON + 20) is not None


def test_a_login_ends_a_lock_and_never_a_suspension() -> None:
    """Nor does a later login hide an earlier reinstatement."""
    login = Register(NOON + 5, "login", 5)
    locked = fold_login(_fold([_change(Change.LOCK, NOON)]), login, 2)
    assert _held(locked, NOON + 5) is None
    suspended = fold_login(_fold([_change(Change.SUSPEND, NOON)]), login, 2)
    assert _held(suspended, NOON + 5) is not None
    reinstated = _fold([_change(Change.SUSPEND, NOON), _change(Change.REINSTATE, NOON + 2)])
    assert _held(fold_login(reinstated, login, 3), NOON + 5) is None


def test_an_older_login_changes_nothing() -> None:
    """The same row comes back, so that it need not be written."""
    row = fold_login(_fold([_change(Change.LOCK, NOON)]), Register(NOON + 5, "b", 5), 2)
    assert fold_login(row, Register(NOON + 5, "a", 5), 3) is row


def test_a_lock_is_late_when_its_quarter_has_left_the_week() -> None:
    """Its register is taken all the same, its count is not."""
    row = _fold([_change(Change.UNLOCK, NOON)])
    late = NOON - 7 * DAY + 15 * MINUTE - 1
    assert is_late_lock(row, late)
    assert not is_late_lock(row, late + 1)
    assert not is_late_lock(None, late)
    folded = fold_change(row, "1234:7", _change(Change.LOCK, late), 5)
    assert folded.quarters == ()
    assert folded.scopes[0].locked is not None
