"""Faust's assignor, for static members that come back at another address.

A static member that comes back within the session timeout gets its former assignment from the
broker, with the address that it had then. Faust takes that for a fault, and the member waits for
ever. Here it takes the assignment, and joins once more, so that the others hear where it is.
"""

from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from faust.assignor.client_assignment import ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor
from structlog import get_logger
from typing_extensions import override
from yarl import URL

__all__ = ["HopAssignor"]

log = get_logger(__name__)


class HopAssignor(PartitionAssignor):
    """Keeps to the group's assignment whatever address of ours it names."""

    _named: str | None = None
    """Our address as the assignment at hand has it."""
    _told = False
    """The group was told of the present one: once, for a broker may not pass it on."""

    @property
    @override
    def _url(self) -> URL:
        return URL(self._named) if self._named is not None else super()._url

    @override
    def on_assignment(self, assignment: Any) -> None:
        metadata = cast(
            "ClientMetadata", ClientMetadata.loads(self._decompress(assignment.user_data))
        )
        self._named = metadata.url
        try:
            super().on_assignment(assignment)
        finally:
            self._named = None
        if metadata.url != str(self._url) and not self._told:
            self._told = True
            log.info("address_changed", former=metadata.url, present=str(self._url))
            self._join_again()

    def _join_again(self) -> None:
        consumer: AIOKafkaConsumer = self.app.consumer._thread._ensure_consumer()  # noqa: SLF001
        consumer._coordinator.request_rejoin()  # noqa: SLF001  (aiokafka has no public way)
