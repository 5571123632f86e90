"""Running what talks to Kafka from a command."""

from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it to its end; the clients' own log lines are kept from the screen.

    What matters of them comes as one ``KafkaFaultError``.
    """
    import asyncio
    import logging

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(work)
