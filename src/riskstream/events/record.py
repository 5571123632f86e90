"""Kafka records as the pure core sees them, in and out."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Headers", "InputRecord", "Output", "Record"]

Headers = tuple[tuple[str, bytes], ...]


class Record(Protocol):
    """What the core reads of a consumed record; ``aiokafka.ConsumerRecord`` fits as it is."""

    @property
    def topic(self) -> str:
        """Topic it was read from."""

    @property
    def partition(self) -> int:
        """Partition it was read from."""

    @property
    def offset(self) -> int:
        """Offset in that partition."""

    @property
    def timestamp(self) -> int | None:
        """Kafka's timestamp in epoch milliseconds; None where there is no broker."""

    @property
    def key(self) -> bytes | None:
        """Key as received."""

    @property
    def value(self) -> bytes | None:
        """Value as received; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Headers as received."""


class InputRecord(NamedTuple):
    """A record made by us: from a file, a test or the generator."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Output(NamedTuple):
    """A record to be written. The partitioner (murmur2 of the key) chooses the partition."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None
    """Epoch milliseconds of the raw record; never the event's time (Kafka refuses odd ones)."""
