"""The two hops as the shell sees them: a chunk of records in, work to commit out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
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
from riskstream.pipeline.assess import Assess, Assessment
from riskstream.pipeline.ingest import Ingest, Ingested
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.pipeline.store import Checkpoint
from riskstream.streaming.changelog import replay
from riskstream.streaming.progress import RecoveryProgress
from riskstream.streaming.tables import StateTables
from riskstream.streaming.tail import SeenIds
from riskstream.views.render import Rendered

__all__ = ["AssessStage", "IngestStage", "Processing", "Stage", "Work"]

log = get_logger(__name__)


class Work(NamedTuple):
    """What one chunk leads to."""

    outputs: Sequence[Output]
    changelog: Sequence[Output]
    tally: Tally
    apply: Callable[[int, Mapping[str, int]], None]
    """Called once the unit is committed, and never otherwise: with the committed offset, and per
    changelog topic the position after the last row written, where known."""


class Processing(Protocol):
    """The pure work on one chunk, under way. Changes nothing."""

    def feed(self, records: Sequence[Record]) -> None:
        """Work on some more records of the chunk."""

    def finish(self) -> Work:
        """What the records lead to; nothing may be fed after it."""


class Stage(Protocol):
    """A hop's pure work with the state that it needs."""

    source: str
    """Topic that it reads."""

    def begin(self, partition: int, records: Sequence[Record]) -> Processing:
        """Begin a chunk: these records are then fed in their order, in pieces of any size."""

    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """Make the state of exactly these partitions that of their committed offsets."""

    def forget(self, partition: int) -> None:
        """The state of this partition may be wrong: rebuild it before it is used again."""

    def retain(self, partitions: Collection[int]) -> None:
        """Let go of what belongs to any other partition, so that another process may have it."""

    @property
    def recovery(self) -> dict[str, float | None] | None:
        """How far ``recover`` has come; None while it does not run."""
        return None


class IngestStage(Stage):
    """Raw records to classified events and dead letters. Stateless."""

    source = topics.RAW

    def __init__(self, ingest: Ingest, refresh: Callable[[], None] | None = None) -> None:
        self._ingest = ingest
        self._refresh = refresh
        """Looks after reference data, before each chunk."""

    @override
    def begin(self, partition: int, records: Sequence[Record]) -> "_Ingesting":
        if self._refresh is not None:
            self._refresh()
        return _Ingesting(self._ingest)

    @override
    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """There is no state."""

    @override
    def forget(self, partition: int) -> None:
        """There is no state."""

    @override
    def retain(self, partitions: Collection[int]) -> None:
        """There is no state."""


class AssessStage(Stage):
    """Classified events to scored ones, and the rows of the tables."""

    source = topics.CLASSIFIED

    def __init__(  # noqa: PLR0913  (wired in one place, by name)
        self,
        assess: Assess,
        tables: StateTables,
        kafka: KafkaSettings,
        metrics: Metrics,
        *,
        prefetch: bool = False,
        seen: SeenIds | None = None,
        views: Callable[[Sequence[Output]], Rendered] | None = None,
    ) -> None:
        self.seen = seen or SeenIds(kafka, self.source, metrics, None)
        self._assess = assess
        self._tables = tables
        self._kafka = kafka
        self._metrics = metrics
        self._prefetch = prefetch
        self._views = views
        self._recovery: RecoveryProgress | None = None
        self.refresh: Callable[[], None] | None = None
        """Looks after the policy, before each chunk."""

    def use(self, assess: Assess) -> None:
        """Assess the chunks that begin from now on by another policy."""
        self._assess = assess

    @override
    def begin(self, partition: int, records: Sequence[Record]) -> "_Assessing":
        if self.refresh is not None:
            self.refresh()
        state = self._tables.state(partition)
        if self._prefetch:
            keys = (record.key for record in records if record.key is not None)
            state.prefetch(key.decode(errors="replace") for key in keys)
        timestamp = records[-1].timestamp if records else None
        seen = self.seen.of(partition)
        assessment = self._assess.begin(state, seen)
        apply = partial(self._apply, partition, state)
        if self._views is None:
            return _Assessing(assessment, timestamp, apply)
        return _Viewing(assessment, timestamp, apply, self._views, self._metrics)

    def _apply(
        self,
        partition: int,
        state: PartitionState,
        changes: Changes,
        offset: int,
        written: Mapping[str, int],
    ) -> None:
        state.apply(changes, offset, written)
        self.seen.apply(partition, offset, changes.seen)

    @override
    async def recover(self, committed: Mapping[int, int | None]) -> None:
        self._tables.keep_only(committed)
        await self.seen.recover(committed)
        stale: dict[int, PartitionState] = {}
        found: dict[str, list[int]] = {"kept": [], "behind": [], "rebuilt": []}
        for partition, offset in committed.items():
            state = await self._tables.open(partition)
            found[_prepare(partition, state, offset)].append(partition)
            if not _stands_for(state.checkpoint, offset):
                stale[partition] = state
        if not stale:
            log.info("state_kept", partitions=sorted(committed))
            return
        await self._replay(stale, committed, found)
        for partition, state in stale.items():
            self._refuse_lost_offset(partition, committed[partition], state)

    async def _replay(
        self,
        stale: Mapping[int, PartitionState],
        committed: Mapping[int, int | None],
        found: Mapping[str, list[int]],
    ) -> None:
        names = {topic: table.name for topic, table in self._tables.tables.items()}
        self._recovery = progress = RecoveryProgress(self._metrics, names)
        self._metrics.recovering.set(1)
        started = monotonic()
        log.info("recovery_started", **found)
        try:
            positions = await replay(self._kafka, stale, progress)
            for partition, state in stale.items():
                state.recovered(committed[partition], positions[partition])
        finally:
            self._metrics.recovering.set(0)
            self._recovery = None
        seconds = monotonic() - started
        self._metrics.recovery_seconds.set(seconds)
        log.info(
            "recovery_completed",
            records=progress.records,
            seconds=round(seconds, 3),
            records_per_second=round(progress.rate),
        )

    def _refuse_lost_offset(
        self, partition: int, offset: int | None, state: PartitionState
    ) -> None:
        """Rows without a committed offset mean that the group's offsets have expired."""
        if offset is None and any(state.checkpoint.counts.values()):
            raise KafkaFaultError(
                f"Partition {partition} of {self.source} has rows in its tables, but the consumer "
                "group has no committed offset: it was deleted, or it expired while no worker ran. "
                "Reading the topic from its start would send every event again. Restore the "
                "offset with kafka-consumer-groups.sh --reset-offsets, then start the worker."
            )

    def state(self, partition: int) -> PartitionState:
        """Rows of one partition that is ours, as committed.

        Raises:
            KeyError: It is not ours.
        """
        return self._tables.state(partition)

    @property
    @override
    def recovery(self) -> dict[str, float | None] | None:
        progress = self._recovery or self.seen.progress
        return None if progress is None else progress.as_dict()

    @override
    def forget(self, partition: int) -> None:
        self._tables.close(partition)
        self.seen.forget(partition)

    @override
    def retain(self, partitions: Collection[int]) -> None:
        self._tables.keep_only(partitions)
        self.seen.retain(partitions)


class _Ingesting(Processing):
    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._ingested = Ingested([], Tally())

    @override
    def feed(self, records: Sequence[Record]) -> None:
        self._ingest.feed(records, self._ingested)

    @override
    def finish(self) -> Work:
        outputs, tally = self._ingested
        return Work(outputs, (), tally, _nothing)


class _Assessing(Processing):
    def __init__(
        self,
        assessment: Assessment,
        timestamp: int | None,
        apply: Callable[[Changes, int, Mapping[str, int]], None],
    ) -> None:
        self._assessment = assessment
        self._timestamp = timestamp
        self._apply = apply

    @override
    def feed(self, records: Sequence[Record]) -> None:
        self._assessment.feed(records)

    @override
    def finish(self) -> Work:
        outputs, changes, tally = self._assessment.finish()
        changelog = changes.changelog(self._timestamp)
        return Work(outputs, changelog, tally, partial(self._apply, changes))


class _Viewing(_Assessing):
    """The same with views of what is scored, made in the same slices."""

    def __init__(
        self,
        assessment: Assessment,
        timestamp: int | None,
        apply: Callable[[Changes, int, Mapping[str, int]], None],
        views: Callable[[Sequence[Output]], Rendered],
        metrics: Metrics,
    ) -> None:
        super().__init__(assessment, timestamp, apply)
        self._views = views
        self._metrics = metrics
        self._viewed = 0
        self._rendered: list[Output] = []

    @override
    def feed(self, records: Sequence[Record]) -> None:
        super().feed(records)
        outputs = self._assessment.outputs
        made = self._views(outputs[self._viewed :])
        self._viewed = len(outputs)
        self._rendered += made.outputs
        for ident, fault in made.faults:
            self._metrics.view_failures.inc()
            log.error("view_failed", id=ident, fault=fault, note="a bug; please report it")

    @override
    def finish(self) -> Work:
        work = super().finish()
        return work._replace(outputs=[*work.outputs, *self._rendered])


def _stands_for(checkpoint: Checkpoint, offset: int | None) -> bool:
    return checkpoint.whole and checkpoint.offset == offset


def _prepare(partition: int, state: PartitionState, offset: int | None) -> str:
    """Compare the rows with the committed offset; rows that are ahead of it are thrown away."""
    checkpoint = state.checkpoint
    if _stands_for(checkpoint, offset):
        return "kept"
    if checkpoint.offset is not None and (offset is None or checkpoint.offset > offset):
        log.warning(
            "state_ahead",
            partition=partition,
            state_offset=checkpoint.offset,
            committed_offset=offset,
            note="the group's offset was moved back; the rows are rebuilt",
        )
        state.clear()
    return "behind" if state.checkpoint.changelog else "rebuilt"


def _nothing(_: int, __: Mapping[str, int]) -> None:
    pass
