"""Where a partition's rows lie, encoded, and how far they have come: the store and its checkpoint.

A store takes rows and checkpoint in one write, all or nothing, so the two never tell different
stories. It is written after the commit of the unit of work, so it can lag and never leads.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct
from typing_extensions import override

from riskstream.events.topics import CONTEXT, FAILURES, LOCKOUTS, PROFILES, USERS

__all__ = ["TABLES", "Checkpoint", "MemoryStore", "PackedRow", "RowStore"]

TABLES = (FAILURES, LOCKOUTS, USERS, PROFILES, CONTEXT)
"""The tables by their changelog topics."""

PackedRow = tuple[str, str, bytes | None]
"""Topic of the table, subject, packed row; None removes it."""


class Checkpoint(Struct, frozen=True):
    """What the rows of a store stand for."""

    offset: int | None = None
    """Committed offset of the classified partition; None where the group has none yet."""
    whole: bool = False
    """The rows are those of ``offset``. Otherwise recovery has begun and not ended."""
    watermark_ms: int = 0
    """Newest ``as_of`` that any row had."""
    changelog: dict[str, int] = {}
    """By topic, the changelog position before which nothing is missing here."""
    counts: dict[str, int] = {}
    """Rows by topic."""


class RowStore(Protocol):
    """The packed rows of one partition, by table and subject.

    Every method may raise ``StateStoreError``: the rows cannot be read or written any more.
    """

    checkpoint: Checkpoint
    """As of the last write."""

    def get(self, topic: str, subject: str) -> bytes | None:
        """One row."""

    def get_many(self, topic: str, subjects: Sequence[str]) -> Sequence[bytes | None]:
        """Several rows, in the order in which they were asked for."""

    def scan(self, topic: str) -> Iterator[tuple[str, bytes]]:
        """All rows of a table, in any order.

        Rows may be written while it runs: those it may show or not.
        """

    def write(self, rows: Iterable[PackedRow], checkpoint: Checkpoint) -> None:
        """Write all of it, or nothing."""

    def clear(self) -> None:
        """Remove every row, and the checkpoint."""

    def close(self) -> None:
        """Let go of files and locks. The store is not used again."""


class MemoryStore(RowStore):
    """Rows in dicts. They are gone with the process."""

    def __init__(self) -> None:
        self.checkpoint = Checkpoint()
        self._tables: dict[str, dict[str, bytes]] = {topic: {} for topic in TABLES}

    @override
    def get(self, topic: str, subject: str) -> bytes | None:
        return self._tables[topic].get(subject)

    @override
    def get_many(self, topic: str, subjects: Sequence[str]) -> Sequence[bytes | None]:
        return list(map(self._tables[topic].get, subjects))

    @override
    def scan(self, topic: str) -> Iterator[tuple[str, bytes]]:
        rows = self._tables[topic]
        for subject in list(rows):
            row = rows.get(subject)
            if row is not None:
                yield subject, row

    @override
    def write(self, rows: Iterable[PackedRow], checkpoint: Checkpoint) -> None:
        packed = list(rows)
        for topic, subject, row in packed:
            if row is None:
                self._tables[topic].pop(subject, None)
            else:
                self._tables[topic][subject] = row
        self.checkpoint = checkpoint

    @override
    def clear(self) -> None:
        for rows in self._tables.values():
            rows.clear()
        self.checkpoint = Checkpoint()

    @override
    def close(self) -> None:
        """There is nothing to let go of."""
