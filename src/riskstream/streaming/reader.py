"""Reading topics without a consumer group: nothing is committed, nobody else is disturbed.

``read_committed`` by default, so that what an aborted transaction left behind is never shown.
The end is found by comparing positions with end offsets: control records leave gaps, so the
offset of the last record says nothing.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from riskstream.config import Settings
from riskstream.contract.acls import Operation
from riskstream.errors import KafkaFaultError
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults

__all__ = ["Isolation", "Since", "Start", "Tail", "assigned", "read", "read_one"]

Isolation = Literal["read_committed", "read_uncommitted"]
POLL_MS = 500
POLL_RECORDS = 1000
FETCH_BYTES = 4_194_304
"""Holds the largest record of any of our topics, so that none blocks the reading."""


@dataclass(frozen=True, slots=True)
class Since:
    """Begin with records whose Kafka timestamp is at or after this."""

    ms: int
    """Epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Begin so many offsets before the end of each partition.

    Control records of transactions count, so fewer records than that may come.
    """

    offsets: int


Start = Since | Tail


async def read(
    settings: Settings,
    topics: Sequence[str],
    *,
    follow: bool = False,
    start: Start | None = None,
    isolation: Isolation = "read_committed",
) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield the records of these topics, in order within each partition.

    Args:
        settings: Where Kafka is.
        topics: All of them must exist.
        follow: Go on at the end and wait for more; otherwise stop at the end that the
            partitions had when the reading began.
        start: Where to begin; without it at the beginning of each partition.
        isolation: ``read_committed`` leaves out open and aborted transactions.

    Raises:
        KafkaFaultError: Kafka cannot be reached, lacks a topic or stops answering.
    """
    async with assigned(settings, topics, isolation) as (consumer, partitions):
        ends = await consumer.end_offsets(partitions)
        await _seek(consumer, partitions, ends, start)
        records = _records(settings, consumer, None if follow else ends)
        async with aclosing(records) as stream:
            async for record in stream:
                yield record


async def read_one(
    settings: Settings, topic: str, partition: int, offset: int
) -> ConsumerRecord | None:
    """The record at exactly this place; None when there is none (any more).

    Raises:
        KafkaFaultError: Kafka cannot be reached or lacks the topic.
    """
    async with assigned(settings, [topic], "read_committed") as (consumer, partitions):
        place = TopicPartition(topic, partition)
        if place not in partitions:
            return None
        consumer.assign([place])
        bounds = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
        if not bounds[0][place] <= offset < bounds[1][place]:
            return None
        consumer.seek(place, offset)
        async with aclosing(_records(settings, consumer, {place: offset + 1})) as stream:
            async for record in stream:
                return record if record.offset == offset else None
    return None


@asynccontextmanager
async def assigned(
    settings: Settings, topics: Sequence[str], isolation: Isolation
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """A consumer of no group with all partitions of these topics, at their beginnings.

    Raises:
        KafkaFaultError: Kafka cannot be reached or lacks a topic.
    """
    kafka = settings.kafka
    found = await require_topics(kafka, topics, Operation.READ)
    partitions = [
        TopicPartition(name, number) for name in topics for number in range(found[name].partitions)
    ]
    async with kafka_faults(kafka):
        consumer = AIOKafkaConsumer(
            **client_options(kafka),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            await consumer.start()
            consumer.assign(partitions)
            yield consumer, partitions
        finally:
            await consumer.stop()


async def _seek(
    consumer: AIOKafkaConsumer,
    partitions: list[TopicPartition],
    ends: Mapping[TopicPartition, int],
    start: Start | None,
) -> None:
    """Move to where the reading begins; the log's start needs no seek (and a seek would race)."""
    if isinstance(start, Since):
        places = await consumer.offsets_for_times(dict.fromkeys(partitions, max(start.ms, 0)))
        for partition in partitions:
            place = places.get(partition)
            consumer.seek(partition, ends[partition] if place is None else place.offset)
    elif isinstance(start, Tail):
        begins = await consumer.beginning_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, max(begins[partition], ends[partition] - start.offsets))


async def _records(
    settings: Settings, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int] | None
) -> AsyncGenerator[ConsumerRecord, None]:
    """Records up to these ends, or for ever without any."""
    patience = settings.kafka.request_timeout_seconds
    heard = time.monotonic()
    left = None if ends is None else {p: end for p, end in ends.items() if end > 0}
    while left is None or left:
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        for partition, records in batches.items():
            for record in records:
                if left is None or record.offset < ends[partition]:  # type: ignore[index]
                    yield record
        if left is not None:
            before = dict(left)
            for partition in before:
                if await consumer.position(partition) >= left[partition]:
                    consumer.pause(partition)
                    del left[partition]
            if batches or left != before:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise KafkaFaultError(
                    f"Kafka at {settings.kafka.bootstrap_servers} stopped answering: "
                    f"no record of {next(iter(left)).topic} came for {patience:.0f} s."
                )
