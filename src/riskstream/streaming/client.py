"""How every Kafka client of ours is set up, and what its faults are called."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaError

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.streaming import pacing as _pacing  # noqa: F401  (imported for what it replaces)
from riskstream.streaming.diagnosis import why_unreachable
from riskstream.streaming.security import security_options

__all__ = ["client_options", "kafka_faults", "missing_topics"]


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes: consumer, producer, admin.

    Raises:
        ConfigError: A file of ``kafka.security`` cannot be used.
    """
    return {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "request_timeout_ms": int(kafka.request_timeout_seconds * 1000),
        **security_options(kafka.security),
    }


@asynccontextmanager
async def kafka_faults(kafka: KafkaSettings) -> AsyncIterator[None]:
    """Turn what aiokafka raises in the block into ``KafkaFaultError`` with advice."""
    where = kafka.bootstrap_servers
    try:
        yield
    except KafkaConnectionError as fault:
        raise KafkaFaultError(await why_unreachable(kafka)) from fault
    except (TimeoutError, KafkaError, OSError) as fault:
        text = str(fault) or type(fault).__name__
        raise KafkaFaultError(
            f"Kafka at {where} did not do what it was asked to: {text}"
        ) from fault


def missing_topics(kafka: KafkaSettings, names: list[str]) -> KafkaFaultError:
    """The fault for topics that do not exist; only ``topics create`` makes them."""
    what, it = ("topic", "it") if len(names) == 1 else ("topics", "them")
    return KafkaFaultError(
        f"Kafka at {kafka.bootstrap_servers} has no {what} {', '.join(names)}. "
        f"Create {it} with `riskstream topics create`."
    )
