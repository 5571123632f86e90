"""Expired rows are found in bounded steps, and looked for only when there may be some."""

from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.topics import FAILURES, PROFILES
from riskstream.pipeline.expiry import LOOKED_AT, MAX_TOMBSTONES, Expiry
from riskstream.pipeline.store import Checkpoint, MemoryStore
from riskstream.windows.failures import FAILURES_TTL_MS
from riskstream.windows.packed import header
from tests.support.risk import DAY, NOON

TTL = FAILURES_TTL_MS


def _store(*times: int) -> MemoryStore:
    """Failures rows u0, u1 and so on, last changed at these times."""
    store = MemoryStore()
    rows = [(FAILURES, f"u{place}", header(time) + b"\x90") for place, time in enumerate(times)]
    store.write(rows, Checkpoint())
    return store


def test_only_what_is_older_than_its_time_to_live_is_due() -> None:
    """At the very end of it a row still counts."""
    expiry = Expiry(_store(NOON, NOON + 1))
    expiry.step(NOON + TTL)
    assert not expiry.due
    expiry.step(NOON + TTL + 1)
    assert expiry.due == {(FAILURES, "u0"): None}


def test_one_step_looks_at_a_bounded_number_of_rows() -> None:
    """The rest is for the steps after it."""
    store = _store(*[NOON + DAY] * LOOKED_AT, NOON)
    expiry = Expiry(store)
    expiry.step(NOON + TTL + 1)
    assert not expiry.due
    expiry.step(NOON + TTL + 1)
    assert list(expiry.due) == [(FAILURES, f"u{LOOKED_AT}")]


def test_no_more_are_due_than_a_chunk_removes() -> None:
    """Until they are removed."""
    store = _store(*[NOON] * (MAX_TOMBSTONES + 20))
    expiry = Expiry(store)
    for _ in range(3):
        expiry.step(NOON + TTL + 1)
        assert len(expiry.due) == MAX_TOMBSTONES
    for topic, subject in list(expiry.due):
        store.write([(topic, subject, None)], Checkpoint())
        expiry.written(topic, subject, None)
    expiry.step(NOON + TTL + 1)
    assert len(expiry.due) == 20


def test_what_is_written_anew_is_not_due_any_more() -> None:
    """It expires again in its time."""
    store = _store(NOON)
    expiry = Expiry(store)
    expiry.step(NOON + TTL + 1)
    store.write([(FAILURES, "u0", header(NOON + DAY) + b"\x90")], Checkpoint())
    expiry.written(FAILURES, "u0", NOON + DAY)
    expiry.step(NOON + TTL + DAY)
    assert not expiry.due
    for _ in range(2):
        expiry.step(NOON + TTL + DAY + 1)
    assert list(expiry.due) == [(FAILURES, "u0")]


def test_rows_are_left_in_peace_until_one_may_have_expired() -> None:
    """A sweep learns when that is; rows written since are minded."""
    store = _store(NOON)
    expiry = Expiry(store)
    expiry.step(NOON)
    scans: list[str] = []
    store.scan = lambda topic: iter(scans.append(topic) or ())  # type: ignore[method-assign,func-returns-value]
    expiry.step(NOON + TTL)
    assert FAILURES not in scans
    expiry.written(FAILURES, "late", NOON - DAY)
    expiry.step(NOON + TTL)
    assert FAILURES in scans


def test_begun_anew_nothing_is_due() -> None:
    """The rows were replaced; they are looked at again."""
    expiry = Expiry(_store(NOON))
    expiry.step(NOON + TTL + 1)
    expiry.reset()
    assert not expiry.due
    expiry.step(NOON + TTL + 1)
    assert expiry.due


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), max_size=60),
    st.lists(st.integers(0, 12), max_size=20),
)
def test_every_expired_row_is_found_sooner_or_later(
    writes: list[tuple[int, int]], jumps: list[int]
) -> None:
    """Whatever is written, while whatever else is looked at; and no other row is."""
    store, watermark, times = MemoryStore(), NOON, dict[str, int]()
    expiry = Expiry(store)
    for place, (user, hours) in enumerate(writes):
        time = NOON + hours * DAY // 4
        times[f"u{user}"] = max(time, times.get(f"u{user}", 0))
        store.write([(FAILURES, f"u{user}", header(times[f"u{user}"]) + b"\x90")], Checkpoint())
        expiry.written(FAILURES, f"u{user}", times[f"u{user}"])
        watermark = max(watermark, times[f"u{user}"]) + (
            jumps[place % len(jumps)] * DAY // 4 if jumps else 0
        )
        expiry.step(watermark)
    for _ in range(4):
        expiry.step(watermark)
    expired = {(FAILURES, user) for user, time in times.items() if time + TTL < watermark}
    assert set(expiry.due) == expired
    assert PROFILES not in {topic for topic, _ in expiry.due}
