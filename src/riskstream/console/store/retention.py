"""What is removed: events older than is kept, and the oldest ones when the file grows too large."""

from typing import Final

from riskstream.console.store.alerts import forget_alerts
from riskstream.console.store.database import DAY_MS, day_of, text_days, transaction
from riskstream.console.store.facets import first_key, time_of
from riskstream.console.store.writer import Writer

__all__ = ["Retention"]

SLICE: Final = 2_000
"""Events deleted in one transaction."""
STEP: Final = 20
"""Over the size limit, this part of the time covered goes at once."""
LETTER_DAYS: Final = 30
"""Of dead letters, as long as their topic keeps them; events may be kept for longer."""


class Retention:
    """Looks after one store.

    Args:
        writer: Of the store.
        keep_ms: How long events are kept after their time.
        most_bytes: Of the file.
    """

    def __init__(self, writer: Writer, keep_ms: int, most_bytes: int) -> None:
        self._writer = writer
        self._keep_ms = keep_ms
        self._most_bytes = most_bytes

    def raise_floor(self, now_ms: int) -> None:
        """Say what is too old; nobody sees it from then on."""
        link = self._writer.link
        floor = max(self._writer.floor, first_key(now_ms - self._keep_ms))
        if self.used_bytes() > self._most_bytes:
            floor = max(floor, self._higher(floor))
        with transaction(link):
            link.execute("REPLACE INTO meta VALUES ('floor', ?)", (floor,))
            link.execute("DELETE FROM entity WHERE seen < ?", (time_of(floor) - DAY_MS,))
            forget_alerts(link, time_of(floor))
            letters = max(now_ms - LETTER_DAYS * DAY_MS, 0)
            link.execute("DELETE FROM letter WHERE written < ?", (letters,))
        for day in text_days(link):
            if day < day_of(floor):
                self._writer.forget_day(day)

    def remove_some(self) -> bool:
        """Delete a slice of what is too old; whether there may be more."""
        link, floor = self._writer.link, self._writer.floor
        with transaction(link):
            done = link.execute(
                "DELETE FROM event WHERE key IN "
                "(SELECT key FROM event WHERE key < ? ORDER BY key LIMIT ?)",
                (floor, SLICE),
            )
            if done.rowcount < SLICE:
                # A block is deleted once the next one begins below the floor.
                link.execute(
                    "DELETE FROM block WHERE first < "
                    "(SELECT max(first) FROM block WHERE first <= ?)",
                    (floor,),
                )
        return done.rowcount == SLICE

    def used_bytes(self) -> int:
        """Of the file, less what deletions have freed."""
        link = self._writer.link
        (size,) = link.execute("PRAGMA page_size").fetchone()
        (pages,) = link.execute("PRAGMA page_count").fetchone()
        (free,) = link.execute("PRAGMA freelist_count").fetchone()
        return int(size) * (int(pages) - int(free))

    def _higher(self, floor: int) -> int:
        (first, last) = self._writer.link.execute(
            "SELECT (SELECT min(key) FROM event WHERE key >= ?), (SELECT max(key) FROM event)",
            (floor,),
        ).fetchone()
        if first is None:
            return floor
        return int(first) + (int(last) - int(first)) // STEP + 1
