"""Sending dead letters back to the raw topic, and knowing which were sent before."""

import asyncio
from asyncio import Future, gather
from collections.abc import AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer

from riskstream.config import Settings
from riskstream.contract.acls import Operation
from riskstream.events.record import Headers
from riskstream.events.topics import RAW
from riskstream.pipeline.classify import REPLAYED
from riskstream.streaming.admin import require_topics
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.reader import Since, read

__all__ = [
    "REPLAYED",
    "REPLAYED_FROM",
    "Letter",
    "Replayed",
    "find_replayed",
    "seconds_to_wait",
    "send_back",
]

REPLAYED_FROM: Final = "x-riskstream-replayed-from"
"""Header of a replayed raw record: the dead letter, as ``partition:offset``."""
IN_FLIGHT: Final = 500
"""Letters sent before their acknowledgements are awaited."""
FIND_SLACK_MS: Final = 3_600_000
"""Raw records are looked at from this long before the oldest letter's own record."""

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What of a dead letter goes back."""

    place: Place
    key: bytes | None
    value: bytes
    replays: int = 0
    """How often its bytes were sent back before."""


@dataclass(slots=True)
class Replayed:
    """What the raw topic knows of former replays."""

    letters: set[Place] = field(default_factory=set)
    """Dead letters that were sent back."""
    records: dict[Place, int] = field(default_factory=dict)
    """Raw records that are replays themselves, with their count."""


async def find_replayed(settings: Settings, since_ms: int) -> Replayed:
    """Look through the raw topic from ``since_ms`` (epoch milliseconds) to its end.

    Raises:
        KafkaFaultError: Kafka cannot be reached or has no raw topic.
    """
    found = Replayed()
    start = Since(since_ms - FIND_SLACK_MS)
    async with aclosing(read(settings, [RAW], start=start)) as records:
        async for record in records:
            headers = dict(record.headers)
            if REPLAYED not in headers:
                continue
            found.records[record.partition, record.offset] = _number(headers[REPLAYED])
            partition, _, offset = headers.get(REPLAYED_FROM, b"").partition(b":")
            found.letters.add((_number(partition), _number(offset)))
    return found


async def send_back(
    settings: Settings, letters: AsyncIterable[Letter], rate: float | None = None
) -> int:
    """Send these letters to the raw topic, in order; returns how many were acknowledged.

    Args:
        settings: Where Kafka is.
        letters: As they are to go.
        rate: At most so many a second.

    Raises:
        KafkaFaultError: Kafka did not take one; those before it may have been taken.
    """
    kafka = settings.kafka
    await require_topics(kafka, [RAW], Operation.WRITE)
    count = 0
    async with kafka_faults(kafka):
        producer = AIOKafkaProducer(
            **client_options(kafka),
            acks="all",
            enable_idempotence=True,
            max_request_size=settings.limits.max_record_bytes + 65_536,
        )
        try:
            await producer.start()
            waiting: list[Future[object]] = []
            loop = asyncio.get_running_loop()
            started = loop.time()
            async for letter in letters:
                if rate is not None:
                    await asyncio.sleep(seconds_to_wait(count, rate, loop.time() - started))
                headers = list(_headers(letter))
                waiting.append(await producer.send(RAW, letter.value, letter.key, headers=headers))
                count += 1
                if len(waiting) == IN_FLIGHT:
                    await gather(*waiting)
                    waiting.clear()
            await gather(*waiting)
        finally:
            await producer.stop()
    return count


def seconds_to_wait(sent: int, rate: float, passed: float) -> float:
    """Before the next letter, when so many went in the seconds that have passed."""
    return max(sent / rate - passed, 0.0)


def _headers(letter: Letter) -> Headers:
    return (
        (REPLAYED, b"%d" % (letter.replays + 1)),
        (REPLAYED_FROM, b"%d:%d" % letter.place),
    )


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else -1
