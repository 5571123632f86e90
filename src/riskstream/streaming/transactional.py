"""exactly_once: one Kafka transaction per chunk."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import aiokafka.producer.sender
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from typing_extensions import override

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.events.record import Output
from riskstream.streaming.unit import CLOSE_SECONDS, Sender, UnitOfWork

__all__ = ["TransactionalUnit", "send_or_fail"]


aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.005
"""Seconds until it asks again when the broker still writes the last transaction's markers, which
takes a few milliseconds. aiokafka's own 20 ms would be paid at every hop."""


class TransactionalUnit(UnitOfWork):
    """Outputs, changelog and source offset in one transaction.

    Fencing is by ``transactional.id`` alone (aiokafka speaks no group metadata), hence one
    producer for each hop and source partition, opened anew on every assignment.
    """

    def __init__(self, kafka: KafkaSettings, *, transactional_id: str, group: str) -> None:
        self._kafka = kafka
        self._id = transactional_id
        self._group = group
        self._sender: Sender | None = None
        # Kafka's own timeout is longer: it should outlive a restart of the broker, which loses
        # the markers of transactions that it gives up while it comes up (KAFKA-20734).
        self._patience = min(kafka.transaction_timeout_seconds, kafka.request_timeout_seconds)

    @override
    async def open(self) -> None:
        """Initialise the producer: fences any former owner and ends its transaction."""
        self._sender = Sender(
            self._kafka,
            transactional_id=self._id,
            transaction_timeout_ms=int(self._kafka.transaction_timeout_seconds * 1000),
        )
        async with asyncio.timeout(self._patience):
            await self._sender.producer.start()

    @override
    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> Mapping[str, int]:
        sender = self._sender
        if sender is None:
            raise KafkaFaultError(f"The unit of work {self._id} is not open.")
        async with asyncio.timeout(self._patience):
            await sender.producer.begin_transaction()
            try:
                written = await send_or_fail(sender, outputs, changelog, source.partition)
                # Not beside the records, nor before they are there: Kafka looks up the transaction
                # for everything that is written in it, and wants another try while it changes it or
                # looks already. aiokafka waits 100 ms for that, during which nobody can read past
                # what was written.
                await sender.producer.send_offsets_to_transaction({source: offset}, self._group)
            except BaseException:
                await self._abort(sender)
                raise
            await sender.producer.commit_transaction()
        return written

    @staticmethod
    async def _abort(sender: Sender) -> None:
        if sender.producer._txn_manager.is_fatal_error():  # noqa: SLF001  (as aiokafka asks it)
            return  # fenced: there is nothing of ours left to abort
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await sender.producer.abort_transaction()

    @override
    async def close(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.stop()


async def send_or_fail(
    sender: Sender, outputs: Sequence[Output], changelog: Sequence[Output], partition: int
) -> Mapping[str, int]:
    """Send, and fail as soon as Kafka keeps a partition out of the transaction.

    aiokafka marks the transaction then, and leaves what it was to send there waiting.
    """
    sending = asyncio.create_task(sender.send(outputs, changelog, partition))
    marked = sender.producer._txn_manager._transaction_waiter  # noqa: SLF001  (nothing else tells)
    try:
        await asyncio.wait({sending, marked}, return_when=asyncio.FIRST_COMPLETED)
        if marked.done():
            marked.result()  # raises; what sending met, if anything, only follows from it
        return await sending
    finally:
        sending.cancel()
