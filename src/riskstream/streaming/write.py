"""Writing a single record by hand, acknowledged by all in-sync replicas."""

from aiokafka import AIOKafkaProducer

from riskstream.config import KafkaSettings
from riskstream.streaming.admin import describe_topics
from riskstream.streaming.client import client_options, kafka_faults, missing_topics

__all__ = ["write_one"]


async def write_one(kafka: KafkaSettings, topic: str, key: bytes, value: bytes) -> None:
    """Send one record and wait until Kafka has it.

    Raises:
        KafkaFaultError: Kafka cannot be reached, has no such topic, or refused the record.
    """
    if topic not in await describe_topics(kafka, [topic]):
        raise missing_topics(kafka, [topic])
    async with kafka_faults(kafka):
        producer = AIOKafkaProducer(**client_options(kafka), acks="all", enable_idempotence=True)
        await producer.start()
        try:
            await producer.send_and_wait(topic, value, key)
        finally:
            await producer.stop()
