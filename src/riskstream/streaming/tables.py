"""The Faust tables: rows by partition, on our public changelog topics.

They differ from stock tables in two ways. Rows are written by the unit of work that committed
them, never key by key, and recovery reads the changelogs itself (``changelog``), in chunks.
"""

from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any, Final

import faust
from faust.stores.memory import Store as MemoryStore
from typing_extensions import override

from riskstream.events.topics import CONTEXT, FAILURES, LOCKOUTS, PROFILES, USERS
from riskstream.pipeline.rows import CACHED_ROWS
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import TABLES
from riskstream.streaming.stores import MemoryStores, Stores

__all__ = ["StateTable", "StateTables"]


class _RowsByPartition(MutableMapping[str, Any]):
    """Rows of all partitions as one mapping, to read; the partitions' states write them."""

    def __init__(self) -> None:
        self.partitions: dict[int, Mapping[str, Any]] = {}

    @override
    def __getitem__(self, key: str) -> Any:
        for rows in self.partitions.values():
            if key in rows:
                return rows[key]
        raise KeyError(key)

    @override
    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError("Rows are written by the unit of work that commits them.")

    @override
    def __delitem__(self, key: str) -> None:
        raise TypeError("Rows are removed by the unit of work that commits it.")

    @override
    def __iter__(self) -> Iterator[str]:
        for rows in self.partitions.values():
            yield from rows

    @override
    def __len__(self) -> int:
        return sum(map(len, self.partitions.values()))


class _Store(MemoryStore):
    """Faust's memory store over rows by partition."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.data = _RowsByPartition()

    @override
    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Partitions come and go by ``StateTables``."""


class StateTable(faust.Table):
    """One table of the assess hop: rows by subject, a store per partition."""

    @override
    def _new_store(self) -> _Store:
        return _Store(
            "memory://", self.app, self, table_name=self.name, loop=self.loop, options=self.options
        )

    @property
    def rows(self) -> _RowsByPartition:
        """The rows, by partition."""
        rows: _RowsByPartition = self.data.data
        return rows


class StateTables:
    """The five tables and, for each partition, the state that assess works on."""

    def __init__(
        self,
        app: faust.App,
        partitions: int,
        stores: Stores | None = None,
        cached_rows: int = CACHED_ROWS,
    ) -> None:
        self.tables = {topic: self._table(app, topic, partitions) for topic in TABLES}
        self._stores = MemoryStores() if stores is None else stores
        self._cached_rows = cached_rows
        self._states: dict[int, PartitionState] = {}

    @staticmethod
    def _table(app: faust.App, topic: str, partitions: int) -> StateTable:
        changelog = app.topic(
            topic, partitions=partitions, key_type=bytes, value_serializer="raw", acks=False
        )
        name = _NAMES.get(topic) or topic.split(".")[2]
        table = StateTable(app, name=name, partitions=partitions, changelog_topic=changelog)
        app.tables.add(table)
        return table

    def state(self, partition: int) -> PartitionState:
        """State of one partition that is ours.

        Raises:
            KeyError: It is not ours.
        """
        return self._states[partition]

    async def open(self, partition: int) -> PartitionState:
        """State of one partition, which becomes ours; it works on the tables' own rows.

        Raises:
            StateStoreError: Its store cannot be opened.
        """
        if partition not in self._states:
            store = await self._stores.open(partition)
            state = PartitionState(store, self._cached_rows)
            for table, rows in self._rows_of(state):
                table.rows.partitions[partition] = rows
            self._states[partition] = state
        return self._states[partition]

    def close(self, partition: int) -> None:
        """Let go of one partition; its store may be opened again, here or elsewhere."""
        state = self._states.pop(partition, None)
        if state is not None:
            for table in self.tables.values():
                table.rows.partitions.pop(partition, None)
            state.store.close()

    def keep_only(self, partitions: Collection[int]) -> None:
        """Let go of all other partitions."""
        for partition in self._states.keys() - set(partitions):
            self.close(partition)

    def _rows_of(self, state: PartitionState) -> list[tuple[StateTable, Mapping[str, Any]]]:
        rows: dict[str, Mapping[str, Any]] = {
            FAILURES: state.failures,
            LOCKOUTS: state.lockouts,
            USERS: state.standings,
            PROFILES: state.profiles,
            CONTEXT: state.contexts,
        }
        return [(table, rows[topic]) for topic, table in self.tables.items()]

    def key_counts(self) -> dict[str, float]:
        """Rows per table, for the metrics."""
        return {table.name: float(len(table.rows)) for table in self.tables.values()}


_NAMES: Final = {CONTEXT: "context"}
"""Of tables whose topic would not tell them from another: there is one of users already."""
