"""The rows of a partition: changelog there and back, expiry, tombstones."""

import pytest

from riskstream.errors import KafkaFaultError
from riskstream.events.event import Facts
from riskstream.events.times import LAST_MS
from riskstream.events.topics import FAILURES, LOCKOUTS, PROFILES
from riskstream.events.vocabulary import Change, Kind
from riskstream.pipeline.state import MAX_TOMBSTONES, PartitionState
from tests.support.risk import DAY, HOUR, NOON, assess, facts, live_rows, records, run


def _of(
    user: int, kind: Kind = Kind.LOGIN_FAILURE, time_ms: int = NOON, **changes: object
) -> Facts:
    return facts(kind, subject=f"1234:{user}", user_id=user, time_ms=time_ms, **changes)


def _later(state: PartitionState, time_ms: int, start: int) -> int:
    """An event that moves the watermark; how many rows its chunk removed."""
    results, _ = run(records([_of(0, time_ms=time_ms)], start), state=state)
    return results[0].tally.expired_rows


def test_the_changelog_has_one_record_per_changed_row_with_its_last_value() -> None:
    """Key: the subject; the timestamp is the caller's."""
    events = [_of(7), _of(7, time_ms=NOON + 1), _of(7, Kind.LOCKOUT, change=Change.LOCK)]
    (result,), _ = run(records(events))
    log = result.changes.changelog(17)
    assert [(each.topic, each.key, each.timestamp) for each in log] == [
        (FAILURES, b"1234:7", 17),
        (LOCKOUTS, b"1234:7", 17),
        (PROFILES, b"1234:7", 17),
    ]
    assert len(result.changes) == 3


def test_a_state_loaded_from_its_changelog_is_the_same() -> None:
    """Rows and watermark."""
    events = [_of(each % 5, time_ms=NOON + each) for each in range(20)]
    events.append(_of(3, Kind.LOCKOUT, NOON + DAY, change=Change.LOCK))
    results, state = run(records(events), cuts=[4, 9])
    loaded = PartitionState()
    for result in results:
        for output in result.changes.changelog(None):
            loaded.load(output.topic, output.key, output.value)
    assert live_rows(loaded) == live_rows(state)
    assert loaded.watermark_ms == state.watermark_ms == NOON + DAY


@pytest.mark.parametrize("time_ms", [0, LAST_MS - 1, LAST_MS])
def test_a_lock_at_the_ends_of_time_comes_back_as_it_was(time_ms: int) -> None:
    """Its presumed end is never past what a row can say."""
    (result,), state = run(records([_of(7, Kind.LOCKOUT, time_ms, change=Change.LOCK)]))
    loaded = PartitionState()
    for output in result.changes.changelog(None):
        loaded.load(output.topic, output.key, output.value)
    assert live_rows(loaded) == live_rows(state)
    assert live_rows(state)["lockouts"]


def test_a_state_over_a_filled_store_has_its_watermark() -> None:
    """It stands in the checkpoint."""
    _, state = run(records([_of(7), _of(8, time_ms=NOON + HOUR)]))
    again = PartitionState(state.store)
    assert again.watermark_ms == NOON + HOUR


def test_a_tombstone_removes_a_row() -> None:
    """Also one that is not there."""
    (result,), _ = run(records([_of(7)]))
    loaded = PartitionState()
    for output in result.changes.changelog(None):
        loaded.load(output.topic, output.key, output.value)
    loaded.load(FAILURES, b"1234:7", None)
    loaded.load(FAILURES, b"1234:8", None)
    assert not loaded.failures
    assert loaded.profiles


def test_clear_forgets_everything() -> None:
    """As if nothing had been read."""
    _, state = run(records([_of(7), _of(7, Kind.LOCKOUT, change=Change.LOCK)]))
    state.clear()
    assert (state.failures, state.lockouts, state.profiles) == ({}, {}, {})
    assert (state.watermark_ms, state.due) == (0, {})


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (FAILURES, b"k", b"{}"),
        (LOCKOUTS, b"k", b""),
        (PROFILES, b"k", b"[1]"),
        (FAILURES, b"\xff", b"{}"),
    ],
)
def test_a_row_that_riskstream_did_not_write_stops_recovery(
    topic: str, key: bytes, value: bytes
) -> None:
    """With a message that says which and what to do."""
    with pytest.raises(KafkaFaultError, match=r"[Rr]ecreate the topic"):
        PartitionState().load(topic, key, value)


def test_an_expired_row_reads_as_absent_before_its_tombstone() -> None:
    """48 hours behind the watermark a failures row counts for nothing."""
    _, state = run(records([_of(7)]))
    _later(state, NOON + 2 * DAY, 1)
    assert "1234:7" in live_rows(state)["failures"]
    _later(state, NOON + 2 * DAY + 1, 2)
    assert "1234:7" not in live_rows(state)["failures"]
    assert "1234:7" in live_rows(state)["profiles"]


def test_expired_rows_are_removed_some_at_a_time() -> None:
    """By the chunks after the one that moved the watermark, until none is left."""
    users = MAX_TOMBSTONES * 2 + 30
    _, state = run(records([_of(user) for user in range(1, users + 1)]))
    removed = [_later(state, NOON + 3 * DAY, users + step) for step in range(5)]
    assert removed == [0, MAX_TOMBSTONES, MAX_TOMBSTONES, 30, 0]
    assert set(state.failures) == {"1234:0"}
    assert len(state.profiles) == users + 1


def test_tombstones_are_in_the_changelog() -> None:
    """Null values, so that compaction removes the rows."""
    _, state = run(records([_of(7)]))
    _later(state, NOON + 3 * DAY, 1)
    changes = assess()([], state).changes
    assert [(each.topic, each.key, each.value) for each in changes.changelog(1)] == [
        (FAILURES, b"1234:7", None)
    ]
    state.apply(changes)
    assert set(state.failures) == {"1234:0"}
    assert not state.due


def test_a_row_written_anew_is_not_removed() -> None:
    """It was due, and its subject came back in the very chunk."""
    _, state = run(records([_of(7)]))
    _later(state, NOON + 3 * DAY, 1)
    assert state.due
    results, _ = run(records([_of(7, time_ms=NOON + 3 * DAY)], 2), state=state)
    assert results[0].tally.expired_rows == 0
    assert state.failures["1234:7"].as_of_ms == NOON + 3 * DAY
    assert not state.due
    _later(state, NOON + 6 * DAY, 3)
    assert _later(state, NOON + 6 * DAY, 4) == 1


def test_an_aborted_chunk_is_as_if_it_had_never_been() -> None:
    """Not applied: what is due stays due, and the next try is the same."""
    _, state = run(records([_of(7)]))
    _later(state, NOON + 3 * DAY, 1)
    first = assess()([], state).changes.changelog(1)
    assert assess()([], state).changes.changelog(1) == first


def test_expiry_goes_on_after_recovery() -> None:
    """Over the rows that are there, in bounded steps."""
    _, state = run(records([_of(7), _of(8, time_ms=NOON + 3 * DAY)]))
    loaded = PartitionState(state.store)
    assert _later(loaded, NOON + 3 * DAY, 5) == 0
    assert _later(loaded, NOON + 3 * DAY, 6) == 1
    assert set(loaded.failures) == {"1234:0", "1234:8"}
