"""The duplicate filter: what is known, for how long, in how much memory, after any restart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.events.outcome import Tally
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import DEAD_LETTER, FAILURES, LOCKOUTS
from riskstream.events.vocabulary import Change, Kind
from riskstream.pipeline.assess import remember
from riskstream.pipeline.duplicates import (
    PARTS,
    DuplicateFilter,
    Sightings,
    hash_id,
    seen_at,
)
from riskstream.pipeline.state import PartitionState
from tests.support.risk import HOUR, MINUTE, NOON, assess, classified, facts, live_rows, record

WINDOW = HOUR
MANY = 1_000_000


@dataclass(frozen=True)
class Sighting:
    """One id at one time."""

    number: int
    time_ms: int


def logs(size: int = 80) -> st.SearchStrategy[list[Sighting]]:
    """Few ids, with times that jump forth and back."""
    steps = st.sampled_from(
        (0, 0, 1000, 5 * MINUTE, 29 * MINUTE, 30 * MINUTE, 61 * MINUTE, -HOUR, -5 * HOUR)
    )

    def along(drawn: list[tuple[int, int]]) -> list[Sighting]:
        now, log = NOON, []
        for number, step in drawn:
            now = max(now + step, 0)
            log.append(Sighting(number, now))
        return log

    return st.lists(st.tuples(st.integers(1, 6), steps), max_size=size).map(along)


def known(log: Sequence[Sighting], max_ids: int = MANY) -> list[bool]:
    """What must be known, by the definition alone."""
    width, size = WINDOW // PARTS, max_ids // (PARTS + 1)
    parts, watermark = [], 0
    for sighting in log:
        watermark = max(watermark, sighting.time_ms)
        parts.append(watermark // width)
    return [
        any(
            before.number == sighting.number
            and parts[place] - parts[earlier] <= PARTS
            and place // size - earlier // size <= PARTS
            for earlier, before in enumerate(log[:place])
        )
        for place, sighting in enumerate(log)
    ]


def take(
    duplicates: DuplicateFilter, log: Sequence[Sighting], start: int = 0, cuts: Iterable[int] = ()
) -> list[bool]:
    """Sightings from an offset on, in chunks that are applied one after another."""
    told = []
    bounds = [start, *sorted(cut for cut in cuts if cut >= start), len(log)]
    for first, end in pairwise(bounds):
        seen = duplicates.look()
        told += [
            seen.add(log[offset].number, log[offset].time_ms, offset)
            for offset in range(first, end)
        ]
        duplicates.apply(seen)
    return told


@given(logs(), st.integers(3, 60), st.lists(st.integers(0, 80), max_size=5))
def test_an_id_is_known_by_the_definition_however_the_log_is_cut(
    log: list[Sighting], max_ids: int, cuts: list[int]
) -> None:
    """Same id, at most so many parts of time and so many segments of offsets back."""
    cuts = [cut for cut in cuts if cut <= len(log)]

    assert take(DuplicateFilter(WINDOW, max_ids), log, cuts=cuts) == known(log, max_ids)


@given(logs(), st.data())
def test_a_filter_filled_from_the_tail_goes_on_like_the_one_before(
    log: list[Sighting], data: st.DataObject
) -> None:
    """The tail begins where the purge leaves the log, or anywhere before."""
    cut = data.draw(st.integers(0, len(log)))
    whole = DuplicateFilter(WINDOW, MANY)
    take(whole, log[:cut])
    start = data.draw(st.integers(0, whole.tail(cut)))
    again = DuplicateFilter(WINDOW, MANY)
    take(again, log[:cut], start)

    assert take(again, log, cut) == take(whole, log, cut)


@given(logs(), st.data())
def test_records_from_before_the_tail_by_time_do_not_count(
    log: list[Sighting], data: st.DataObject
) -> None:
    """From any watermark that a late part of the log shows, ``since_ms`` lies early enough."""
    cut = data.draw(st.integers(1, len(log))) if log else 0
    whole = DuplicateFilter(WINDOW, MANY)
    take(whole, log[:cut])
    probe = DuplicateFilter(WINDOW, MANY)
    take(probe, log[:cut], data.draw(st.integers(0, max(cut - 1, 0))))
    since = probe.since_ms
    start = next((at for at in range(cut) if log[at].time_ms >= since), cut)
    again = DuplicateFilter(WINDOW, MANY)
    take(again, log[:cut], start)

    assert take(again, log, cut) == take(whole, log, cut)


@settings(max_examples=30)
@given(st.integers(3, 300), st.integers(1, 900))
def test_no_more_ids_are_held_than_the_bound(max_ids: int, count: int) -> None:
    """And the newest of them are, whatever the time."""
    duplicates = DuplicateFilter(WINDOW, max_ids)
    log = [Sighting(1 + place, NOON) for place in range(count)]
    take(duplicates, log, cuts=range(0, count, 7))

    assert len(duplicates) <= max_ids
    seen = duplicates.look()
    kept = min(count, PARTS * (max_ids // (PARTS + 1)))
    assert all(seen.add(1 + count - back, NOON, count) for back in range(1, kept + 1))


def test_what_is_forgotten_before_its_time_is_counted() -> None:
    """Ids that expire in time are not."""
    duplicates = DuplicateFilter(WINDOW, 300)
    seen = duplicates.look()
    for offset in range(450):
        seen.add(1 + offset, NOON, offset)
    early = seen.forgotten
    seen.add(1, NOON + 2 * HOUR, 450)

    assert (early, seen.forgotten) == (200, 200)


def test_an_id_takes_at_most_32_bytes() -> None:
    """Of a table that has grown; a small one has 2 KiB."""
    duplicates = DuplicateFilter(WINDOW, MANY)
    sizes = []
    for start in range(1, 20_001, 500):
        seen = duplicates.look()
        for number in range(start, start + 500):
            seen.add(hash_id(str(number), False), NOON, number)
        duplicates.apply(seen)
        sizes.append(duplicates.nbytes / len(duplicates))

    assert len(duplicates) == 20_000
    assert all(16 <= size <= 33 for size in sizes)


def test_nothing_is_known_before_the_commit() -> None:
    """A chunk that was given up leaves no trace; within itself it knows its own."""
    duplicates = DuplicateFilter(WINDOW, MANY)
    given_up = duplicates.look()
    assert [given_up.add(7, NOON, offset) for offset in range(2)] == [False, True]

    assert len(duplicates) == 0
    assert duplicates.look().add(7, NOON, 0) is False


def test_hashes_tell_events_from_effects_and_are_never_zero() -> None:
    """The effect of an event may lie in the same partition."""
    hashes = {hash_id("1234:1", False), hash_id("1234:1", True)}

    assert len(hashes) == 2
    assert all(0 < value < 2**64 for value in hashes)


def test_a_clock_ahead_of_the_log_does_not_count() -> None:
    """The received time does, as far as Kafka's own bears it out."""
    assert seen_at(NOON + HOUR, NOON) == NOON
    assert seen_at(NOON - HOUR, NOON) == NOON - HOUR
    assert seen_at(NOON, None) == NOON
    assert seen_at(NOON, -1) == NOON
    assert seen_at(None, NOON) is None


def event(
    offset: int, number: int, *, received_ms: int | None = NOON, **changes: bool
) -> InputRecord:
    """A failed login, or an unlocking by somebody else, in the classified log."""
    effect = changes.get("effect", False)
    of = facts(
        Kind.UNLOCK if effect else Kind.LOGIN_FAILURE,
        id=f"1234:{number}",
        change=Change.LOCK if effect else None,
        subject=f"1234:{number % 3}",
        time_ms=NOON + number,
    )
    value = classified(of, received_ms=received_ms, **changes)
    return record(value, offset)._replace(timestamp=received_ms)


def assessed(
    source: Sequence[InputRecord], cuts: Iterable[int], restarts: bool
) -> tuple[list[Output], Tally, PartitionState]:
    """Through assess in chunks; at each cut, where asked, with a filter filled from the tail."""
    duplicates, state = DuplicateFilter(WINDOW, MANY), PartitionState()
    outputs, tally = [], Tally()
    for start, end in pairwise([0, *sorted(cuts), len(source)]):
        if restarts:
            tail = duplicates.tail(start)
            duplicates = DuplicateFilter(WINDOW, MANY)
            remember(source[tail:start], duplicates)
        result = assess()(source[start:end], state, duplicates)
        assert isinstance(result.changes.seen, Sightings)
        state.apply(result.changes)
        duplicates.apply(result.changes.seen)
        outputs += result.outputs
        tally.merge(result.tally)
    return outputs, tally, state


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.booleans(),
            st.sampled_from((0, MINUTE, 20 * MINUTE, 2 * HOUR)),
            st.integers(0, 9),
        ),
        max_size=40,
    ),
    st.data(),
)
def test_the_same_log_has_the_same_outcomes_however_cut_and_restarted(
    drawn: list[tuple[int, bool, int, int]], data: st.DataObject
) -> None:
    """With effects, records that riskstream did not write, and replays among them."""
    now, source = NOON, []
    for offset, (number, effect, step, odd) in enumerate(drawn):
        now += step
        made = event(offset, number, received_ms=now, effect=effect, replayed=odd == 0)
        source.append(made._replace(value=b"{}") if odd == 1 else made)
    cuts = data.draw(st.lists(st.integers(0, len(source)), max_size=5))
    outputs, tally, state = assessed(source, (), restarts=False)
    again, tally_again, state_again = assessed(source, cuts, restarts=True)

    assert again == outputs
    assert live_rows(state_again) == live_rows(state)
    assert tally_again == tally
    events = sum(not effect or odd == 1 for _, effect, _, odd in drawn)
    assert tally.outcomes == events


def test_a_repeated_event_is_filtered_and_leaves_the_rows_alone() -> None:
    """Counted, neither scored nor folded."""
    outputs, tally, state = assessed([event(0, 1), event(1, 1), event(2, 2)], [1], restarts=False)

    assert [output.topic == DEAD_LETTER for output in outputs] == [False, False]
    assert (tally.routed, dict(tally.filtered)) == (2, {"duplicate": 1})
    assert dict(tally.failures) == {("users", "login"): 2}
    assert state.failures["1234:1"].offset == 0


def test_a_repeated_effect_is_not_folded_and_is_no_outcome() -> None:
    """An event of the same id beside it is another matter."""
    source = [
        event(0, 1, effect=True),
        event(1, 1),
        event(2, 1, effect=True),
    ]
    _, tally, state = assessed(source, (), restarts=False)

    assert (tally.effects, tally.routed, tally.filtered.total()) == (1, 1, 0)
    assert state.lockouts["1234:1"].offset == 0
    assert dict(tally.lockouts) == {"account": 1}


def test_without_a_received_time_nothing_is_filtered() -> None:
    """As in files: every event there has an outcome of its own."""
    source = [event(offset, 1, received_ms=None) for offset in range(3)]
    _, tally, _ = assessed(source, (), restarts=False)

    assert (tally.routed, tally.filtered.total()) == (3, 0)


def test_an_event_sent_back_from_the_dead_letters_is_no_duplicate() -> None:
    """It had no other outcome; its effect may have been folded, so that one is."""
    source = [
        event(0, 1),
        event(1, 1, replayed=True),
        event(2, 2, effect=True),
        event(3, 2, effect=True, replayed=True),
    ]
    _, tally, _ = assessed(source, (), restarts=False)

    assert (tally.routed, tally.effects, tally.filtered.total()) == (2, 1, 0)


def test_rows_of_a_filtered_chunk_are_not_written() -> None:
    """A chunk of duplicates alone has no changelog."""
    duplicates, state = DuplicateFilter(WINDOW, MANY), PartitionState()
    first = assess()([event(0, 1)], state, duplicates)
    state.apply(first.changes)
    assert first.changes.seen is not None
    duplicates.apply(first.changes.seen)
    second = assess()([event(1, 1)], state, duplicates)

    assert {row.topic for row in first.changes.changelog(None)} >= {FAILURES}
    assert LOCKOUTS not in {row.topic for row in first.changes.changelog(None)}
    assert second.changes.changelog(None) == []
    assert second.outputs == []
