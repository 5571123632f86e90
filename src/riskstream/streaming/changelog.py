"""Recovery: read changelog partitions to their end, in chunks, read_committed."""

from collections.abc import Callable, Mapping
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.pipeline.state import PartitionState
from riskstream.streaming.client import client_options

__all__ = ["rebuild"]

FETCH_BYTES = 4_194_304
PROGRESS_SECONDS = 2.0

log = get_logger(__name__)


async def rebuild(
    kafka: KafkaSettings,
    changelogs: tuple[str, ...],
    states: Mapping[int, PartitionState],
    on_read: Callable[[str, int], None],
) -> int:
    """Load the changelog partitions of ``states`` into them, which must be empty.

    The end is the last stable offset, so the producers that write these partitions must have
    been initialised before: no transaction of theirs is open then.

    Args:
        kafka: How to reach the broker.
        changelogs: The topics to read.
        states: Empty state by partition number.
        on_read: Told topic and number of records as they are read.

    Returns:
        Number of records read.
    """
    wanted = [TopicPartition(topic, number) for topic in changelogs for number in states]
    # Not seek_to_beginning: called right after assign, aiokafka's own reset overtakes it.
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign(wanted)
        ends = await consumer.end_offsets(wanted)
        total = sum(ends.values())
        unread = {partition for partition in wanted if ends[partition] > 0}
        count, started = 0, monotonic()
        reported = started
        while True:
            for partition in list(unread):
                if await consumer.position(partition) >= ends[partition]:
                    unread.discard(partition)
                    consumer.pause(partition)
            if not unread:
                return count
            fetched = await consumer.getmany(*unread, timeout_ms=500)
            for partition, records in fetched.items():
                load = states[partition.partition].load
                for record in records:
                    load(record.topic, record.key, record.value)
                count += len(records)
                on_read(partition.topic, len(records))
            if monotonic() - reported >= PROGRESS_SECONDS:
                reported = monotonic()
                log.info("recovery_progress", records=count, log_length=total)
    finally:
        await consumer.stop()
