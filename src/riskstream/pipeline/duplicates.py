"""The duplicate filter: which event ids a classified partition has seen lately.

Webhooks are sent again when nobody answered in time, and polls overlap. An id that comes again
within a set time is known by its 8-byte hash. Ids are kept in buckets that expire as a whole. A
bucket is named by two numbers that never fall along a log, so nothing but the log decides:

* its *part*: the watermark, which is the newest time met, divided by the width of a part;
* its *segment*: the record's offset divided by the size of a segment.

An id is known while both numbers of a bucket that holds it are at most ``PARTS`` behind those of
the record at hand. The part bounds the time, the segment bounds the memory. Every sighting is
entered, that of a duplicate too, so no decision depends on an earlier one. Hence a filter that
has read the tail of a log decides as one that has read all of it.
"""

from array import array
from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

__all__ = ["PARTS", "PROBE_OFFSETS", "DuplicateFilter", "Sightings", "hash_id", "seen_at"]

PARTS: Final = 2
"""Parts of the window: an id is known for one window at least, and for one and a half at most."""
PROBE_OFFSETS: Final = 2000
"""So many records before a place show the watermark there: raw partitions are not far apart."""
_EFFECT: Final = b"effect:"
"""No event's id begins with it: they begin with the account's number."""
_FIRST_SLOTS: Final = 256


def hash_id(event_id: str, effect: bool) -> int:
    """Eight bytes of an event's id, never 0; the effect of an event has a hash of its own."""
    data = _EFFECT + event_id.encode() if effect else event_id.encode()
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little") or 1


def seen_at(received_ms: int | None, timestamp: int | None) -> int | None:
    """The time that counts for the filter; None where the raw record had none.

    Args:
        received_ms: Timestamp of the raw record.
        timestamp: Of the classified record; a raw record from later than that had a wrong clock.
    """
    if received_ms is None or timestamp is None or timestamp < 0:
        return received_ms
    return min(received_ms, timestamp)


class _Hashes:
    """A set of hashes in an open table of 8-byte slots: 16 to 32 bytes each, once it has grown."""

    __slots__ = ("_count", "mask", "slots")

    def __init__(self) -> None:
        self.slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self.mask = _FIRST_SLOTS - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def update(self, values: Collection[int]) -> None:
        """Enter some; 0 stands for an empty slot and must not come."""
        size = len(self.slots)
        while 2 * (self._count + len(values)) > size:
            size *= 2
        if size > len(self.slots):
            before, self.slots, self.mask = self.slots, array("Q", bytes(8 * size)), size - 1
            self._put(value for value in before if value)
        self._count += self._put(values)

    def _put(self, values: Iterable[int]) -> int:
        slots, mask, added = self.slots, self.mask, 0
        for value in values:
            place = value & mask
            while (held := slots[place]) and held != value:
                place = (place + 1) & mask
            if not held:
                slots[place] = value
                added += 1
        return added


class _Bucket(NamedTuple):
    """What was seen in one part and segment."""

    part: int
    segment: int
    since: int
    """Offset of the first record of this part that was met."""
    hashes: _Hashes


class _Fresh(NamedTuple):
    """What a chunk adds to a bucket, old or new."""

    part: int
    segment: int
    since: int
    hashes: set[int]


class DuplicateFilter:
    """Ids of one classified partition up to its committed offset.

    Args:
        window_ms: An id is known at least so long after it was seen.
        max_ids: Most ids held. The newest ``PARTS`` in ``PARTS + 1`` of so many offsets are
            always known; older ones are forgotten before their time where more than that come.
    """

    def __init__(self, window_ms: int, max_ids: int) -> None:
        self.width_ms = max(-(-window_ms // PARTS), 1)
        self.segment_size = max(max_ids // (PARTS + 1), 1)
        self.part = 0
        """Part of the watermark: the watermark itself is not needed."""
        self.buckets: list[_Bucket] = []

    def __len__(self) -> int:
        """Ids held; one that was seen in several buckets counts in each."""
        return sum(len(bucket.hashes) for bucket in self.buckets)

    @property
    def nbytes(self) -> int:
        """Bytes of their tables."""
        return sum(8 * len(bucket.hashes.slots) for bucket in self.buckets)

    def look(self) -> "Sightings":
        """Begin a chunk."""
        return Sightings(self)

    def apply(self, sightings: "Sightings") -> None:
        """Take over what a committed chunk has seen."""
        self.part = sightings.part
        self.buckets = sightings.kept
        for part, segment, since, hashes in sightings.fresh:
            last = self.buckets[-1] if self.buckets else None
            if last is None or (last.part, last.segment) != (part, segment):
                last = _Bucket(part, segment, since, _Hashes())
                self.buckets.append(last)
            last.hashes.update(hashes)

    @property
    def since_ms(self) -> int:
        """What was seen when the watermark lay before this time is forgotten."""
        return max(self.part - PARTS, 0) * self.width_ms

    def first_offset(self, offset: int) -> int:
        """Where the tail that ends at an offset begins at the latest, by number alone."""
        return max((offset // self.segment_size - PARTS) * self.segment_size - PROBE_OFFSETS, 0)

    def tail(self, committed: int) -> int:
        """The first offset that must still be there to fill this filter again."""
        if not self.buckets:
            return committed
        return min(max(self.buckets[0].since, self.first_offset(committed)), committed)


class Sightings:
    """What one chunk sees, over what the filter knows; the filter itself stays as it is."""

    __slots__ = (
        "_filter",
        "_hashes",
        "_part_ends",
        "_segment_ends",
        "_tables",
        "forgotten",
        "fresh",
        "kept",
        "part",
    )

    def __init__(self, known: DuplicateFilter) -> None:
        self._filter = known
        self.part = known.part
        """Part of the watermark."""
        self.kept = list(known.buckets)
        """Buckets of the filter that have not expired since."""
        self.fresh: list[_Fresh] = []
        """What was seen; the first may continue the last bucket kept."""
        self.forgotten = 0
        """Ids that went before their time, to keep within the bound."""
        self._hashes: set[int] = set()
        """Of the last of ``fresh``."""
        self._tables: list[tuple[array[int], int]] = []
        self._part_ends = self._segment_ends = -1

    def add(self, value: int, time_ms: int, offset: int) -> bool:
        """Enter a hash, and say whether it was known. Offsets must rise."""
        if time_ms >= self._part_ends or offset >= self._segment_ends:
            self._open(time_ms, offset)
        if value in self._hashes:
            return True
        self._hashes.add(value)
        for slots, mask in self._tables:
            place = value & mask
            while held := slots[place]:
                if held == value:
                    return True
                place = (place + 1) & mask
        return len(self.fresh) > 1 and any(value in held.hashes for held in self.fresh[:-1])

    def _open(self, time_ms: int, offset: int) -> None:
        """Go on in another bucket, and let go of those that have expired."""
        width, size = self._filter.width_ms, self._filter.segment_size
        self.part = part = max(self.part, time_ms // width)
        segment = offset // size
        self._part_ends, self._segment_ends = (part + 1) * width, (segment + 1) * size
        buckets: list[_Bucket | _Fresh] = [*self.kept, *self.fresh]
        since = buckets[-1].since if buckets and buckets[-1].part == part else offset
        for held in buckets:
            if held.part >= part - PARTS and held.segment < segment - PARTS:
                self.forgotten += len(held.hashes)
        self.kept = [held for held in self.kept if _is_near(held, part, segment)]
        self.fresh = [held for held in self.fresh if _is_near(held, part, segment)]
        self._hashes = set()
        self.fresh.append(_Fresh(part, segment, since, self._hashes))
        self._tables = [(held.hashes.slots, held.hashes.mask) for held in self.kept]


def _is_near(held: _Bucket | _Fresh, part: int, segment: int) -> bool:
    return held.part >= part - PARTS and held.segment >= segment - PARTS
