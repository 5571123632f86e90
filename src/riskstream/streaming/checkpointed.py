"""Raw records and how far their source has been read, in one transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from riskstream.config import Settings
from riskstream.contract.acls import roles
from riskstream.errors import KafkaFaultError, SourceFencedError
from riskstream.events.record import Output
from riskstream.events.topics import RAW, SOURCES
from riskstream.streaming.admin import describe_topics
from riskstream.streaming.client import client_options, kafka_faults, missing_topics
from riskstream.streaming.partitioner import partition_of
from riskstream.streaming.rights import check_rights
from riskstream.streaming.transactional import send_or_fail
from riskstream.streaming.unit import CLOSE_SECONDS, Sender

__all__ = ["CheckpointedSink"]

POLL_MS = 200


class CheckpointedSink:
    """Writes a source's records to the raw topic, each time with the checkpoint that follows them.

    The source's name is the key of all its records, so they lie in one partition in order, and
    part of the transactional id: who opens the sink fences whoever had it before, and the
    checkpoint is read after that, so it is the last one there will ever be of the former.

    Args:
        settings: Where Kafka is, and the application's id.
        source: Name of the source.
    """

    def __init__(self, settings: Settings, source: str) -> None:
        self._settings = settings
        self._kafka = settings.kafka
        self._source = source
        self._key = source.encode()
        self._sender: Sender | None = None
        self._patience = min(
            self._kafka.transaction_timeout_seconds, self._kafka.request_timeout_seconds
        )

    @property
    def transactional_id(self) -> str:
        """Fences pollers of the same name."""
        return f"{self._settings.worker.app_id}-source-{self._source}"

    async def open(self) -> bytes | None:
        """Take over from any former owner; the last checkpoint, None where there is none.

        Raises:
            KafkaFaultError: Kafka cannot be reached, lacks a topic, or does not give a right.
        """
        await check_rights(self._kafka, roles(self._settings.worker.app_id)["source-poll"].acls)
        found = await describe_topics(self._kafka, [RAW, SOURCES])
        missing = [name for name in (RAW, SOURCES) if name not in found]
        if missing:
            raise missing_topics(self._kafka, missing)
        async with self._faults():
            self._sender = Sender(
                self._kafka,
                transactional_id=self.transactional_id,
                transaction_timeout_ms=int(self._kafka.transaction_timeout_seconds * 1000),
            )
            async with asyncio.timeout(self._patience):
                await self._sender.producer.start()
            part = TopicPartition(SOURCES, partition_of(self._key, found[SOURCES].partitions))
            return await self._last(part)

    async def write(self, values: list[bytes], checkpoint: bytes) -> None:
        """Write all of it; when this returns it is committed.

        Raises:
            KafkaFaultError: It may or may not have been committed: close, open, and go on from
                the checkpoint that is told.
            SourceFencedError: Somebody else has opened this source.
        """
        sender = self._sender
        if sender is None:
            raise KafkaFaultError(f"The source {self._source} is not open.")
        outputs = [Output(RAW, self._key, value) for value in values]
        outputs.append(Output(SOURCES, self._key, checkpoint))
        async with self._faults(), asyncio.timeout(self._patience):
            await sender.producer.begin_transaction()
            try:
                await send_or_fail(sender, outputs, (), 0)
            except BaseException:
                await _abort(sender)
                raise
            await sender.producer.commit_transaction()

    async def close(self) -> None:
        """Let go, within bounded time."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.stop()

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        async with kafka_faults(self._kafka):
            try:
                yield
            except (ProducerFenced, InvalidProducerEpoch) as fault:
                raise SourceFencedError(
                    f"Another process polls {self._source} under the same name, and has taken "
                    "over. Each account has one poller; give a second one its own poll.name."
                ) from fault

    async def _last(self, part: TopicPartition) -> bytes | None:
        """The last committed checkpoint.

        The end is asked without regard to transactions: one that another source has open hides
        what lies behind it, and must not make an older checkpoint look like the last.
        """
        plain = AIOKafkaConsumer(**client_options(self._kafka), group_id=None)
        committed = AIOKafkaConsumer(
            **client_options(self._kafka),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await plain.start()
            end = (await plain.end_offsets([part]))[part]
            await committed.start()
            committed.assign([part])
            return await self._read_up_to(committed, part, end)
        finally:
            await plain.stop()
            await committed.stop()

    async def _read_up_to(
        self, consumer: AIOKafkaConsumer, part: TopicPartition, end: int
    ) -> bytes | None:
        last: bytes | None = None
        heard = monotonic()
        while end > 0 and await consumer.position(part) < end:
            fetched = (await consumer.getmany(part, timeout_ms=POLL_MS)).get(part, [])
            for record in fetched:
                if record.key == self._key:
                    last = record.value
            if fetched:
                heard = monotonic()
            elif monotonic() - heard > self._patience:
                raise KafkaFaultError(
                    f"The checkpoints in {SOURCES} cannot be read to their end: a transaction "
                    f"there has been open for {self._patience:.0f} s. Kafka ends it after "
                    f"{self._kafka.transaction_timeout_seconds:.0f} s; try again then."
                )
        return last


async def _abort(sender: Sender) -> None:
    if sender.producer._txn_manager.is_fatal_error():  # noqa: SLF001  (as aiokafka asks it)
        return
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await sender.producer.abort_transaction()
