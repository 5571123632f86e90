"""Topics of a trial: the outputs under other names, which no pattern of a consumer takes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from aiokafka import AIOKafkaProducer

from riskstream.config import Settings
from riskstream.errors import ConfigError
from riskstream.events.record import Output
from riskstream.events.topics import ALERTS, ALL_TOPICS, DEAD_LETTER, SCORED, TopicSpec
from riskstream.streaming.admin import create_topics, describe_topics
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.inquiry import log_facts

__all__ = ["TrialTopics", "trial_specs", "trial_topics"]

KEPT_MS: Final = 604_800_000
"""Seven days: a trial is looked at and forgotten."""


class TrialTopics:
    """Writes outputs to their topics' namesakes."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def write(self, outputs: Iterable[Output]) -> int:
        """Send these and wait until Kafka has them; returns how many they were."""
        waiting = [
            await self._producer.send(
                f"{self._prefix}{output.topic}",
                output.value,
                output.key,
                headers=list(output.headers),
            )
            for output in outputs
        ]
        await asyncio.gather(*waiting)
        return len(waiting)


def trial_specs(prefix: str) -> tuple[TopicSpec, ...]:
    """The scored topics, alerts and dead letters as a trial has them.

    Raises:
        ConfigError: With this prefix a trial's topic would be taken for one of ours.
    """
    if not prefix or prefix.startswith(("iam.", "_")):
        raise ConfigError(
            f"--prefix is the beginning of the trial's topics, such as trial. ; {prefix!r} would "
            "let a consumer of the real ones take them."
        )
    return tuple(
        replace(
            spec,
            name=f"{prefix}{spec.name}",
            purpose=f"trial: {spec.purpose}",
            config={**spec.config, "retention.ms": str(KEPT_MS)},
        )
        for spec in ALL_TOPICS
        if spec.name in {*SCORED.values(), ALERTS, DEAD_LETTER}
    )


@asynccontextmanager
async def trial_topics(settings: Settings, prefix: str) -> AsyncIterator[TrialTopics]:
    """Create the topics of a trial where they are missing, and open them for writing.

    Raises:
        ConfigError: The prefix does not do, or a topic holds an earlier trial.
        KafkaFaultError: Kafka cannot be reached or refuses.
    """
    specs = trial_specs(prefix)
    await create_topics(settings.kafka, specs)
    await _refuse_filled(settings, [spec.name for spec in specs])
    async with kafka_faults(settings.kafka):
        producer = AIOKafkaProducer(
            **client_options(settings.kafka),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=settings.limits.max_message_bytes + 65_536,
        )
        await producer.start()
        try:
            yield TrialTopics(producer, prefix)
        finally:
            await producer.stop()


async def _refuse_filled(settings: Settings, names: list[str]) -> None:
    states = await describe_topics(settings.kafka, names)
    places = {(name, n): None for name in states for n in range(states[name].partitions)}
    logs = await log_facts(settings, places)
    filled = sorted({name for (name, _), log in logs.items() if log.end > log.first})
    if filled:
        raise ConfigError(
            f"{', '.join(filled)} hold an earlier trial. Name another --prefix, or delete them: "
            "kafka-topics.sh --delete."
        )
