"""Doubles for the shell's tests: records, a stage that counts, units that record or fail."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from riskstream.events import topics
from riskstream.events.outcome import Tally
from riskstream.events.record import InputRecord, Output, Record
from riskstream.streaming.chunk import Chunk
from riskstream.streaming.stages import Stage, Work
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
        self.applied: list[int] = []
        self.forgotten: list[int] = []
        self.recovered: list[dict[int, int | None]] = []

    def process(self, partition: int, records: Sequence[Record]) -> Work:
        """One output per record; every event is a dead letter where ``dead`` is set."""
        outputs = [Output(topics.CLASSIFIED, b"k", record.value) for record in records]
        tally = Tally(records=len(records), received=len(records))
        if self.dead:
            tally.dead_lettered[("decode", "malformed_json")] = len(records)
        return Work(outputs, (), tally, self.applied.append)

    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """Remember what was asked."""
        self.recovered.append(dict(committed))

    def forget(self, partition: int) -> None:
        """Remember what was asked."""
        self.forgotten.append(partition)


class RecordingUnit(UnitOfWork):
    """Commits into a list; waits at ``gate`` where one is given, fails where told to."""

    def __init__(
        self, *, fault: Exception | None = None, gate: asyncio.Event | None = None
    ) -> None:
        self.fault = fault
        self.gate = gate
        self.commits: list[tuple[int, int]] = []
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
    ) -> None:
        """Keep (number of outputs, offset)."""
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.commits.append((len(outputs), offset))

    async def close(self) -> None:
        """Count it."""
        self.closed += 1
