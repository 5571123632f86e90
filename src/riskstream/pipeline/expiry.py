"""Finding expired rows, a bounded number at a time.

An expired row reads as absent, so when its tombstone goes out decides nothing. No index is kept:
it would cost as much as the rows. A sweep looks at a table's rows some at a time; it begins
when the watermark has passed the earliest time at which any of them may expire, and learns the
next such time as it goes.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from riskstream.events.topics import FAILURES, LOCKOUTS, PROFILES, USERS
from riskstream.pipeline.store import RowStore
from riskstream.risk.profile import PROFILES_TTL_MS
from riskstream.risk.standing import STANDINGS_TTL_MS
from riskstream.windows.failures import FAILURES_TTL_MS
from riskstream.windows.lockouts import LOCKOUTS_TTL_MS
from riskstream.windows.packed import packed_as_of

__all__ = ["LOOKED_AT", "MAX_TOMBSTONES", "TTL_MS", "Expiry", "RowKey"]

MAX_TOMBSTONES: Final = 100
"""Expired rows removed by one chunk at most: a jump of the watermark is spread over many."""
LOOKED_AT: Final = 256
"""Rows of a table looked at after one chunk at most."""
TTL_MS: Final = {
    FAILURES: FAILURES_TTL_MS,
    LOCKOUTS: LOCKOUTS_TTL_MS,
    USERS: STANDINGS_TTL_MS,
    PROFILES: PROFILES_TTL_MS,
}

RowKey = tuple[str, str]
"""Topic of the table, subject."""


class Expiry:
    """The expired rows of a partition that the next chunk removes, unless it writes them anew."""

    def __init__(self, store: RowStore) -> None:
        self._store = store
        self.due: dict[RowKey, None] = {}
        self._sweeps = {topic: _Sweep(ttl) for topic, ttl in TTL_MS.items()}

    def written(self, topic: str, subject: str, as_of_ms: int | None) -> None:
        """A row was written with this ``as_of``, or removed."""
        self.due.pop((topic, subject), None)
        if as_of_ms is not None:
            self._sweeps[topic].note(as_of_ms)

    def step(self, watermark_ms: int) -> None:
        """Look at some more rows."""
        for topic, sweep in self._sweeps.items():
            if len(self.due) >= MAX_TOMBSTONES:
                return
            if sweep.rows is None:
                if watermark_ms <= sweep.earliest_ms:
                    continue
                sweep.begin(self._store.scan(topic))
            self._look(topic, sweep, watermark_ms)

    def reset(self) -> None:
        """The rows were replaced by another way: begin anew, knowing nothing."""
        self.due.clear()
        for topic, ttl in TTL_MS.items():
            self._sweeps[topic] = _Sweep(ttl)

    def _look(self, topic: str, sweep: "_Sweep", watermark_ms: int) -> None:
        due, seen = self.due, 0
        for subject, row in islice(sweep.rows or (), LOOKED_AT):
            seen += 1
            as_of = packed_as_of(row)
            if as_of + sweep.ttl_ms >= watermark_ms:
                sweep.note(as_of)
                continue
            due[topic, subject] = None
            if len(due) >= MAX_TOMBSTONES:
                # Those due are still there, and a chunk may abort: the table is looked at again.
                return
        if seen < LOOKED_AT:
            sweep.end()


class _Sweep:
    """One table's."""

    def __init__(self, ttl_ms: int) -> None:
        self.ttl_ms = ttl_ms
        self.rows: Iterator[tuple[str, bytes]] | None = None
        """Those not looked at yet; None between sweeps."""
        self.earliest_ms = 0
        """No row expires before this."""
        self._next_ms: int | None = None
        """The same for the rows looked at or written since the sweep began."""

    def begin(self, rows: Iterator[tuple[str, bytes]]) -> None:
        self.rows, self._next_ms = rows, None

    def note(self, as_of_ms: int) -> None:
        expires = as_of_ms + self.ttl_ms
        self.earliest_ms = min(self.earliest_ms, expires)
        if self._next_ms is None or expires < self._next_ms:
            self._next_ms = expires

    def end(self) -> None:
        self.rows = None
        self.earliest_ms = _NEVER_MS if self._next_ms is None else self._next_ms


_NEVER_MS: Final = 1 << 62
