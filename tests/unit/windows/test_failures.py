"""The failures row: folding commutes, and equals a recount by definition."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from riskstream.events.vocabulary import FailureKind
from riskstream.windows.failures import FailuresRow, fold_failure, recent_failures
from tests.support.risk import DAY, HOUR, MINUTE, NOON

Failure = tuple[FailureKind, int]
FAILURES = st.lists(
    st.tuples(
        st.sampled_from([FailureKind.LOGIN, FailureKind.MFA, FailureKind.HOOKS]),
        st.integers(NOON - 2 * DAY, NOON),
    ),
    min_size=1,
    max_size=40,
)


def _fold(failures: list[Failure]) -> FailuresRow:
    row: FailuresRow | None = None
    for offset, (kind, time_ms) in enumerate(failures):
        row = fold_failure(row, "1234:7", kind, time_ms, offset) or row
    assert row is not None
    return replace(row, offset=0)


@given(FAILURES, st.randoms(use_true_random=False))
def test_any_interleaving_gives_the_same_row(failures: list[Failure], shuffle: object) -> None:
    """Late events and all: refusing and dropping are one condition."""
    other = list(failures)
    shuffle.shuffle(other)  # type: ignore[attr-defined]
    assert _fold(other) == _fold(failures)


@given(FAILURES)
def test_the_row_equals_a_recount(failures: list[Failure]) -> None:
    """Panes by definition, from the newest event back."""
    row = _fold(failures)
    newest = max(time_ms for _, time_ms in failures)
    assert row.as_of_ms == newest
    minute, quarter = newest // MINUTE, newest // (15 * MINUTE)
    for panes in row.kinds:
        times = [time_ms for kind, time_ms in failures if kind is panes.kind]
        hour = [each // MINUTE for each in times if each // MINUTE > minute - 60]
        day = [pane for each in times if (pane := each // (15 * MINUTE)) > quarter - 96]
        assert dict(panes.minutes) == {pane: hour.count(pane) for pane in hour}
        assert dict(panes.quarters) == {pane: day.count(pane) for pane in day}
        assert day


@given(FAILURES)
def test_what_scoring_asks_equals_a_recount(failures: list[Failure]) -> None:
    """At the newest event's time."""
    row = _fold(failures)
    now = row.as_of_ms // MINUTE

    def recount(kind: FailureKind, minutes: int) -> int:
        panes = [time_ms // MINUTE for each, time_ms in failures if each is kind]
        return sum(now - minutes < pane <= now for pane in panes)

    assert recent_failures(row, row.as_of_ms) == (
        recount(FailureKind.LOGIN, 5),
        recount(FailureKind.LOGIN, 60),
        recount(FailureKind.MFA, 5),
    )


def test_an_event_is_late_exactly_when_its_quarter_has_left_the_day() -> None:
    """The first quarter still inside counts, the last outside does not."""
    row = fold_failure(None, "1234:7", FailureKind.LOGIN, NOON, 1)
    assert row is not None
    assert fold_failure(row, "1234:7", FailureKind.LOGIN, NOON - DAY + 15 * MINUTE, 2) is not None
    assert fold_failure(row, "1234:7", FailureKind.LOGIN, NOON - DAY + 15 * MINUTE - 1, 2) is None


def test_old_rows_say_nothing_about_now() -> None:
    """An hour later the windows are empty though nothing was folded."""
    row = fold_failure(None, "1234:7", FailureKind.LOGIN, NOON, 1)
    assert row is not None
    assert recent_failures(row, NOON + 4 * MINUTE) == (1, 1, 0)
    assert recent_failures(row, NOON + 5 * MINUTE) == (0, 1, 0)
    assert recent_failures(row, NOON + HOUR) == (0, 0, 0)
