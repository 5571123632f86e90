"""Doubles for the shell's tests: records, a stage that counts, units that record or fail."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from faust.types import TP

from riskstream.events import topics
from riskstream.events.outcome import Tally
from riskstream.events.record import InputRecord, Output, Record
from riskstream.streaming.chunk import Chunk
from riskstream.streaming.stages import Processing, Stage, Work
from riskstream.streaming.unit import UnitOfWork

SOURCE = TopicPartition(topics.RAW, 0)


def make_record(offset: int, value: bytes = b"{}") -> InputRecord:
    """One record of partition 0 of the raw topic."""
    return InputRecord(topics.RAW, 0, offset, 1_795_000_000_000 + offset, b"key", value)


def make_chunk(start: int, end: int, *, offsets: Sequence[int] | None = None) -> Chunk:
    """A chunk between two positions; without ``offsets`` it holds every one in between."""
    held = range(start, end) if offsets is None else offsets
    return Chunk(0, start, end, [make_record(offset) for offset in held], epoch=1)


class CountingStage(Stage):
    """Makes one output per record and remembers what was applied."""

    source = topics.RAW

    def __init__(self, *, dead: bool = False) -> None:
        self.dead = dead
        self.fed: list[int] = []
        """Records per piece."""
        self.applied: list[int] = []
        self.forgotten: list[int] = []
        self.recovered: list[dict[int, int | None]] = []

    def begin(self, partition: int, records: Sequence[Record]) -> "CountingProcessing":
        """One output per record; every event is a dead letter where ``dead`` is set."""
        return CountingProcessing(self)

    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """Remember what was asked."""
        self.recovered.append(dict(committed))

    def forget(self, partition: int) -> None:
        """Remember what was asked."""
        self.forgotten.append(partition)


class CountingProcessing(Processing):
    """A chunk of a ``CountingStage``."""

    def __init__(self, stage: CountingStage) -> None:
        self._stage = stage
        self._outputs: list[Output] = []

    def feed(self, records: Sequence[Record]) -> None:
        """One output per record."""
        self._stage.fed.append(len(records))
        self._outputs += [Output(topics.CLASSIFIED, b"k", record.value) for record in records]

    def finish(self) -> Work:
        """What was fed; its application is remembered."""
        count = len(self._outputs)
        tally = Tally(records=count, received=count)
        if self._stage.dead:
            tally.dead_lettered[("decode", "malformed_json")] = count
        return Work(self._outputs, (), tally, lambda at, _: self._stage.applied.append(at))


class RecordingUnit(UnitOfWork):
    """Commits into a list; waits at ``gate`` where one is given, fails where told to."""

    def __init__(
        self, *, fault: Exception | None = None, gate: asyncio.Event | None = None
    ) -> None:
        self.fault = fault
        self.gate = gate
        self.commits: list[tuple[int, int]] = []
        self.written: list[Output] = []
        self.opened = self.closed = 0

    async def open(self) -> None:
        """Count it."""
        self.opened += 1

    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> Mapping[str, int]:
        """Keep (number of outputs, offset), and what was written."""
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.commits.append((len(outputs), offset))
        self.written += [*outputs, *changelog]
        return {}

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


class FakeThread:
    """The consumer thread: committed offsets and log bounds as told."""

    def __init__(self, committed: dict[TP, int | None], bounds: tuple[int, int]) -> None:
        self.committed, self.bounds = committed, bounds
        self.order: list[str] = []

    async def stop_fetching(self, partitions: set[TP]) -> None:
        """Take note."""
        self.order.append(f"stop_fetching {len(partitions)}")

    async def committed_offsets(self, partitions: list[TP]) -> dict[TP, int | None]:
        """As told."""
        self.order.append("committed")
        return {tp: self.committed[tp] for tp in partitions}

    async def log_bounds(self, partitions: list[TP]) -> dict[TP, tuple[int, int]]:
        """As told."""
        return dict.fromkeys(partitions, self.bounds)

    def stable_end(self, _: TP) -> int:
        """As told."""
        return self.bounds[1]


class FakeConsumer:
    """What a hop needs of Faust's consumer."""

    epoch = 1

    def __init__(self, thread: FakeThread) -> None:
        self._thread = thread
        self.positions = dict

    def pause_partitions(self, _: set[TP]) -> None:
        """Nothing is fetched here anyway."""

    def resume_partitions(self, _: set[TP]) -> None:
        """Nothing is fetched here anyway."""
