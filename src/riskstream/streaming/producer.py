"""Writing records to the raw topic, for the demo and for `riskstream feed`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from aiokafka import AIOKafkaProducer

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Operation
from riskstream.events.topics import RAW
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults

__all__ = ["RawRecord", "feed"]

IN_FLIGHT = 1000
"""Records sent before their acknowledgements are awaited."""
LINGER_MS = 5
GIVE_WAY_EVERY = 50
"""Records between two looks at what else there is to do: appending alone never waits."""


class RawRecord(Protocol):
    """What is sent."""

    @property
    def key(self) -> bytes | None:
        """Decides the partition, by murmur2; None takes any."""

    @property
    def value(self) -> bytes | None:
        """None is a tombstone."""

    @property
    def at_ms(self) -> int:
        """When it is due, epoch milliseconds; only looked at in real time."""


Item = TypeVar("Item", bound=RawRecord)


async def feed(
    kafka: KafkaSettings,
    records: Iterable[Item],
    *,
    in_real_time: bool = False,
    on_sent: Callable[[Item], None] | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> int:
    """Send all records to the raw topic and return how many they were.

    Every record returned for was acknowledged by all in-sync replicas. Cancelling it sends what
    was appended and stops.

    Args:
        kafka: Where Kafka is.
        records: Taken one by one, so they may be without end.
        in_real_time: Wait until each record is due; those that are late go at once.
        on_sent: Called with each record when it was handed over.
        headers: Of every record.

    Raises:
        KafkaFaultError: Kafka cannot be reached, has no raw topic, or refused a record.
    """
    await require_topics(kafka, [RAW], Operation.WRITE)
    async with kafka_faults(kafka):
        producer = AIOKafkaProducer(
            **client_options(kafka),
            acks="all",
            enable_idempotence=True,
            compression_type=None if kafka.compression == "none" else kafka.compression,
            linger_ms=LINGER_MS,
        )
        try:
            await producer.start()
            return await _send_all(producer, records, in_real_time, on_sent, headers)
        finally:
            await producer.stop()


async def _send_all(
    producer: AIOKafkaProducer,
    records: Iterable[Item],
    in_real_time: bool,
    on_sent: Callable[[Item], None] | None,
    headers: Sequence[tuple[str, bytes]],
) -> int:
    pending: list[Awaitable[Any]] = []
    sent = 0
    for record in records:
        late_by = time.time() - record.at_ms / 1000
        if in_real_time and late_by < 0:
            await asyncio.gather(*pending)
            pending.clear()
            await asyncio.sleep(-late_by)
        pending.append(await producer.send(RAW, record.value, record.key, headers=[*headers]))
        sent += 1
        if on_sent is not None:
            on_sent(record)
        if len(pending) >= IN_FLIGHT:
            await asyncio.gather(*pending)
            pending.clear()
        elif sent % GIVE_WAY_EVERY == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*pending)
    return sent
