"""A few records in a topic of their own: does Kafka do what a worker needs, and by what clock.

The topic is made for the purpose and deleted again; the topics of the wire contract see nothing.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from riskstream.config import Settings
from riskstream.streaming.admin import admin_client
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.reader import read

__all__ = ["PROBE_PREFIX", "ProbeFacts", "probe"]

PROBE_PREFIX: Final = "riskstream.doctor."
"""Of the topic's name; no pattern of ours or of a consumer's takes it."""
SENDS = 3
"""The quickest of so many answers tells the clock best."""


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """What came of it."""

    skew_ms: float | None = None
    """The broker's clock less ours; None when the broker did not stamp the records."""
    uncertainty_ms: float = 0.0
    """Half the time that the answer took."""
    read_back: bool = False
    """What the transaction held was there for a read_committed reader, and nothing else."""
    fault: str = ""
    """Why it ended early."""


async def probe(settings: Settings) -> ProbeFacts:
    """Create a topic, write to it as a worker does, read it, delete it.

    Raises:
        KafkaFaultError: Kafka cannot be reached.
    """
    token = secrets.token_hex(4)
    topic = f"{PROBE_PREFIX}{token}"
    async with admin_client(settings.kafka) as admin:
        try:
            await _create(admin, topic, settings)
        except KafkaError as fault:
            return ProbeFacts(fault=f"no topic could be made for it: {_text(fault)}")
        try:
            facts = await _write(settings, topic, f"{settings.worker.app_id}-doctor-{token}")
            return await _read_back(settings, topic, facts)
        except KafkaError as fault:
            return ProbeFacts(fault=_text(fault))
        finally:
            await admin.delete_topics([topic])


async def _create(admin: AIOKafkaAdminClient, topic: str, settings: Settings) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    copies = min(settings.kafka.replication_factor, brokers)
    wanted = NewTopic(
        topic,
        1,
        copies,
        topic_configs={"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"},
    )
    for _name, code, message in (await admin.create_topics([wanted])).topic_errors:
        if code:
            raise for_code(code)(message)


async def _write(settings: Settings, topic: str, transactional_id: str) -> ProbeFacts:
    """Records of two transactions, the second of which is aborted."""
    transactional = settings.worker.processing_guarantee == "exactly_once"
    extra: dict[str, Any] = {"transactional_id": transactional_id} if transactional else {}
    producer = AIOKafkaProducer(
        **client_options(settings.kafka), acks="all", enable_idempotence=True, **extra
    )
    async with asyncio.timeout(settings.kafka.request_timeout_seconds):
        await producer.start()
    try:
        if transactional:
            await producer.begin_transaction()
        best = min([await _send(producer, topic) for _ in range(SENDS)], key=lambda one: one[1])
        if transactional:
            await producer.commit_transaction()
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"aborted")
            await producer.abort_transaction()
    finally:
        await producer.stop()
    return ProbeFacts(*best)


async def _send(producer: AIOKafkaProducer, topic: str) -> tuple[float | None, float]:
    """How much the broker's clock is ahead, and how sure that is, in milliseconds."""
    before = time.time()
    told = await producer.send_and_wait(topic, b"probe")
    after = time.time()
    stamped = told.timestamp_type == 1
    skew = told.timestamp - (before + after) * 500 if stamped else None
    return skew, (after - before) * 500


async def _read_back(settings: Settings, topic: str, facts: ProbeFacts) -> ProbeFacts:
    async with kafka_faults(settings.kafka):
        values = [record.value async for record in read(settings, [topic])]
    return ProbeFacts(facts.skew_ms, facts.uncertainty_ms, values == [b"probe"] * SENDS)


def _text(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}".removesuffix(": ")
