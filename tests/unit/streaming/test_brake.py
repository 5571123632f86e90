"""The brake engages on a flood of dead letters and on nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from riskstream.config import BrakeSettings
from riskstream.streaming.brake import Brake


def test_a_run_of_dead_letters_engages_it() -> None:
    """When nothing but dead letters came for ``max_run`` events, the partition is paused."""
    brake = Brake(BrakeSettings(max_run=30, window=1000))

    engaged = [brake.observe(events=10, dead_letters=10) for _ in range(3)]

    assert engaged == [False, False, True]


def test_one_good_event_ends_a_run() -> None:
    """A run is unbroken."""
    brake = Brake(BrakeSettings(max_run=30, window=1000))
    brake.observe(events=20, dead_letters=20)
    brake.observe(events=10, dead_letters=9)

    assert not brake.observe(events=20, dead_letters=20)


def test_too_large_a_share_of_the_window_engages_it() -> None:
    """Good and bad mixed: the share over a full window decides."""
    brake = Brake(BrakeSettings(max_ratio=0.5, window=100, max_run=10_000))

    assert not brake.observe(events=90, dead_letters=60)
    assert brake.observe(events=10, dead_letters=1)


def test_before_the_window_is_full_the_share_does_not_count() -> None:
    """Ten bad records after a start are no reason to stop."""
    brake = Brake(BrakeSettings(max_ratio=0.5, window=1000, max_run=1000))

    assert not brake.observe(events=10, dead_letters=10)


def test_old_chunks_leave_the_window() -> None:
    """A bad hour long ago does not count against a good one now."""
    brake = Brake(BrakeSettings(max_ratio=0.5, window=100, max_run=10_000))
    brake.observe(events=60, dead_letters=29)
    for _ in range(10):
        brake.observe(events=60, dead_letters=0)

    assert not brake.observe(events=40, dead_letters=39)


def test_release_starts_over() -> None:
    """After a release the same flood must fill the window again."""
    brake = Brake(BrakeSettings(max_run=10, window=1000))
    brake.observe(events=10, dead_letters=10)
    brake.release()

    assert not brake.engaged
    assert not brake.observe(events=9, dead_letters=9)
    assert brake.observe(events=1, dead_letters=1)


def test_it_can_be_turned_off() -> None:
    """An operator may want none."""
    brake = Brake(BrakeSettings(enabled=False, max_run=10, window=10))

    assert not brake.observe(events=100, dead_letters=100)


@given(
    st.lists(st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n // 3))))
)
def test_a_third_of_dead_letters_never_engages_it(chunks: list[tuple[int, int]]) -> None:
    """With a limit of one half, a share that stays below never pauses a partition."""
    brake = Brake(BrakeSettings(max_ratio=0.5, window=20, max_run=10_000))

    assert not any(brake.observe(events=e, dead_letters=d) for e, d in chunks)
