"""Recovery: read changelog partitions to their end, in chunks, read_committed.

One reader for all partitions. Each is read from where its store stands, so a store on disk needs
the tail alone. Of every stretch that was fetched only the last value per key is looked at.
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import TABLES
from riskstream.streaming.client import client_options
from riskstream.streaming.progress import RecoveryProgress

__all__ = ["Ends", "replay"]

FETCH_BYTES = 2_097_152
REQUEST_BYTES = 16_777_216
"""Of one answer of a broker, over all partitions."""
POLL_RECORDS = 10_000
"""Decoded at once. What was fetched is compressed to a fifth or less, and may hold a lot more."""
POLL_MS = 500

Ends = dict[TopicPartition, int]
log = get_logger(__name__)


async def replay(
    kafka: KafkaSettings, states: Mapping[int, PartitionState], progress: RecoveryProgress
) -> dict[int, dict[str, int]]:
    """Read into these states what their stores lack.

    The end is the last stable offset, so the producers that write these partitions must have
    been initialised before: no transaction of theirs is open then.

    Args:
        kafka: How to reach the broker.
        states: By partition number. One that is ahead of a changelog is cleared first.
        progress: Told what there is to read, and what was read.

    Returns:
        By partition number, per changelog the position up to which it was read.

    Raises:
        KafkaFaultError: A record is not one of ours, or no record came for too long.
        StateStoreError: A store did not take the rows.
    """
    wanted = [TopicPartition(topic, number) for number in states for topic in TABLES]
    # Not seek_to_beginning: called right after assign, aiokafka's own reset overtakes it.
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=REQUEST_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign(wanted)
        firsts = await consumer.beginning_offsets(wanted)
        ends: Ends = await consumer.end_offsets(wanted)
        unread = _seek(consumer, states, firsts, ends)
        progress.start(unread.values())
        await _read(consumer, states, {place: ends[place] for place in unread}, progress, kafka)
    finally:
        await consumer.stop()
    return {
        number: {topic: ends[TopicPartition(topic, number)] for topic in TABLES}
        for number in states
    }


def _seek(
    consumer: AIOKafkaConsumer,
    states: Mapping[int, PartitionState],
    firsts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Go to where each store stands; the changelogs with something to read, and how much."""
    unread: dict[TopicPartition, int] = {}
    for number, state in states.items():
        places = {topic: TopicPartition(topic, number) for topic in TABLES}
        at = state.checkpoint.changelog
        if any(at.get(topic, 0) > ends[place] for topic, place in places.items()):
            log.warning(
                "state_beyond_changelog", partition=number, note="recreated? rebuilding the rows"
            )
            state.clear()
            at = {}
        for topic, place in places.items():
            start = max(at.get(topic, 0), firsts[place])
            if start < ends[place]:
                unread[place] = ends[place] - start
                consumer.seek(place, start)
            else:
                consumer.pause(place)
    return unread


async def _read(
    consumer: AIOKafkaConsumer,
    states: Mapping[int, PartitionState],
    unread: Ends,
    progress: RecoveryProgress,
    kafka: KafkaSettings,
) -> None:
    """Read these up to their ends."""
    heard, patience = monotonic(), 2 * kafka.request_timeout_seconds
    while unread:
        fetched: Mapping[TopicPartition, Sequence[Any]] = await consumer.getmany(
            *unread, timeout_ms=POLL_MS, max_records=POLL_RECORDS
        )
        before = progress.remaining
        for place, records in fetched.items():
            latest = {record.key: record.value for record in records}
            position = records[-1].offset + 1
            states[place.partition].load_all(place.topic, latest, position)
            progress.read(place.topic, len(records))
            await asyncio.sleep(0)
        left = 0
        for place, end in list(unread.items()):
            position = await consumer.position(place)
            if position >= end:
                consumer.pause(place)
                del unread[place]
            left += max(end - position, 0)
        progress.report(left)
        if left != before:
            heard = monotonic()
        elif monotonic() - heard > patience:
            raise KafkaFaultError(
                f"Kafka at {kafka.bootstrap_servers} stopped answering: no record of "
                f"{next(iter(unread)).topic} came for {patience:.0f} s."
            )
