"""Deletes what is done from the classified topic, which no retention time empties."""

import asyncio
from collections.abc import Callable, Mapping

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    InvalidRequestError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)
from structlog import get_logger

from riskstream.config import KafkaSettings
from riskstream.errors import KafkaFaultError
from riskstream.streaming.admin import delete_records

__all__ = ["Purger"]

EVERY_SECONDS = 300.0
LOOK_SECONDS = 5.0
"""Until there is anything to delete: before the first assignment, for one."""
REFUSALS = (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    InvalidRequestError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)
"""Asking again would not help."""

log = get_logger(__name__)


class Purger:
    """Now and then moves the start of a topic's partitions up to where nobody needs the log.

    Deleting is a courtesy: whatever goes wrong with it, the worker goes on.

    Args:
        kafka: How to reach the broker.
        topic: Of which records are deleted.
        spare: By partition number, an offset at or below the committed one.
    """

    def __init__(
        self, kafka: KafkaSettings, topic: str, spare: Callable[[], Mapping[int, int]]
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._spare = spare
        self._purged: dict[int, int] = {}

    async def run(self) -> None:
        """Purge until cancelled, or until the broker refuses."""
        while True:
            due = bool(self._due())
            if due and not await self.purge():
                return
            await asyncio.sleep(EVERY_SECONDS if due else LOOK_SECONDS)

    async def purge(self) -> bool:
        """Delete once what may go. False when the broker refuses, now and for ever."""
        before = self._due()
        if not before:
            return True
        try:
            await delete_records(self._kafka, self._topic, before)
        except KafkaFaultError as fault:
            refused = isinstance(fault.__cause__, REFUSALS)
            log.warning(
                "purge_refused" if refused else "purge_failed",
                topic=self._topic,
                error=str(fault),
                note="not tried again; the topic keeps growing" if refused else "tried again later",
            )
            return not refused
        self._purged.update(before)
        log.info("purged", topic=self._topic, partitions=len(before))
        return True

    def _due(self) -> dict[int, int]:
        """What may go and was not asked for before."""
        return {
            partition: offset
            for partition, offset in self._spare().items()
            if offset > self._purged.get(partition, 0)
        }
