"""The unit of work: what one chunk leads to, committed together or not at all."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.events.record import Output
from riskstream.streaming.client import client_options
from riskstream.streaming.partitioner import partition_of

__all__ = ["CLOSE_SECONDS", "Sender", "UnitOfWork"]

BATCH_BYTES = 524_288
"""Most bytes of one produced batch before compression; below every topic's largest message,
which Kafka checks per batch."""
REQUEST_BYTES = 8_388_608
CLOSE_SECONDS = 5.0
"""A producer that does not abort or close within this time is left to Kafka's own timeouts."""

log = get_logger(__name__)


class UnitOfWork(Protocol):
    """Commits one chunk after another of one partition."""

    async def open(self) -> None:
        """Become the one who may commit for this partition."""

    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> Mapping[str, int]:
        """Write all of it, then the source offset.

        Returns:
            Per changelog topic the position after the last row written, where Kafka told it.

        Raises:
            KafkaError: Nothing of it may be relied on; the caller must give the partition up.
            TimeoutError: The same.
        """

    async def close(self) -> None:
        """Let go, within bounded time."""


class Sender:
    """A producer that is handed whole batches: one future per batch, none per record."""

    def __init__(self, kafka: KafkaSettings, **options: Any) -> None:
        self.producer = AIOKafkaProducer(
            **client_options(kafka),
            compression_type=None if kafka.compression == "none" else kafka.compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
            linger_ms=0,
            **options,
        )
        self._partitions: dict[str, int] = {}

    async def send(
        self, outputs: Sequence[Output], changelog: Sequence[Output], partition: int
    ) -> dict[str, int]:
        """Send, and return when the broker has acknowledged everything.

        Args:
            outputs: Go where their key belongs.
            changelog: Rows; go to the partition that they were read from.
            partition: That partition.

        Returns:
            Per changelog topic the position after its last row. Absent where the broker did not
            tell: it does not know any more where a batch lies that was sent to it twice.
        """
        counts = await self._partition_counts(outputs)
        batches: dict[TopicPartition, list[Output]] = defaultdict(list)
        for output in outputs:
            number = partition_of(output.key, counts[output.topic])
            batches[TopicPartition(output.topic, number)].append(output)
        for row in changelog:
            batches[TopicPartition(row.topic, partition)].append(row)
        ready = [
            (number, destination, batch)
            for destination, records in batches.items()
            for number, batch in enumerate(self._batches(records))
        ]
        # The first of each partition, then the second: all partitions are made known at once.
        ready.sort(key=itemgetter(0))
        sent = [
            (destination.topic, batch.record_count(), await self._send(batch, destination))
            for _, destination, batch in ready
        ]
        placed = await asyncio.gather(*(future for _, _, future in sent))
        rows = {row.topic for row in changelog}
        positions: dict[str, int] = {}
        for (topic, count, _), place in zip(sent, placed, strict=True):
            if topic in rows and place.offset >= 0:
                positions[topic] = max(positions.get(topic, 0), place.offset + count)
        return positions

    async def stop(self) -> None:
        """Stop the producer, within bounded time."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.producer.stop()
        except (KafkaError, TimeoutError) as fault:
            log.warning("producer_close_failed", error=repr(fault))

    async def _partition_counts(self, outputs: Sequence[Output]) -> dict[str, int]:
        for topic in {output.topic for output in outputs} - self._partitions.keys():
            self._partitions[topic] = len(await self.producer.partitions_for(topic))
        return self._partitions

    def _batches(self, records: Sequence[Output]) -> list[Any]:
        batch = self.producer.create_batch()
        batches = [batch]
        for _topic, key, value, headers, timestamp in records:
            put = {"key": key, "value": value, "timestamp": timestamp, "headers": list(headers)}
            if batch.append(**put) is None:
                batch = self.producer.create_batch()
                batches.append(batch)
                batch.append(**put)
        return batches

    async def _send(self, batch: Any, destination: TopicPartition) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self.producer.send_batch(
            batch, destination.topic, partition=destination.partition
        )
        return future
