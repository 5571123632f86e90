"""Taking records into the store: rows, columns, words and positions in one transaction each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from riskstream.console.store.alerts import put_alert, read_alert
from riskstream.console.store.block import Rows, insert, merge_rows
from riskstream.console.store.columns import read_blocks
from riskstream.console.store.database import (
    DAY_MS,
    day_of,
    open_writer,
    pack,
    text_days,
    text_table,
    transaction,
)
from riskstream.console.store.facets import ROW, Entity, Incoming, read_scored, time_of
from riskstream.console.store.records import Letter, Remark, read_letter, read_remark
from riskstream.console.store.standings import forget_standing, note_standing
from riskstream.errors import StateStoreError
from riskstream.events.record import Record
from riskstream.events.topics import ALERTS, DEAD_LETTER, FEEDBACK, SCORED, USERS

__all__ = ["Position", "Taken", "Writer"]

Position = tuple[str, int]
"""Topic and partition."""
Taken = Counter[str]
"""``stored``, ``repeated``, ``expired``, ``strange``, ``rows``, ``letters``, ``remarks``,
``alerts``."""

DELTAS: Final = 1000
DELTA_ROWS: Final = 131_072
"""The columns of so many chunks or rows are then put into blocks."""
KNOWN_ENTITIES: Final = 200_000
_SCORED: Final = frozenset(SCORED.values())


class Writer:
    """The one that changes the store in this directory.

    Args:
        directory: Made when it is not there.

    Raises:
        StateStoreError: It cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self.link = open_writer(directory)
        self._known: dict[Entity, int] = {}
        self._days = set(text_days(self.link))
        self._delta, self._waiting, self._waiting_rows = self._deltas()

    def close(self) -> None:
        """Let go of the file."""
        self.link.close()

    @property
    def floor(self) -> int:
        """The lowest key that is kept."""
        found = self.link.execute("SELECT value FROM meta WHERE name = 'floor'").fetchone()
        return int(found[0]) if found else 0

    def positions(self) -> dict[Position, int]:
        """Per partition the offset to go on from."""
        rows = self.link.execute("SELECT topic, partition, next FROM position")
        return {(topic, partition): offset for topic, partition, offset in rows}

    def take(
        self,
        records: Sequence[Record],
        before: Mapping[Position, int | None],
        after: Mapping[Position, int],
    ) -> Taken:
        """Take records in and go on to these positions, or do neither.

        Args:
            records: Of any followed topic, in order within each partition.
            before: Where the reading of these partitions stood; None where it began.
            after: Where it stands now.

        Raises:
            StateStoreError: Another console has gone on from there in the meantime.
        """
        incoming, taken = self._sorted(records)
        with transaction(self.link):
            self._check(before)
            self._take_events(incoming, taken)
            for record in records:
                self._take_other(record, taken)
            self.link.executemany(
                "REPLACE INTO position VALUES (?, ?, ?)",
                [(topic, partition, offset) for (topic, partition), offset in after.items()],
            )
            self.link.executemany(
                "INSERT INTO tally VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
                [(name, count) for name, count in taken.items() if count],
            )
        if self._waiting >= DELTAS or self._waiting_rows >= DELTA_ROWS:
            self.settle()
        return taken

    def settle(self) -> None:
        """Put the columns of the latest chunks into blocks.

        Those of the round before are deleted, not these: a reader may not have seen them yet.
        """
        with transaction(self.link):
            settled = self._meta("settled")
            rows = self.link.execute("SELECT rows FROM delta WHERE number > ?", (settled,))
            new = merge_rows(np.frombuffer(part, ROW) for (part,) in rows)
            new = new[np.searchsorted(new["key"], self.floor) :]
            if len(new):
                self._settle_rows(new)
            self.link.execute("DELETE FROM delta WHERE number <= ?", (settled,))
            self._set_meta("settled", self._delta)
        self._waiting = self._waiting_rows = 0

    def forget_day(self, day: int) -> None:
        """Remove the full-text table of a day that is not kept any more."""
        self._days.discard(day)
        with transaction(self.link):
            self.link.execute(f"DROP TABLE IF EXISTS {text_table(day)}")

    def _settle_rows(self, new: Rows) -> None:
        """Rewrite the blocks that the rows fall into."""
        firsts = [first for (first,) in self.link.execute("SELECT first FROM block ORDER BY 1")]
        place = max(int(np.searchsorted(firsts, new["key"][0], "right")) - 1, 0)
        touched = firsts[place:]
        blocks = insert(read_blocks(self.link, touched), new)
        self.link.executemany("DELETE FROM block WHERE first = ?", [(each,) for each in touched])
        self.link.executemany(
            "INSERT INTO block VALUES (?, ?)",
            [(block.first, block.to_bytes()) for block in blocks],
        )

    def _deltas(self) -> tuple[int, int, int]:
        last, settled = self._meta("delta"), self._meta("settled")
        count, size = self.link.execute(
            "SELECT count(*), coalesce(sum(length(rows)), 0) FROM delta WHERE number > ?",
            (settled,),
        ).fetchone()
        return last, count, size // ROW.itemsize

    def _meta(self, name: str) -> int:
        found = self.link.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def _set_meta(self, name: str, value: int) -> None:
        self.link.execute("REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _check(self, before: Mapping[Position, int | None]) -> None:
        stored = self.positions()
        for position, offset in before.items():
            if stored.get(position) != offset:
                raise StateStoreError(
                    f"Another console has taken {position[0]}-{position[1]} in beyond {offset}. "
                    "One directory serves one console at a time."
                )

    def _sorted(self, records: Sequence[Record]) -> tuple[list[Incoming], Taken]:
        """Scored events in the order of their keys, so that trees and indexes grow at one end."""
        taken: Taken = Counter()
        floor = self.floor
        found = []
        for record in records:
            if record.topic not in _SCORED:
                continue
            incoming = read_scored(record.value or b"", record.timestamp)
            if incoming is None:
                taken["strange"] += 1
            elif incoming.key < floor:
                taken["expired"] += 1
            else:
                found.append(incoming)
        found.sort(key=lambda incoming: incoming.key)
        return found, taken

    def _take_events(self, incoming: Sequence[Incoming], taken: Taken) -> None:
        packed: list[bytes] = []
        texts: dict[int, list[tuple[int, str]]] = {}
        entities: dict[Entity, int] = {}
        for event in incoming:
            key = self._place(event)
            if key is None:
                taken["repeated"] += 1
                continue
            packed.append(event.pack(key))
            texts.setdefault(day_of(key), []).append((key, event.words))
            for entity in event.entities:
                entities[entity] = max(day_of(key), entities.get(entity, 0))
        if not packed:
            return
        taken["stored"] += len(packed)
        self._delta += 1
        self._waiting += 1
        self._waiting_rows += len(packed)
        self.link.execute("INSERT INTO delta VALUES (?, ?)", (self._delta, b"".join(packed)))
        self._set_meta("delta", self._delta)
        for day, rows in texts.items():
            self._text(day, rows)
        self._note(entities)

    def _place(self, event: Incoming) -> int | None:
        """Store an event and say where; None when it is there already."""
        key, value = event.key, pack(event.value)
        while True:
            done = self.link.execute(
                "INSERT OR IGNORE INTO event VALUES (?, ?, ?)", (key, event.id, value)
            )
            if done.rowcount:
                return key
            (there,) = self.link.execute("SELECT id FROM event WHERE key = ?", (key,)).fetchone()
            if there == event.id:
                return None
            key += 1

    def _text(self, day: int, rows: Sequence[tuple[int, str]]) -> None:
        table = text_table(day)
        if day not in self._days:
            self.link.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table} USING fts5(words, content='', "
                "detail=none, columnsize=0, tokenize='ascii')"
            )
            self._days.add(day)
        self.link.executemany(f"INSERT INTO {table}(rowid, words) VALUES (?, ?)", rows)  # noqa: S608

    def _note(self, entities: Mapping[Entity, int]) -> None:
        """Keep names, each once a day."""
        new = [(entity, day) for entity, day in entities.items() if self._known.get(entity) != day]
        self.link.executemany(
            "INSERT INTO entity VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET "
            "name = iif(excluded.name = '', name, excluded.name), "
            "folded = iif(excluded.name = '', folded, excluded.folded), "
            "seen = max(seen, excluded.seen)",
            [(*entity, entity.name.casefold(), day * DAY_MS) for entity, day in new],
        )
        if len(self._known) > KNOWN_ENTITIES:
            self._known.clear()
        self._known.update(new)

    def _take_other(self, record: Record, taken: Taken) -> None:
        if record.topic in _SCORED:
            return
        if record.topic == DEAD_LETTER:
            self._take_letter(read_letter(record), taken)
        elif record.topic == FEEDBACK:
            self._take_remark(read_remark(record), taken)
        elif record.topic == ALERTS:
            self._take_alert(record, taken)
        else:
            self._take_row(record, taken)

    def _take_letter(self, letter: Letter, taken: Taken) -> None:
        self.link.execute(
            "INSERT OR IGNORE INTO letter VALUES (?, ?, ?, ?, ?, ?, ?, ?)", letter.stored()
        )
        taken["letters"] += 1

    def _take_remark(self, remark: Remark | None, taken: Taken) -> None:
        if remark is None:
            taken["strange"] += 1
            return
        self.link.execute("REPLACE INTO remark VALUES (?, ?, ?, ?, ?)", remark)
        taken["remarks"] += 1

    def _take_alert(self, record: Record, taken: Taken) -> None:
        alert = read_alert(record)
        if alert is None:
            taken["strange"] += 1
        elif alert.at_ms < time_of(self.floor):
            taken["expired"] += 1
        elif put_alert(self.link, alert, record.value or b""):
            taken["alerts"] += 1
        else:
            taken["repeated"] += 1

    def _take_row(self, record: Record, taken: Taken) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value is None:
            self.link.execute("DELETE FROM row WHERE topic = ? AND key = ?", (record.topic, key))
        else:
            self.link.execute(
                "REPLACE INTO row VALUES (?, ?, ?)", (record.topic, key, record.value)
            )
        if record.topic == USERS:
            if record.value is None:
                forget_standing(self.link, key)
            else:
                note_standing(self.link, key, record.value)
        taken["rows"] += 1
