"""Cutting chunks must neither lose nor repeat a record or a position."""

from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from riskstream.streaming.chunk import Chunk
from tests.support.streaming import make_chunk


def cut_up(chunk: Chunk, most: int, most_bytes: int) -> list[Chunk]:
    """Cut as long as there is a rest."""
    parts: list[Chunk] = []
    rest: Chunk | None = chunk
    while rest is not None:
        part, rest = rest.cut(most, most_bytes)
        parts.append(part)
    return parts


@given(
    st.lists(st.integers(0, 500), unique=True, max_size=60).map(sorted),
    st.integers(1, 20),
    st.integers(1, 30),
    st.integers(0, 5),
)
def test_cutting_keeps_every_record_and_every_position(
    offsets: list[int], most: int, most_bytes: int, control_records: int
) -> None:
    """Parts continue each other from start to end, hold the records in order, and stay small."""
    end = (offsets[-1] + 1 if offsets else 0) + control_records
    chunk = make_chunk(0, end, offsets=offsets)

    parts = cut_up(chunk, most, most_bytes)

    assert [record for part in parts for record in part.records] == list(chunk.records)
    assert parts[0].start == chunk.start
    assert parts[-1].end == chunk.end
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert all(len(part.records) <= most for part in parts)
    assert sum(part.nbytes for part in parts) == chunk.nbytes
    assert reduce(Chunk.joined, parts) == chunk
    assert all(2 * (len(part.records) - 1) < most_bytes for part in parts)
    assert all(part.start <= record.offset < part.end for part in parts for record in part.records)


def test_a_chunk_of_control_records_alone_still_moves_the_position() -> None:
    """Aborted transactions leave nothing to read, and the position must pass them."""
    parts = cut_up(make_chunk(7, 9, offsets=[]), 100, 100)

    assert [(part.start, part.end, len(part.records)) for part in parts] == [(7, 9, 0)]
