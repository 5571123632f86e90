"""Writing a single record by hand, acknowledged by all in-sync replicas."""

from aiokafka import AIOKafkaProducer

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Operation
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults

__all__ = ["write_one"]


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
