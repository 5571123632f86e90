"""Writing a few records by hand, acknowledged by all in-sync replicas."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Operation
from riskstream.events.record import Output
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults

__all__ = ["write_all", "write_one"]

IN_FLIGHT = 1000
"""Records sent before their acknowledgements are awaited."""


async def write_one(kafka: KafkaSettings, topic: str, key: bytes, value: bytes) -> None:
    """Send one record and wait until Kafka has it.

    Raises:
        KafkaFaultError: Kafka cannot be reached, has no such topic, gives no right, or refused it.
    """
    await require_topics(kafka, [topic], Operation.WRITE)
    async with kafka_faults(kafka):
        producer = AIOKafkaProducer(**client_options(kafka), acks="all", enable_idempotence=True)
        await producer.start()
        try:
            await producer.send_and_wait(topic, value, key)
        finally:
            await producer.stop()


async def write_all(
    kafka: KafkaSettings, outputs: Sequence[Output], on_written: Callable[[int], None]
) -> None:
    """Send records, of each partition in their order, and wait until Kafka has them all.

    Args:
        kafka: Where Kafka is.
        outputs: Each of the same topic.
        on_written: Told how many more Kafka has.

    Raises:
        KafkaFaultError: As for ``write_one``; some may have been written.
    """
    if not outputs:
        return
    await require_topics(kafka, [outputs[0].topic], Operation.WRITE)
    async with kafka_faults(kafka):
        producer = AIOKafkaProducer(**client_options(kafka), acks="all", enable_idempotence=True)
        await producer.start()
        try:
            for start in range(0, len(outputs), IN_FLIGHT):
                some = outputs[start : start + IN_FLIGHT]
                waiting: list[Awaitable[Any]] = [
                    await producer.send(each.topic, each.value, each.key) for each in some
                ]
                await gather(*waiting)
                on_written(len(some))
        finally:
            await producer.stop()
