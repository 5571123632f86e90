"""Recovery from changelogs: where each is read from, and when it is done."""

from collections.abc import Iterable, Sequence
from itertools import count

import pytest
from aiokafka import TopicPartition

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.events.record import InputRecord
from riskstream.events.topics import CONTEXT, FAILURES, LOCKOUTS, PROFILES, USERS
from riskstream.events.vocabulary import Kind
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import Checkpoint
from riskstream.streaming import changelog
from riskstream.streaming.changelog import replay
from riskstream.streaming.progress import RecoveryProgress
from riskstream.windows.packed import pack_failures
from riskstream.windows.rows import encode_failures
from tests.support.risk import facts, records, run

NAMES = {
    FAILURES: "failures",
    LOCKOUTS: "lockouts",
    USERS: "users",
    PROFILES: "profiles",
    CONTEXT: "context",
}


class FakeConsumer:
    """An aiokafka consumer over lists; each record may be a gap, as a control record leaves."""

    def __init__(self, logs: dict[TopicPartition, Sequence[InputRecord | None]]) -> None:
        self.logs = logs
        self.first = 0
        self.positions: dict[TopicPartition, int] = {}
        self.sought: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.silent = False

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def assign(self, wanted: Iterable[TopicPartition]) -> None:
        self.positions = dict.fromkeys(wanted, self.first)

    async def beginning_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(wanted, self.first)

    async def end_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: len(self.logs.get(place, ())) for place in wanted}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = self.sought[place] = offset

    def pause(self, place: TopicPartition) -> None:
        self.paused.add(place)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[InputRecord]]:
        """Two offsets of each."""
        fetched = {}
        for place in places:
            if self.silent:
                continue
            at = self.positions[place]
            part = [record for record in self.logs[place][at : at + 2] if record is not None]
            self.positions[place] = min(at + 2, len(self.logs[place]))
            if part:
                fetched[place] = part
        return fetched


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> FakeConsumer:
    """In place of the one that is made."""
    double = FakeConsumer({})
    monkeypatch.setattr(changelog, "AIOKafkaConsumer", lambda **_: double)
    return double


def _row(user: int, time_ms: int) -> bytes:
    failed = facts(Kind.LOGIN_FAILURE, subject=f"1234:{user}", user_id=user, time_ms=time_ms)
    return encode_failures(run(records([failed]))[1].failures[f"1234:{user}"])


def _log(*rows: tuple[int, int] | None, partition: int = 0) -> list[InputRecord | None]:
    """Rows of users at times; None is a gap."""
    return [
        None
        if row is None
        else InputRecord(FAILURES, partition, at, 0, b"1234:%d" % row[0], _row(*row))
        for at, row in enumerate(rows)
    ]


def _progress() -> RecoveryProgress:
    return RecoveryProgress(Metrics(role="assess", version="0", policy="p"), NAMES)


async def test_every_partition_is_read_to_its_end(consumer: FakeConsumer) -> None:
    """The last value of each key, gaps at the end and all."""
    consumer.logs = {
        TopicPartition(FAILURES, 0): _log((7, 1000), (7, 2000), (8, 3000), None),
        TopicPartition(FAILURES, 1): _log((9, 500), partition=1),
    }
    states, progress = {0: PartitionState(), 1: PartitionState()}, _progress()

    positions = await replay(KafkaSettings(), states, progress)

    assert {key: row.as_of_ms for key, row in states[0].failures.items()} == {
        "1234:7": 2000,
        "1234:8": 3000,
    }
    assert set(states[1].failures) == {"1234:9"}
    assert states[0].watermark_ms == 3000
    assert positions[0] == {FAILURES: 4, LOCKOUTS: 0, USERS: 0, PROFILES: 0, CONTEXT: 0}
    assert (progress.records, progress.remaining) == (4, 0)
    assert len(states[0].failures) == 2


async def test_a_store_is_read_on_from_where_it_stands(consumer: FakeConsumer) -> None:
    """Level, behind and empty ones by one reader."""
    consumer.logs = {
        TopicPartition(FAILURES, number): _log((7, 1000), (8, 2000), (9, 3000), partition=number)
        for number in range(3)
    }
    states = {number: PartitionState() for number in range(3)}
    for number, position in ((0, 3), (1, 2)):
        states[number].store.write((), Checkpoint(5, True, 0, {FAILURES: position}))
    progress = _progress()

    await replay(KafkaSettings(), states, progress)

    assert consumer.sought == {TopicPartition(FAILURES, 1): 2, TopicPartition(FAILURES, 2): 0}
    assert TopicPartition(FAILURES, 0) in consumer.paused
    assert [set(state.failures) for state in states.values()] == [
        set(),
        {"1234:9"},
        {"1234:7", "1234:8", "1234:9"},
    ]
    assert progress.records == 4


async def test_a_store_beyond_its_changelog_is_begun_anew(consumer: FakeConsumer) -> None:
    """The topic was deleted and made again: none of the partition's rows can be believed."""
    consumer.logs = {TopicPartition(FAILURES, 0): _log((7, 1000))}
    state = PartitionState()
    _, other = run(records([facts(Kind.LOGIN_FAILURE)]))
    rows = [(FAILURES, "1234:old", pack_failures(other.failures["1234:7"]))]
    state.store.write(rows, Checkpoint(5, True, 9000, {FAILURES: 1, LOCKOUTS: 4}, {FAILURES: 1}))

    await replay(KafkaSettings(), {0: state}, _progress())

    assert set(state.failures) == {"1234:7"}
    assert (state.watermark_ms, len(state.failures)) == (1000, 1)


async def test_records_that_were_compacted_away_are_skipped(consumer: FakeConsumer) -> None:
    """A store may stand before the log's first offset."""
    consumer.logs = {TopicPartition(FAILURES, 0): _log((7, 1), (8, 2), (9, 3))}
    consumer.first = 2
    state = PartitionState()
    state.store.write((), Checkpoint(5, True, 0, {FAILURES: 1}))
    await replay(KafkaSettings(), {0: state}, _progress())
    assert consumer.sought == {TopicPartition(FAILURES, 0): 2}
    assert set(state.failures) == {"1234:9"}


async def test_a_broker_that_falls_silent_ends_the_recovery(
    consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the worker is started again, rather than waiting for ever."""
    consumer.logs = {TopicPartition(FAILURES, 0): _log((7, 1))}
    consumer.silent = True
    clock = count(step=20)
    monkeypatch.setattr(changelog, "monotonic", lambda: next(clock))
    with pytest.raises(KafkaFaultError, match="stopped answering"):
        await replay(KafkaSettings(), {0: PartitionState()}, _progress())


def test_progress_tells_what_is_left() -> None:
    """In metrics too; before anything was read nobody knows how long it takes."""
    metrics = Metrics(role="assess", version="0", policy="p")
    progress = RecoveryProgress(metrics, NAMES)
    progress.start([60, 40])
    assert (progress.remaining, progress.seconds_left) == (100, None)
    progress.read(FAILURES, 30)
    progress.report(50)
    told = progress.as_dict()
    assert (told["records"], told["remaining_records"]) == (30, 50)
    assert told["seconds_left"] is not None
    assert b"riskstream_recovery_remaining_records 50.0" in metrics.exposition()
    assert b'riskstream_recovered_records_total{table="failures"} 30.0' in metrics.exposition()
    progress.report(0)
    assert progress.seconds_left == 0.0
