"""The unit of delivery: everything fetched at once for one partition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskstream.events.record import Record

__all__ = ["Chunk", "pieces"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition between two fetch positions.

    ``start`` and ``end`` are positions, not offsets of records: in a topic written by
    transactions control records leave gaps, so the first record may lie after ``start``. A chunk
    may hold no record at all, and still moves the position.
    """

    partition: int
    start: int
    """Fetch position before; equals the ``end`` of the chunk before it."""
    end: int
    """Fetch position after; the offset to commit."""
    records: Sequence[Record]
    epoch: int
    """Epoch of the consumer's flow in which it was fetched."""

    @property
    def nbytes(self) -> int:
        """Bytes of the records' values."""
        return sum(len(record.value or b"") for record in self.records)

    def joined(self, following: "Chunk") -> "Chunk":
        """With the chunk that continues this one."""
        records = [*self.records, *following.records]
        return Chunk(self.partition, self.start, following.end, records, self.epoch)

    def cut(self, most: int, most_bytes: int) -> tuple["Chunk", "Chunk | None"]:
        """The first piece, as ``pieces`` has it, and what is left and continues it."""
        first: Sequence[Record] = next(pieces(self.records, most, most_bytes), ())
        if len(first) == len(self.records):
            return self, None
        middle, rest = first[-1].offset + 1, self.records[len(first) :]
        return (
            Chunk(self.partition, self.start, middle, first, self.epoch),
            Chunk(self.partition, middle, self.end, rest, self.epoch),
        )


def pieces(records: Sequence[Record], most: int, most_bytes: int) -> Iterator[Sequence[Record]]:
    """Cut records into pieces of at most so many, which end once they have so many bytes."""
    first = size = 0
    for place, record in enumerate(records, 1):
        size += len(record.value or b"")
        if size >= most_bytes or place - first >= most:
            yield records[first:place]
            first, size = place, 0
    if first < len(records):
        yield records[first:]
