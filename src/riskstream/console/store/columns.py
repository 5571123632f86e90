"""The columns of all events in memory, kept up with the file."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskstream.console.store.block import Block, Rows, insert, merge_rows
from riskstream.console.store.database import open_reader, transaction
from riskstream.console.store.facets import ROW

__all__ = ["Columns", "Snapshot", "read_blocks"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All events at one time; never changed."""

    blocks: tuple[Block, ...] = ()
    """In the order of their keys, without overlap."""
    delta: int = 0
    """The latest chunk in it."""
    floor: int = 0

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(len(block) for block in self.blocks)

    @property
    def first(self) -> int | None:
        """The oldest key."""
        return self.blocks[0].first if self.blocks else None

    @property
    def last(self) -> int | None:
        """The newest key."""
        return self.blocks[-1].last if self.blocks else None


class Columns:
    """Follows the file; ``snapshot`` may be read from any thread.

    Args:
        directory: Of the store.
    """

    def __init__(self, directory: Path) -> None:
        self._link = open_reader(directory)
        self._lock = threading.Lock()
        self.snapshot = self._load()

    def close(self) -> None:
        """Let go of the file."""
        self._link.close()

    def refresh(self) -> Rows:
        """Take in what the writer has stored since; the new rows, sorted by key."""
        with self._lock, transaction(self._link, "DEFERRED"):
            old = self.snapshot
            floor, last, settled = _meta(self._link)
            if old.delta < _oldest(self._link, settled) - 1 or old.delta > last:
                # Too far behind: chunks that we have not seen were put into blocks and deleted.
                self.snapshot = self._read(floor, last, settled)
                return np.zeros(0, ROW)
            new = np.zeros(0, ROW)
            blocks = old.blocks
            if last > old.delta:
                found = self._link.execute(
                    "SELECT rows FROM delta WHERE number > ? ORDER BY number", (old.delta,)
                )
                new = _above(merge_rows(np.frombuffer(part, ROW) for (part,) in found), floor)
                if len(new):
                    blocks = insert(blocks, new)
            if floor > old.floor:
                blocks = _trimmed(blocks, floor)
            self.snapshot = Snapshot(blocks, last, floor)
            return new

    def _load(self) -> Snapshot:
        with transaction(self._link, "DEFERRED"):
            return self._read(*_meta(self._link))

    def _read(self, floor: int, last: int, settled: int) -> Snapshot:
        firsts = [first for (first,) in self._link.execute("SELECT first FROM block ORDER BY 1")]
        blocks = tuple(read_blocks(self._link, firsts))
        found = self._link.execute("SELECT rows FROM delta WHERE number > ?", (settled,))
        rows = merge_rows(np.frombuffer(part, ROW) for (part,) in found)
        if len(rows):
            blocks = insert(blocks, rows)
        blocks = _trimmed(blocks, floor)
        for block in blocks:
            _ = block.hours  # counted now, not while somebody waits
        return Snapshot(blocks, last, floor)


def read_blocks(link: sqlite3.Connection, firsts: Sequence[int]) -> list[Block]:
    """The blocks that begin with these keys."""
    return [
        Block.from_bytes(columns)
        for first in firsts
        for (columns,) in link.execute("SELECT columns FROM block WHERE first = ?", (first,))
    ]


def _meta(link: sqlite3.Connection) -> tuple[int, int, int]:
    """Floor, latest chunk, latest chunk that is in blocks."""
    found = dict(link.execute("SELECT name, value FROM meta"))
    return (
        int(found.get("floor", 0)),
        int(found.get("delta", 0)),
        int(found.get("settled", 0)),
    )


def _oldest(link: sqlite3.Connection, settled: int) -> int:
    (oldest,) = link.execute("SELECT min(number) FROM delta").fetchone()
    return settled + 1 if oldest is None else int(oldest)


def _above(rows: Rows, floor: int) -> Rows:
    return rows[np.searchsorted(rows["key"], floor) :]


def _trimmed(blocks: Iterable[Block], floor: int) -> tuple[Block, ...]:
    left = (block.since(floor) for block in blocks)
    return tuple(block for block in left if block is not None)
