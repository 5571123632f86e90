"""The unit of work: what one chunk leads to, committed together or not at all."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from structlog import get_logger
from typing_extensions import override

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.events.record import Output
from riskstream.streaming.client import client_options
from riskstream.streaming.partitioner import partition_of

__all__ = ["TransactionalUnit", "UnitOfWork"]

BATCH_BYTES = 524_288
"""Most bytes of one produced batch before compression; below every topic's largest message,
which Kafka checks per batch."""
REQUEST_BYTES = 8_388_608
ABORT_SECONDS = 5.0

log = get_logger(__name__)


class UnitOfWork(Protocol):
    """Commits one chunk after another of one partition."""

    async def open(self) -> None:
        """Become the only one who may commit for this partition; fences any former owner."""

    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> None:
        """Write all of it and the source offset, together or not at all.

        Raises:
            KafkaError: Nothing of it may be relied on; the caller must give the partition up.
        """

    async def close(self) -> None:
        """Let go, within bounded time. An open transaction is aborted."""


class TransactionalUnit(UnitOfWork):
    """exactly_once: one Kafka transaction per chunk.

    Fencing is by ``transactional.id`` alone (aiokafka speaks no group metadata), hence one
    producer for each hop and source partition, opened anew on every assignment.
    """

    def __init__(self, settings: Settings, *, transactional_id: str, group: str) -> None:
        self._settings = settings
        self._id = transactional_id
        self._group = group
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}

    @override
    async def open(self) -> None:
        kafka = self._settings.kafka
        producer = AIOKafkaProducer(
            **client_options(kafka),
            transactional_id=self._id,
            transaction_timeout_ms=int(kafka.transaction_timeout_seconds * 1000),
            compression_type=None if kafka.compression == "none" else kafka.compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
            linger_ms=0,
        )
        self._producer = producer
        async with asyncio.timeout(kafka.transaction_timeout_seconds):
            await producer.start()

    @override
    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> None:
        producer = self._producer
        if producer is None:
            raise KafkaFaultError(f"The unit of work {self._id} is not open.")
        async with asyncio.timeout(self._settings.kafka.transaction_timeout_seconds):
            await producer.begin_transaction()
            try:
                counts = await self._partition_counts(producer, outputs)
                batches: dict[TopicPartition, list[Output]] = defaultdict(list)
                for output in outputs:
                    partition = partition_of(output.key, counts[output.topic])
                    batches[TopicPartition(output.topic, partition)].append(output)
                for row in changelog:
                    batches[TopicPartition(row.topic, source.partition)].append(row)
                await _deliver(producer, batches)
                await producer.send_offsets_to_transaction({source: offset}, self._group)
            except BaseException:
                await self._abort(producer)
                raise
            await producer.commit_transaction()

    async def _partition_counts(
        self, producer: AIOKafkaProducer, outputs: Sequence[Output]
    ) -> dict[str, int]:
        for topic in {output.topic for output in outputs} - self._partitions.keys():
            self._partitions[topic] = len(await producer.partitions_for(topic))
        return self._partitions

    async def _abort(self, producer: AIOKafkaProducer) -> None:
        if producer._txn_manager.is_fatal_error():  # noqa: SLF001  (aiokafka asks it so, too)
            return  # fenced: there is nothing of ours left to abort
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(ABORT_SECONDS):
                await producer.abort_transaction()

    @override
    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(ABORT_SECONDS):
                await producer.stop()
        except (KafkaError, TimeoutError) as fault:
            log.warning("producer_close_failed", transactional_id=self._id, error=repr(fault))


async def _deliver(producer: AIOKafkaProducer, batches: dict[TopicPartition, list[Output]]) -> None:
    """Send every batch and wait until the broker has them all."""
    sent = []
    for destination, outputs in batches.items():
        batch = producer.create_batch()
        for output in outputs:
            record = {
                "key": output.key,
                "value": output.value,
                "timestamp": output.timestamp,
                "headers": list(output.headers),
            }
            if batch.append(**record) is None:
                sent.append(await _send(producer, batch, destination))
                batch = producer.create_batch()
                batch.append(**record)
        sent.append(await _send(producer, batch, destination))
    if sent:
        await asyncio.gather(*sent)


async def _send(
    producer: AIOKafkaProducer, batch: object, destination: TopicPartition
) -> asyncio.Future[object]:
    future: asyncio.Future[object] = await producer.send_batch(
        batch, destination.topic, partition=destination.partition
    )
    return future
