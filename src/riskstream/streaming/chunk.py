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

    def split(self, most: int, most_bytes: int) -> Iterator["Chunk"]:
        """Cut into chunks that continue each other, each as ``pieces`` has them."""
        start, left = self.start, len(self.records)
        for part in pieces(self.records, most, most_bytes):
            left -= len(part)
            end = part[-1].offset + 1 if left else self.end
            yield Chunk(self.partition, start, end, part, self.epoch)
            start = end
        if not self.records:
            yield self


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
