"""at_least_once: everything acknowledged, then the offset. For brokers without transactions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import TopicPartition
from typing_extensions import override

from riskstream.config import KafkaSettings
from riskstream.events.record import Output
from riskstream.streaming.unit import Sender, UnitOfWork

__all__ = ["AcknowledgedUnit", "SharedSender"]


class SharedSender:
    """One idempotent producer for all partitions of a process, started when first needed."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._sender: Sender | None = None
        self._starting = asyncio.Lock()

    async def get(self) -> Sender:
        """The running sender."""
        async with self._starting:
            if self._sender is None:
                sender = Sender(self._kafka, enable_idempotence=True)
                async with asyncio.timeout(self._kafka.request_timeout_seconds):
                    await sender.producer.start()
                self._sender = sender
        return self._sender

    async def stop(self) -> None:
        """Stop it, within bounded time."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.stop()


class AcknowledgedUnit(UnitOfWork):
    """Outputs and changelog, then the offset, each awaited.

    A lane commits its chunks one after another, so the committed offset is the low watermark of
    what is done. After a crash the chunk in between is written again: rows are guarded by their
    ``offset``, consumers see the outputs twice. Nothing fences a zombie.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        shared: SharedSender,
        commit_offset: Callable[[TopicPartition, int], Awaitable[None]],
    ) -> None:
        self._kafka = kafka
        self._shared = shared
        self._commit_offset = commit_offset

    @override
    async def open(self) -> None:
        await self._shared.get()

    @override
    async def commit(
        self,
        outputs: Sequence[Output],
        changelog: Sequence[Output],
        source: TopicPartition,
        offset: int,
    ) -> Mapping[str, int]:
        sender = await self._shared.get()
        async with asyncio.timeout(self._kafka.request_timeout_seconds):
            written = await sender.send(outputs, changelog, source.partition)
            await self._commit_offset(source, offset)
        return written

    @override
    async def close(self) -> None:
        """The producer is shared; the hop stops it."""
