"""The unit of delivery: everything fetched at once for one partition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskstream.events.record import Record

__all__ = ["Chunk"]


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

    def split(self, most: int) -> Iterator["Chunk"]:
        """Cut into chunks of at most ``most`` records that continue each other."""
        records, start = self.records, self.start
        for index in range(0, max(len(records) - most, 0), most):
            part = records[index : index + most]
            end = part[-1].offset + 1
            yield Chunk(self.partition, start, end, part, self.epoch)
            start = end
        rest = records[(max(len(records) - 1, 0) // most) * most :]
        yield Chunk(self.partition, start, self.end, rest, self.epoch)
