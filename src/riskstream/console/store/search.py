"""The events asked for, the newest first, with their counts.

Without free text the columns answer, and counts are exact.
With free text the full-text index names the events, the newest first, and the columns pass or
refuse them; this stops at ``MOST_COUNTED`` events found or ``COUNT_SECONDS`` spent, or
``TEXT_SECONDS`` while the page is not full, and says so.
Where the other filters leave few enough, these are read and looked through instead.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.block import Block
from riskstream.console.store.columns import Snapshot
from riskstream.console.store.counts import Counts
from riskstream.console.store.database import DAY_MS, text_days, text_table, unpack
from riskstream.console.store.facets import TIME_SHIFT, stored_words, time_of
from riskstream.console.store.filters import ALL_TIME, Filters
from riskstream.console.store.histogram import Bars, bars_between
from riskstream.console.store.matcher import Matcher, count_places
from riskstream.console.store.words import TextQuery, parse_text

__all__ = ["MOST_COUNTED", "Found", "Search"]

MOST_COUNTED: Final = 10_000
"""Events that free text may find before counting stops."""
MOST_READ: Final = 200
"""Events that are read and looked through rather than found by the full-text index."""
COUNT_SECONDS: Final = 0.05
TEXT_SECONDS: Final = 0.12
TEXT_CHUNK: Final = 4_000
FAR_SECONDS: Final = 5.0
"""For who must have all: an export."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page and the counts of all."""

    keys: list[int]
    """The newest first."""
    counts: Counts
    more: bool
    """There are older ones."""
    capped: bool = False
    """Counting stopped early: there may be more than ``counts`` says."""
    looked_back_to: int = 0
    """Where it stopped, epoch milliseconds."""

    @property
    def bars(self) -> Bars:
        """Over time."""
        return self.counts.bars


class Search:
    """One question to one snapshot.

    Args:
        link: To the file.
        snapshot: Of its columns.
        filters: What is asked for.
        clock: Seconds; bounds the time that free text may take.
    """

    def __init__(
        self,
        link: sqlite3.Connection,
        snapshot: Snapshot,
        filters: Filters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._blocks = snapshot.blocks
        low = max(filters.low, snapshot.floor)
        self._filters = replace(filters, low=low)
        self._matcher = Matcher(self._filters)
        self._text = parse_text(filters.text)
        self._clock = clock

    @property
    def nothing_asked(self) -> bool:
        """There is a text without any word."""
        return bool(self._filters.text.strip()) and not self._text

    def page(self, size: int, before: int = ALL_TIME) -> Found:
        """The newest events below a key, and the counts of all.

        Args:
            size: Most events.
            before: A key.
        """
        if not self._text:
            return self._page_of_columns(size, before)
        return self._page_of_text(size, before)

    def newer(self, size: int, after: int) -> list[int]:
        """The keys of the events next above a key, the newest first."""
        found: list[int] = []
        for key in self.upwards(after):
            found.append(key)
            if len(found) == size:
                break
        return found[::-1]

    def upwards(self, after: int) -> Iterator[int]:
        """All keys above one, the oldest first."""
        for block in self._blocks:
            if block.last <= after:
                continue
            keys = block.keys[self._matcher.places(block, after + 1, ALL_TIME)]
            yield from self._with_text(keys)

    def downwards(self, before: int = ALL_TIME) -> Iterator[int]:
        """All keys below one, the newest first."""
        for block in reversed(self._blocks):
            if block.first >= before:
                continue
            keys = block.keys[self._matcher.places(block, 0, before)]
            yield from list(self._with_text(keys))[::-1]

    def bars(self) -> Bars:
        """What the histogram covers: the range asked for, within what there is."""
        if not self._blocks:
            return bars_between(0, 1)
        first = max(self._filters.low, self._blocks[0].first)
        last = min(self._filters.high - 1, self._blocks[-1].last)
        return bars_between(time_of(first), max(time_of(last), time_of(first)) + 1)

    def _page_of_columns(self, size: int, before: int) -> Found:
        counts = Counts(self.bars(), self._matcher)
        for block in self._asked():
            counts.add(block)
        keys: list[int] = []
        for block in reversed(self._asked()):
            if len(keys) > size:
                break
            if block.first < before and self._may_hold(block):
                places = self._matcher.places(block, 0, before)
                keys += block.keys[places][: -(size + 2) : -1].tolist()
        return Found(keys[:size], counts, more=len(keys) > size)

    def _asked(self) -> list[Block]:
        low, high = self._filters.low, self._filters.high
        return [block for block in self._blocks if block.last >= low and block.first < high]

    def _may_hold(self, block: Block) -> bool:
        return bool(block.facets[self._matcher.facets].any())

    def _page_of_text(self, size: int, before: int) -> Found:
        counts = Counts(self.bars(), self._matcher)
        found: list[int] = []
        capped, stopped = False, 0
        started = self._clock()
        for chunk, reached in self._text_chunks(started + COUNT_SECONDS):
            for block, keys in _by_block(self._blocks, chunk):
                counts.add_places(block, np.searchsorted(block.keys, keys))
            found += chunk[::-1].tolist()
            enough = len(found) > size or self._clock() > started + TEXT_SECONDS
            if len(found) >= MOST_COUNTED or (reached and enough):
                capped, stopped = True, int(reached or chunk[0])
                break
        page = [key for key in found if key < before]
        if capped and len(page) <= size and before < ALL_TIME:
            # Deeper than was counted: go on from there, for the page alone.
            page = self._text_page(size + 1, before)
            capped = True
        return Found(page[:size], counts, len(page) > size, capped, time_of(stopped))

    def _text_page(self, size: int, before: int) -> list[int]:
        within = replace(self._filters, high=min(self._filters.high, before))
        deeper = Search(self._link, Snapshot(self._blocks), within, self._clock)
        found: list[int] = []
        for chunk, _reached in deeper._text_chunks(self._clock() + FAR_SECONDS):
            found += chunk[::-1].tolist()
            if len(found) >= size:
                break
        return found

    def _text_chunks(self, deadline: float) -> Iterator[tuple[NDArray[np.int64], int]]:
        """Keys found, sorted, the newest chunk first; with each 0, or where time ran out."""
        if (few := self._few()) is not None:
            yield np.array(list(self._with_text(few)), np.int64), 0
            return
        expression = f"({self._text.expression()}){self._matcher.marks()}"
        for day in text_days(self._link):
            table = text_table(day)
            low = max(self._filters.low, day_start(day))
            high = min(self._filters.high, day_start(day + 1))
            while low < high:
                rows = self._link.execute(
                    f"SELECT rowid FROM {table} WHERE {table} MATCH ? "  # noqa: S608  (a number)
                    "AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
                    (expression, low, high, TEXT_CHUNK),
                ).fetchall()
                keys = np.array([key for (key,) in rows], np.int64)[::-1]
                late = self._clock() > deadline
                full = len(keys) == TEXT_CHUNK
                high = int(keys[0]) if full else low
                yield self._passed(keys), high if late else 0

    def _few(self) -> NDArray[np.int64] | None:
        """The keys that the other filters leave, when these are few."""
        found: list[NDArray[np.int64]] = []
        count = 0
        for block in self._asked():
            places = self._matcher.places(block, self._filters.low, self._filters.high)
            count += count_places(places)
            if count > MOST_READ:
                return None
            found.append(block.keys[places])
        return np.concatenate([np.zeros(0, np.int64), *found])

    def _with_text(self, keys: NDArray[np.int64]) -> Iterator[int]:
        """Those of the keys, sorted, whose events hold the words."""
        if not self._text:
            yield from keys.tolist()
            return
        for start in range(0, len(keys), TEXT_CHUNK):
            yield from _read_and_match(self._link, self._text, keys[start : start + TEXT_CHUNK])

    def _passed(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the keys, sorted, that the other filters let pass."""
        passed = [np.zeros(0, np.int64)]
        for block, part in _by_block(self._blocks, keys):
            places = np.searchsorted(block.keys, part)
            passed.append(block.keys[self._matcher.among(block, places)])
        return np.concatenate(passed)


def day_start(day: int) -> int:
    """The lowest key of a day."""
    return (day * DAY_MS) << TIME_SHIFT


def _by_block(
    blocks: Sequence[Block], keys: NDArray[np.int64]
) -> Iterator[tuple[Block, NDArray[np.int64]]]:
    """The sorted keys that are in each block; those in none are left out."""
    if not len(keys):
        return
    for block in blocks:
        if block.last < keys[0] or block.first > keys[-1]:
            continue
        part = keys[np.searchsorted(keys, block.first) : np.searchsorted(keys, block.last, "right")]
        there = block.keys[np.searchsorted(block.keys, part)] == part
        if there.any():
            yield block, part[there]


def _read_and_match(
    link: sqlite3.Connection, text: TextQuery, keys: NDArray[np.int64]
) -> Iterator[int]:
    for key in keys.tolist():
        row = link.execute("SELECT value FROM event WHERE key = ?", (key,)).fetchone()
        if row is not None and text.match(stored_words(unpack(row[0]))):
            yield key
