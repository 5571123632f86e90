"""Which partition a key belongs to: murmur2, as the Java client does."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

__all__ = ["partition_of"]


@lru_cache(maxsize=131_072)
def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key in a topic of so many partitions.

    Cached, since aiokafka's murmur2 is written in Python and subjects come again.
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
