"""Reading a span of time from a topic, its partitions merged into one order of time."""

import heapq
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.streaming.reader import assigned

__all__ = ["TimeMerge", "TimeSpan", "read_span"]

POLL_MS = 500
MOST_HELD = 4000
"""Records of a partition that wait for those of others, before it is paused."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """By Kafka's timestamps, epoch milliseconds; ``to_ms`` is not in it."""

    from_ms: int
    to_ms: int


class TimeMerge:
    """Records of several partitions in the order of (timestamp, partition, offset).

    Nothing leaves while a partition that is not at its end has nothing waiting, since its next
    record may be older. Within a partition the order of offsets stays.
    """

    def __init__(self, partitions: Mapping[TopicPartition, int]) -> None:
        self._open = set(partitions)
        self._starved = set(partitions)
        """Those that may bring more and have nothing waiting."""
        self._waiting: dict[TopicPartition, deque[ConsumerRecord]] = {
            place: deque() for place in partitions
        }
        self._heads: list[tuple[int, int, int, TopicPartition]] = []

    @property
    def unfinished(self) -> bool:
        """Whether something is still to come, from Kafka or from here."""
        return bool(self._open or self._heads)

    def held(self, place: TopicPartition) -> int:
        """Records that wait."""
        return len(self._waiting[place])

    def put(self, place: TopicPartition, records: list[ConsumerRecord]) -> None:
        """Take the next records of a partition."""
        queue = self._waiting[place]
        if not queue and records:
            self._head(place, records[0])
            self._starved.discard(place)
        queue.extend(records)

    def end(self, place: TopicPartition) -> None:
        """No more will come from there."""
        self._open.discard(place)
        self._starved.discard(place)

    def take(self, most: int) -> list[ConsumerRecord]:
        """The next records, at most so many, as far as their order is known."""
        taken: list[ConsumerRecord] = []
        while self._heads and not self._starved and len(taken) < most:
            *_, place = heapq.heappop(self._heads)
            queue = self._waiting[place]
            taken.append(queue.popleft())
            if queue:
                self._head(place, queue[0])
            elif place in self._open:
                self._starved.add(place)
        return taken

    def _head(self, place: TopicPartition, record: ConsumerRecord) -> None:
        heapq.heappush(self._heads, (record.timestamp, record.partition, record.offset, place))


async def read_span(
    settings: Settings,
    topic: str,
    span: TimeSpan,
    chunk_records: int,
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Yield the records of a span, merged by time, in lists of at most so many.

    Reads without a group. The span ends where the partitions ended when the reading began.

    Args:
        settings: Where Kafka is.
        topic: It must exist.
        span: Of time.
        chunk_records: Most records of a list.

    Raises:
        KafkaFaultError: Kafka cannot be reached, lacks the topic or stops answering.
    """
    async with assigned(settings, [topic], "read_committed") as (consumer, partitions):
        begins, ends = await _bounds(consumer, partitions, span)
        merge = TimeMerge(ends)
        for place in partitions:
            if place in ends:
                consumer.seek(place, begins[place])
            else:
                consumer.pause(place)
        async for _ in _fetched(settings, consumer, ends, merge):
            while chunk := merge.take(chunk_records):
                yield chunk


async def _bounds(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], span: TimeSpan
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """First offset and the one after the last, of the partitions that have any in the span."""
    last = await consumer.end_offsets(partitions)
    first = await consumer.offsets_for_times(dict.fromkeys(partitions, max(span.from_ms, 0)))
    after = await consumer.offsets_for_times(dict.fromkeys(partitions, max(span.to_ms, 0)))
    begins = {p: last[p] if first.get(p) is None else first[p].offset for p in partitions}
    ends = {p: last[p] if after.get(p) is None else after[p].offset for p in partitions}
    return begins, {place: end for place, end in ends.items() if end > begins[place]}


async def _fetched(
    settings: Settings,
    consumer: AIOKafkaConsumer,
    ends: Mapping[TopicPartition, int],
    merge: TimeMerge,
) -> AsyncGenerator[None, None]:
    """Fill the merge until all partitions are at their ends; yields when there is more in it."""
    patience = settings.kafka.request_timeout_seconds
    heard = time.monotonic()
    left, paused = set(ends), set[TopicPartition]()
    while left:
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_HELD)
        for place, records in batches.items():
            merge.put(place, [record for record in records if record.offset < ends[place]])
        for place in list(left - paused):
            if await consumer.position(place) >= ends[place]:
                merge.end(place)
                left.remove(place)
                consumer.pause(place)
                heard = time.monotonic()
            elif merge.held(place) >= MOST_HELD:
                consumer.pause(place)
                paused.add(place)
        yield
        for place in [one for one in paused if merge.held(one) < MOST_HELD // 2]:
            consumer.resume(place)
            paused.remove(place)
        if batches:
            heard = time.monotonic()
        elif time.monotonic() - heard > patience:
            raise KafkaFaultError(
                f"Kafka at {settings.kafka.bootstrap_servers} stopped answering: "
                f"no record of {next(iter(left)).topic} came for {patience:.0f} s."
            )
