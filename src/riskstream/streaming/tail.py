"""The duplicate filters of the partitions that are ours, filled from the tail of their log.

The classified log is the filter's only store. On an assignment the records before the committed
offset are read again, as far back as the filter looks. The tail begins at the first record whose
Kafka timestamp lies in the window, and a record counts with its received time or its Kafka
timestamp, whichever is earlier: so nothing before the tail can count, and the filter is exactly
what it was. Two things may cut the tail short. More than ``duplicates.max_ids_per_partition``
offsets are never read; then the watermark at the tail's start is that of the 2,000 records before
it. And what Kafka has deleted is forgotten.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.assess import remember
from riskstream.pipeline.duplicates import PROBE_OFFSETS, DuplicateFilter, Sightings
from riskstream.streaming.client import client_options
from riskstream.streaming.progress import RecoveryProgress

__all__ = ["SeenIds"]

FETCH_BYTES = 4_194_304
POLL_MS = 500
PROBE_GROWTH = 16
"""A probe that finds no record looks so many times further back."""

Offsets = Mapping[TopicPartition, int]
NewFilter = Callable[[], DuplicateFilter]

log = get_logger(__name__)


class SeenIds:
    """What was seen in each partition up to its committed offset.

    Args:
        kafka: How to reach the broker.
        topic: The classified topic.
        metrics: Counts what is read again.
        new_filter: Makes an empty filter; without it there are none, and nothing is read.
    """

    def __init__(
        self, kafka: KafkaSettings, topic: str, metrics: Metrics, new_filter: NewFilter | None
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._metrics = metrics
        self._new_filter = new_filter
        self._filters: dict[int, DuplicateFilter] = {}
        self._offsets: dict[int, int] = {}
        """Committed offset that a partition's filter stands for. Absent: there is none."""
        self.progress: RecoveryProgress | None = None
        """How far ``recover`` has come; None while it reads nothing."""

    def of(self, partition: int) -> DuplicateFilter | None:
        """A partition's filter; None where nothing is filtered."""
        return self._filters.get(partition)

    def apply(self, partition: int, offset: int, seen: Sightings | None) -> None:
        """Take over what a chunk has seen, now that its offset is committed."""
        held = self._filters.get(partition)
        if seen is not None and held is not None:
            held.apply(seen)
        if seen is None or held is not None:
            self._offsets[partition] = offset

    def forget(self, partition: int) -> None:
        """The filter of this partition may be wrong: fill it again before it is used."""
        self._filters.pop(partition, None)
        self._offsets.pop(partition, None)

    def retain(self, partitions: Collection[int]) -> None:
        """Let go of the filters of all other partitions."""
        for partition in self._offsets.keys() - set(partitions):
            self.forget(partition)

    def counts(self) -> dict[str, float]:
        """Ids held per partition, for the metrics."""
        return {str(partition): float(len(held)) for partition, held in self._filters.items()}

    def spare(self) -> dict[int, int]:
        """Per partition the offset below which nobody needs the log any more."""
        return {
            partition: offset if held is None else held.tail(offset)
            for partition, offset in self._offsets.items()
            for held in (self.of(partition),)
        }

    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """Make the filters of exactly these partitions those of their committed offsets.

        Raises:
            KafkaFaultError: Kafka stopped answering.
            KafkaError: Kafka is not reachable.
        """
        offsets = {partition: offset or 0 for partition, offset in committed.items()}
        for partition in [p for p, at in self._offsets.items() if offsets.get(p) != at]:
            self.forget(partition)
        missing = {p: offset for p, offset in offsets.items() if p not in self._offsets}
        if self._new_filter is not None:
            filters = {partition: self._new_filter() for partition in missing}
            await self._fill(filters, missing, self._new_filter)
            self._filters.update(filters)
        self._offsets.update(missing)

    async def _fill(
        self,
        filters: Mapping[int, DuplicateFilter],
        committed: Mapping[int, int],
        new_filter: NewFilter,
    ) -> None:
        ends = {TopicPartition(self._topic, p): at for p, at in committed.items() if at > 0}
        if not ends:
            return
        self.progress = progress = RecoveryProgress(self._metrics, {self._topic: "seen_ids"})
        self._metrics.recovering.set(1)
        started = monotonic()
        try:
            async with aclosing(_Reader(self._kafka, ends)) as reader:
                await reader.start()
                starts = await _tails(reader, new_filter)
                progress.start(max(ends[place] - start, 0) for place, start in starts.items())
                async for place, records in reader.read(starts):
                    remember(records, filters[place.partition])
                    progress.read(self._topic, len(records))
                    progress.report(reader.remaining)
                progress.report(0)
        finally:
            self._metrics.recovering.set(0)
            self.progress = None
        log.info(
            "seen_ids_recovered",
            partitions=sorted(place.partition for place in ends),
            records=progress.records,
            ids=sum(map(len, filters.values())),
            seconds=round(monotonic() - started, 3),
        )


async def _tails(reader: "_Reader", new_filter: NewFilter) -> dict[TopicPartition, int]:
    """Where each partition's tail begins; without those that have no record."""
    probes = await _probe(reader, new_filter)
    since = {place: probe.since_ms for place, probe in probes.items()}
    by_time = await reader.offsets_for_times(since)
    return {
        place: max(
            reader.firsts[place],
            by_time[place],
            probe.first_offset(reader.ends[place]),
        )
        for place, probe in probes.items()
    }


async def _probe(reader: "_Reader", new_filter: NewFilter) -> dict[TopicPartition, DuplicateFilter]:
    """Filters of each partition's last records alone: they show the watermark, or a bit less."""
    probes: dict[TopicPartition, DuplicateFilter] = {}
    unknown, depth = set(reader.ends), PROBE_OFFSETS
    while unknown:
        starts = {place: max(reader.firsts[place], reader.ends[place] - depth) for place in unknown}
        async for place, records in reader.read(starts):
            remember(records, probes.setdefault(place, new_filter()))
        unknown = {
            place
            for place in unknown
            if starts[place] > reader.firsts[place]
            and not (place in probes and probes[place].buckets)
        }
        depth *= PROBE_GROWTH
    return probes


class _Reader:
    """Reads partitions up to their committed offsets, read_committed, more than once.

    Args:
        kafka: How to reach the broker.
        ends: By partition.
    """

    def __init__(self, kafka: KafkaSettings, ends: Offsets) -> None:
        self._patience = kafka.request_timeout_seconds
        self._consumer = AIOKafkaConsumer(
            **client_options(kafka),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        self.ends = ends
        self.remaining = 0
        """Offsets that ``read`` has still to pass."""
        self.firsts: dict[TopicPartition, int] = {}
        """First offset that the log still has."""

    async def start(self) -> None:
        """Connect; nothing is read yet."""
        await self._consumer.start()
        places = list(self.ends)
        self._consumer.assign(places)
        self._consumer.pause(*places)
        self.firsts = await self._consumer.beginning_offsets(places)

    async def aclose(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def offsets_for_times(self, since: Offsets) -> dict[TopicPartition, int]:
        """The first offsets at or after these times; the end where there is none."""
        if not since:
            return {}
        found = await self._consumer.offsets_for_times(since)
        return {
            place: self.ends[place] if found.get(place) is None else found[place].offset
            for place in since
        }

    async def read(self, starts: Offsets) -> AsyncIterator[tuple[TopicPartition, Sequence[Any]]]:
        """Yield the records from these offsets to the ends, in order within each partition."""
        consumer, ends = self._consumer, self.ends
        unread = {place for place, start in starts.items() if start < ends[place]}
        for place in unread:
            consumer.seek(place, starts[place])
            consumer.resume(place)
        heard = monotonic()
        while unread:
            fetched = await consumer.getmany(*unread, timeout_ms=POLL_MS)
            positions = {place: await consumer.position(place) for place in unread}
            self.remaining = sum(max(ends[place] - at, 0) for place, at in positions.items())
            for place, records in fetched.items():
                yield place, [record for record in records if record.offset < ends[place]]
            done = {place for place, at in positions.items() if at >= ends[place]}
            for place in done:
                consumer.pause(place)
            unread -= done
            if fetched or done:
                heard = monotonic()
            elif monotonic() - heard > self._patience:
                raise KafkaFaultError(
                    f"Kafka stopped answering: no record of {next(iter(unread)).topic} came for "
                    f"{self._patience:.0f} s while the duplicate filter was filled."
                )
