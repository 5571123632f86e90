"""The two hops as the shell sees them: a chunk of records in, work to commit out."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import NamedTuple, Protocol

from structlog import get_logger
from typing_extensions import override

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.events import topics
from riskstream.events.outcome import Tally
from riskstream.events.record import Output, Record
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.streaming import changelog
from riskstream.streaming.tables import StateTables

__all__ = ["AssessStage", "IngestStage", "Stage", "Work"]

log = get_logger(__name__)


class Work(NamedTuple):
    """What one chunk leads to."""

    outputs: Sequence[Output]
    changelog: Sequence[Output]
    tally: Tally
    apply: Callable[[int], None]
    """Called with the committed offset once the unit is committed, and never otherwise."""


class Stage(Protocol):
    """A hop's pure work with the state that it needs."""

    source: str
    """Topic that it reads."""

    def process(self, partition: int, records: Sequence[Record]) -> Work:
        """Turn records into work. Changes nothing."""

    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """Make the state of exactly these partitions that of their committed offsets."""

    def forget(self, partition: int) -> None:
        """The state of this partition may be wrong: rebuild it before it is used again."""


class IngestStage(Stage):
    """Raw records to classified events and dead letters. Stateless."""

    source = topics.RAW

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    @override
    def process(self, partition: int, records: Sequence[Record]) -> Work:
        outputs, tally = self._ingest(records)
        return Work(outputs, (), tally, _nothing)

    @override
    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """There is no state."""

    @override
    def forget(self, partition: int) -> None:
        """There is no state."""


class AssessStage(Stage):
    """Classified events to scored ones, and the rows of the tables."""

    source = topics.CLASSIFIED

    def __init__(
        self, assess: Assess, tables: StateTables, kafka: KafkaSettings, metrics: Metrics
    ) -> None:
        self._assess = assess
        self._tables = tables
        self._kafka = kafka
        self._metrics = metrics
        self._offsets: dict[int, int | None] = {}
        """Committed offset that the rows of a partition stand for. Absent: not known to be so."""

    @override
    def process(self, partition: int, records: Sequence[Record]) -> Work:
        state = self._tables.state(partition)
        outputs, changes, tally = self._assess(records, state)
        timestamp = records[-1].timestamp if records else None

        def apply(offset: int) -> None:
            state.apply(changes)
            self._offsets[partition] = offset

        return Work(outputs, changes.changelog(timestamp), tally, apply)

    @override
    async def recover(self, committed: Mapping[int, int | None]) -> None:
        self._tables.keep_only(set(committed))
        self._offsets = {p: at for p, at in self._offsets.items() if p in committed}
        stale = {
            partition: self._tables.state(partition)
            for partition, offset in committed.items()
            if partition not in self._offsets or self._offsets[partition] != offset
        }
        if not stale:
            return
        for partition, state in stale.items():
            self._offsets.pop(partition, None)
            state.clear()
        self._metrics.recovering.set(1)
        started = monotonic()
        log.info("recovery_started", partitions=sorted(stale))
        try:
            count = await changelog.rebuild(
                self._kafka, tuple(self._tables.tables), stale, self._count_recovered
            )
        finally:
            self._metrics.recovering.set(0)
        seconds = monotonic() - started
        self._metrics.recovery_seconds.set(seconds)
        log.info("recovery_completed", records=count, seconds=round(seconds, 3))
        for partition in stale:
            self._refuse_lost_offset(partition, committed[partition])
            self._offsets[partition] = committed[partition]

    def _count_recovered(self, topic: str, count: int) -> None:
        self._metrics.recovered_records.labels(self._tables.tables[topic].name).inc(count)

    def _refuse_lost_offset(self, partition: int, offset: int | None) -> None:
        """Rows without a committed offset mean that the group's offsets have expired."""
        if offset is None and any(
            table.partition(partition) for table in self._tables.tables.values()
        ):
            raise KafkaFaultError(
                f"Partition {partition} of {self.source} has rows in its tables, but the consumer "
                "group has no committed offset: it was deleted, or it expired while no worker ran. "
                "Reading the topic from its start would send every event again. Restore the "
                "offset with kafka-consumer-groups.sh --reset-offsets, then start the worker."
            )

    @override
    def forget(self, partition: int) -> None:
        self._offsets.pop(partition, None)


def _nothing(_: int) -> None:
    pass
