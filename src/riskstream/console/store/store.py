"""The store as pages see it: reading alone, from any thread."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from riskstream.console.store.alerts import (
    AlertFilters,
    StoredAlert,
    alert_of,
    alerts_behind,
    count_alerts,
    find_alerts,
)
from riskstream.console.store.columns import Columns, Snapshot
from riskstream.console.store.database import open_reader, unpack
from riskstream.console.store.facets import Entity
from riskstream.console.store.filters import Filters
from riskstream.console.store.records import Letter, Remark
from riskstream.console.store.search import Search
from riskstream.console.store.standings import Worst, worst_now

__all__ = ["Store", "StoredEvent"]

MOST_NAMESAKES: Final = 50
"""Users whose names begin with what a person typed."""
_HIGHEST: Final = "\U0010ffff"

StoredEvent = tuple[int, dict[str, Any]]
"""Key and the record's value."""


class Store:
    """What is in this directory, as the writer goes on.

    Args:
        directory: Of a store that a ``Writer`` has made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._links = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self.columns = Columns(directory)

    def close(self) -> None:
        """Let go of the file."""
        self.columns.close()
        for link in self._opened:
            link.close()

    @property
    def link(self) -> sqlite3.Connection:
        """This thread's own."""
        link: sqlite3.Connection | None = getattr(self._links, "link", None)
        if link is None:
            link = self._links.link = open_reader(self._directory)
            self._opened.append(link)
        return link

    @property
    def snapshot(self) -> Snapshot:
        """All events as they are now."""
        return self.columns.snapshot

    def search(self, filters: Filters) -> Search:
        """Ask something."""
        return Search(self.link, self.columns.snapshot, filters)

    def events(self, keys: Sequence[int]) -> list[StoredEvent]:
        """The events of these keys, in their order; those removed meanwhile are left out."""
        found = []
        for key in keys:
            row = self.link.execute("SELECT value FROM event WHERE key = ?", (key,)).fetchone()
            if row is not None:
                found.append((key, orjson.loads(unpack(row[0]))))
        return found

    def values(self, keys: Iterable[int]) -> Iterator[bytes]:
        """The records' values as they were received, one by one."""
        for key in keys:
            row = self.link.execute("SELECT value FROM event WHERE key = ?", (key,)).fetchone()
            if row is not None:
                yield unpack(row[0])

    def event(self, event_id: str) -> StoredEvent | None:
        """One event by its id; the newest, should there be several."""
        found = self.link.execute(
            "SELECT key, value FROM event WHERE id = ? AND key >= ? ORDER BY key DESC LIMIT 1",
            (event_id, self.snapshot.floor),
        ).fetchone()
        return None if found is None else (found[0], orjson.loads(unpack(found[1])))

    def remarks(self, event_ids: Sequence[str]) -> dict[str, list[Remark]]:
        """What was said of these events, the newest first."""
        found: dict[str, list[Remark]] = {}
        for event_id in event_ids:
            rows = self.link.execute(
                "SELECT * FROM remark WHERE event_id = ? ORDER BY at DESC LIMIT 100", (event_id,)
            ).fetchall()
            if rows:
                found[event_id] = [Remark(*row) for row in rows]
        return found

    def row(self, topic: str, key: str) -> bytes | None:
        """A row of a table."""
        found = self.link.execute(
            "SELECT value FROM row WHERE topic = ? AND key = ?", (topic, key)
        ).fetchone()
        return None if found is None else bytes(found[0])

    def rows(self, topic: str) -> Iterator[bytes]:
        """All rows of a table."""
        for (value,) in self.link.execute("SELECT value FROM row WHERE topic = ?", (topic,)):
            yield value

    def worst(self, now_ms: int, most: int) -> Worst:
        """The subjects whose standings are worst by now."""
        return worst_now(self.link, now_ms, most)

    def alerts(
        self, filters: AlertFilters, most: int, before: tuple[int, str] | None = None
    ) -> list[StoredAlert]:
        """Alerts, the newest first, below a place (time, id)."""
        return find_alerts(self.link, filters, most, before)

    def alert_count(self, filters: AlertFilters) -> int:
        """How many alerts there are."""
        return count_alerts(self.link, filters)

    def alert(self, alert_id: str) -> StoredAlert | None:
        """One alert."""
        return alert_of(self.link, alert_id)

    def alerts_behind(self, event_id: str) -> list[StoredAlert]:
        """Alerts that came of this event, the newest first."""
        return alerts_behind(self.link, event_id)

    def letters(self, reason: str, size: int, before: tuple[int, int, int] | None) -> list[Letter]:
        """Dead letters, the newest first, below a place (time, partition, offset)."""
        rows = self.link.execute(
            "SELECT * FROM letter WHERE (?1 = '' OR reason = ?1) "
            "AND (written, partition, position) < (?2, ?3, ?4) "
            "ORDER BY written DESC, partition DESC, position DESC LIMIT ?5",
            (reason, *(before or (2**62, 0, 0)), size),
        )
        return [Letter.from_stored(row) for row in rows]

    def letter(self, partition: int, offset: int) -> Letter | None:
        """One dead letter."""
        row = self.link.execute(
            "SELECT * FROM letter WHERE partition = ? AND position = ?", (partition, offset)
        ).fetchone()
        return None if row is None else Letter.from_stored(row)

    def letter_reasons(self, since_ms: int = 0) -> dict[str, int]:
        """How many dead letters there are per reason."""
        rows = self.link.execute(
            "SELECT reason, count(*) FROM letter WHERE written >= ? GROUP BY 1 ORDER BY 2 DESC",
            (since_ms,),
        )
        return dict(rows.fetchall())

    def tallies(self) -> dict[str, int]:
        """What the writer has counted since the store was made."""
        return dict(self.link.execute("SELECT name, count FROM tally").fetchall())

    def resolve(self, kind: str, text: str) -> tuple[str, ...]:
        """The keys of the users, actors or apps that a person means by a key, an id or a name.

        A whole name goes before names that begin with it; what nobody is called stands for itself.
        """
        if text.isdecimal():
            found = [f"{account}:{text}" for account in self._accounts()]
        else:
            found = [entity.key for entity in self.named(kind, text, whole=True)]
            found = found or [entity.key for entity in self.named(kind, text, MOST_NAMESAKES)]
        return tuple(found) or (text,)

    def named(
        self, kind: str, text: str, most: int = MOST_NAMESAKES, *, whole: bool = False
    ) -> list[Entity]:
        """Those whose name is, or begins with, a text, whatever its case."""
        folded = text.casefold().strip()
        rows = self.link.execute(
            "SELECT kind, key, name FROM entity WHERE kind = ? AND folded BETWEEN ? AND ? LIMIT ?",
            (kind, folded, folded if whole else folded + _HIGHEST, most),
        )
        return [Entity(*row) for row in rows]

    def entity(self, kind: str, key: str) -> Entity | None:
        """The one of this key."""
        row = self.link.execute(
            "SELECT kind, key, name FROM entity WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return None if row is None else Entity(*row)

    def _accounts(self) -> list[str]:
        rows = self.link.execute("SELECT key FROM entity WHERE kind = 'account' LIMIT 100")
        return [key for (key,) in rows]
