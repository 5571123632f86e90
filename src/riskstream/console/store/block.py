"""Columns of up to a quarter of a million events, in the order of their keys, never changed.

A query looks at what it filters by and nothing else: ten million events are some forty blocks,
and one column of them is read in a few milliseconds.
Beside the columns a block has its counts per hour and facet, so that what asks for levels,
categories and outcomes alone is answered without looking at events.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.facets import MOST_FACETS, ROW, TIME_SHIFT

__all__ = ["BLOCK_ROWS", "HOUR_MS", "Block", "Rows", "insert", "merge_rows"]

BLOCK_ROWS: Final = 262_144
"""Most in one block; a fuller one is split in two."""
HOUR_MS: Final = 3_600_000
_MOST_HOURS: Final = 24 * 400
"""A block that spans more (events far apart) has no counts per hour."""

Rows = NDArray[Any]
"""Of ``ROW``."""


class Block:
    """Events between two keys.

    Args:
        columns: One array per field of ``ROW``, all of one length above 0, sorted by ``key``.
    """

    def __init__(self, columns: dict[str, NDArray[Any]]) -> None:
        self._columns = columns
        self.keys: NDArray[np.int64] = columns["key"]

    @classmethod
    def of_rows(cls, rows: Rows) -> "Block":
        """From rows that are sorted by key."""
        return cls({name: np.ascontiguousarray(rows[name]) for name in _FIELDS})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Block":
        """What ``to_bytes`` made."""
        count = len(data) // _ROW_BYTES
        columns, place = {}, 0
        for name in _FIELDS:
            columns[name] = np.frombuffer(data, ROW[name], count, place)
            place += columns[name].nbytes
        return cls(columns)

    def to_bytes(self) -> bytes:
        """Column after column."""
        return b"".join(self._columns[name].tobytes() for name in _FIELDS)

    def to_rows(self) -> Rows:
        """As rows."""
        rows = np.zeros(len(self), ROW)
        for name in _FIELDS:
            rows[name] = self._columns[name]
        return rows

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self._columns[column]

    @property
    def first(self) -> int:
        """Lowest key."""
        return int(self.keys[0])

    @property
    def last(self) -> int:
        """Highest key."""
        return int(self.keys[-1])

    def span(self, low: int, high: int) -> slice:
        """The places of the keys from ``low`` to below ``high``."""
        if low <= self.first and high > self.last:
            return slice(0, len(self))
        start, stop = np.searchsorted(self.keys, [low, high])
        return slice(int(start), int(stop))

    def since(self, key: int) -> "Block | None":
        """What is left without the keys below; None when nothing is."""
        part = self.span(key, self.last + 1)
        if part.start == 0:
            return self
        if part.start >= len(self):
            return None
        return Block({name: column[part] for name, column in self._columns.items()})

    @property
    def first_hour(self) -> int:
        """Hours since 1970 of the first key."""
        return (self.first >> TIME_SHIFT) // HOUR_MS

    @cached_property
    def hours(self) -> NDArray[np.int64] | None:
        """Counts per hour since ``first_hour`` and facet; None where that would be too wide."""
        width = (self.last >> TIME_SHIFT) // HOUR_MS - self.first_hour + 1
        if width > _MOST_HOURS:
            return None
        hour = (self.keys >> TIME_SHIFT) // HOUR_MS - self.first_hour
        code = hour * MOST_FACETS + self["facet"]
        return np.bincount(code, minlength=width * MOST_FACETS).reshape(width, MOST_FACETS)

    @cached_property
    def facets(self) -> NDArray[np.int64]:
        """Counts per facet."""
        return np.bincount(self["facet"], minlength=MOST_FACETS)


_FIELDS: Final = tuple(name for name in ROW.names or () if name != "spare")
_ROW_BYTES: Final = sum(ROW[name].itemsize for name in _FIELDS)


def insert(blocks: Sequence[Block], rows: Rows) -> tuple[Block, ...]:
    """The blocks with further rows in them; the given ones stay as they were.

    Args:
        blocks: In order, without overlap.
        rows: Sorted by key, none of which is in the blocks.
    """
    if not blocks:
        return tuple(_full(rows))
    found: list[Block] = []
    left = rows
    for place, block in enumerate(blocks):
        # What lies between two blocks goes into the earlier one.
        last = place == len(blocks) - 1
        end = len(left) if last else int(np.searchsorted(left["key"], blocks[place + 1].first))
        part, left = left[:end], left[end:]
        if not len(part):
            found.append(block)
            continue
        grown = merge_rows([block.to_rows(), part])
        found += _full(grown) if last else _even(grown)
    return tuple(found)


def merge_rows(parts: Iterable[Rows]) -> Rows:
    """Rows of several chunks, sorted by key."""
    rows = np.concatenate([np.zeros(0, ROW), *parts])
    return rows[np.argsort(rows["key"], kind="stable")]


def _full(rows: Rows) -> Iterable[Block]:
    """Full blocks, and one of what is left: where time goes on."""
    for start in range(0, len(rows), BLOCK_ROWS):
        yield Block.of_rows(rows[start : start + BLOCK_ROWS])


def _even(rows: Rows) -> Iterable[Block]:
    """Blocks of one size: where late events come in between."""
    for part in np.array_split(rows, -(-len(rows) // BLOCK_ROWS)):
        yield Block.of_rows(part)
