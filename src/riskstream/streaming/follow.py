"""Following topics from remembered positions, for who keeps them with what was read.

Nothing is committed to Kafka: the caller stores positions and records together.
"""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from structlog import get_logger

from riskstream.config import Settings
from riskstream.contract.acls import Acl, Operation, Resource
from riskstream.streaming.admin import describe_topics
from riskstream.streaming.client import client_options, kafka_faults, missing_topics
from riskstream.streaming.reader import FETCH_BYTES
from riskstream.streaming.rights import check_rights

__all__ = ["Fetched", "Place", "follow_from"]

Place = tuple[str, int]
"""Topic and partition."""

POLL_MS = 400
LOOK_AGAIN_SECONDS = 30.0
"""For topics and partitions that were made since."""

log = get_logger(__name__)


@dataclass(slots=True)
class Fetched:
    """What one look brought, empty when there was nothing new."""

    records: list[ConsumerRecord] = field(default_factory=list)
    before: dict[Place, int | None] = field(default_factory=dict)
    """The remembered position of each partition that moved; None where there was none."""
    after: dict[Place, int] = field(default_factory=dict)
    """Its position now, past control records as well."""
    lag: int = 0
    """Offsets between all positions and the ends, as far as they are known."""


async def follow_from(
    settings: Settings,
    topics: Sequence[str],
    positions: Mapping[Place, int],
    *,
    required: Sequence[str] = (),
    most: int = 5000,
) -> AsyncGenerator[Fetched, None]:
    """Yield what stands at and after these positions, committed records only, for ever.

    A partition without a position is read from its beginning, and so is one whose position lies
    outside its log: because records were deleted, or because the topic was made anew.

    Args:
        settings: Where Kafka is.
        topics: Those that do not exist are looked for again.
        positions: The offset to go on from.
        required: Must exist.
        most: Records in one look.

    Raises:
        KafkaFaultError: Kafka cannot be reached, lacks a required topic or does not give a right.
    """
    kafka = settings.kafka
    kept: dict[Place, int] = dict(positions)
    await check_rights(kafka, [_right(name) for name in topics])
    there = await _partitions(settings, topics)
    if missing := [name for name in required if name not in {place.topic for place in there}]:
        raise missing_topics(kafka, missing)
    async with kafka_faults(kafka):
        consumer = AIOKafkaConsumer(
            **client_options(kafka),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            await consumer.start()
            await _assign(consumer, there, kept)
            looked = time.monotonic()
            while True:
                yield await _fetch(consumer, kept, most)
                if time.monotonic() - looked > LOOK_AGAIN_SECONDS:
                    looked = time.monotonic()
                    found = await _partitions(settings, topics)
                    if set(found) - set(there):
                        there = found
                        await _assign(consumer, there, kept)
        finally:
            await consumer.stop()


def _right(topic: str) -> Acl:
    return Acl(Resource.TOPIC, topic, Operation.READ, "it is followed")


async def _partitions(settings: Settings, topics: Sequence[str]) -> list[TopicPartition]:
    found = await describe_topics(settings.kafka, topics)
    return [
        TopicPartition(name, number)
        for name in topics
        if name in found
        for number in range(found[name].partitions)
    ]


async def _assign(
    consumer: AIOKafkaConsumer, there: list[TopicPartition], kept: Mapping[Place, int]
) -> None:
    consumer.assign(there)
    if not there:
        return
    begins = await consumer.beginning_offsets(there)
    ends = await consumer.end_offsets(there)
    for place in there:
        wanted = kept.get((place.topic, place.partition))
        if wanted is None:
            continue
        if begins[place] <= wanted <= ends[place]:
            consumer.seek(place, wanted)
            continue
        log.warning(
            "position_outside_log",
            topic=place.topic,
            partition=place.partition,
            position=wanted,
            begin=begins[place],
            end=ends[place],
            detail="read from the beginning of what there is",
        )


async def _fetch(consumer: AIOKafkaConsumer, kept: dict[Place, int], most: int) -> Fetched:
    batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=most)
    fetched = Fetched()
    for records in batches.values():
        fetched.records += records
    for place in consumer.assignment():
        name = (place.topic, place.partition)
        position = await consumer.position(place)
        if kept.get(name) != position:
            fetched.before[name] = kept.get(name)
            fetched.after[name] = kept[name] = position
        fetched.lag += max((consumer.highwater(place) or 0) - position, 0)
    return fetched
