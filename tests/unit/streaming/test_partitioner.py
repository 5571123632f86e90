"""Keys go where the Java client would put them."""

import pytest

from riskstream.streaming.partitioner import partition_of

# Kafka's own expectations of murmur2: UtilsTest.testMurmur2 of apache/kafka.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA.items())
def test_partition_is_that_of_the_java_client(key: bytes, hashed: int) -> None:
    """``toPositive(murmur2(key)) % partitions``."""
    assert partition_of(key, 12) == (hashed & 0x7FFFFFFF) % 12
