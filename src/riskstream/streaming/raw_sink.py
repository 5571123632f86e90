"""Single raw records, each acknowledged by all in-sync replicas before it counts as taken."""

import asyncio
import time
from contextlib import suppress
from enum import StrEnum

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Operation
from riskstream.events.topics import RAW
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.unit import CLOSE_SECONDS

__all__ = ["RawSink", "Taken"]

SLACK_BYTES = 65_536

log = get_logger(__name__)


class Taken(StrEnum):
    """What became of a record."""

    WRITTEN = "written"
    """All in-sync replicas have it."""
    TOO_LARGE = "too_large"
    """Kafka takes no record of this size."""
    FAILED = "failed"
    """It was not written; the next one goes through a new producer."""


class RawSink:
    """Writes to the raw topic.

    The producer is idempotent and does not give a record up: one that was not acknowledged in
    time may still be written once Kafka is back.

    Args:
        kafka: Where Kafka is.
        max_bytes: Of a value.
    """

    def __init__(self, kafka: KafkaSettings, max_bytes: int) -> None:
        self._kafka = kafka
        self._max_bytes = max_bytes
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, float] = {}
        self._number = 0

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaFaultError: Kafka cannot be reached, has no raw topic, or does not give the right.
        """
        await require_topics(self._kafka, [RAW], Operation.WRITE)
        async with kafka_faults(self._kafka):
            await self._running()

    async def put(self, key: bytes, value: bytes) -> Taken:
        """Write one record, and return when it is safe, or will not be."""
        self._number = number = self._number + 1
        self._waiting[number] = time.monotonic()
        producer = None
        try:
            producer = await self._running()
            await producer.send_and_wait(RAW, value, key)
        except MessageSizeTooLargeError:
            return Taken.TOO_LARGE
        except (KafkaError, TimeoutError, OSError) as fault:
            log.warning("record_not_written", error=repr(fault))
            if producer is not None:
                await self._give_up(producer)
            return Taken.FAILED
        finally:
            del self._waiting[number]
        return Taken.WRITTEN

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest record has been waiting; 0 where none is."""
        oldest = min(self._waiting.values(), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    async def stop(self) -> None:
        """Write what is waiting, and disconnect, within bounded time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def _running(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **client_options(self._kafka),
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=self._max_bytes + SLACK_BYTES,
                    compression_type=None
                    if self._kafka.compression == "none"
                    else self._kafka.compression,
                )
                async with asyncio.timeout(self._kafka.request_timeout_seconds):
                    await producer.start()
                self._producer = producer
            return self._producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """After a fault that is not of the record: the next one gets a new producer."""
        if self._producer is producer:
            self._producer = None
            log.warning("producer_replaced")
            await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer.stop()
