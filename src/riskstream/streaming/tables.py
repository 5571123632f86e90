"""The Faust tables: rows by partition, on our public changelog topics.

They differ from stock tables in two ways. Rows are written by the unit of work that committed
them, never key by key, and recovery reads the changelogs itself (``changelog``), in chunks.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

import faust
from faust.stores.memory import Store as MemoryStore
from structlog import get_logger
from typing_extensions import override

from riskstream.events import topics
from riskstream.pipeline.state import PartitionState

__all__ = ["StateTable", "StateTables"]

log = get_logger(__name__)


class _RowsByPartition(MutableMapping[str, Any]):
    """Rows of all partitions as one mapping, to read; each partition's own dict, to write."""

    def __init__(self) -> None:
        self.partitions: dict[int, dict[str, Any]] = {}

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
    """One table of the assess hop: JSON rows by subject, a dict per partition."""

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

    def partition(self, number: int) -> dict[str, Any]:
        """The rows of one partition, made when asked for first."""
        return self.rows.partitions.setdefault(number, {})

    def drop(self, number: int) -> None:
        """Give up a partition that is no longer ours."""
        self.rows.partitions.pop(number, None)


class StateTables:
    """The three tables and, for each partition, the state that assess works on."""

    def __init__(self, app: faust.App, partitions: int) -> None:
        self.tables = {
            topic: self._table(app, topic, partitions)
            for topic in (topics.FAILURES, topics.LOCKOUTS, topics.PROFILES)
        }
        self._states: dict[int, PartitionState] = {}

    @staticmethod
    def _table(app: faust.App, topic: str, partitions: int) -> StateTable:
        changelog = app.topic(
            topic, partitions=partitions, key_type=bytes, value_serializer="raw", acks=False
        )
        name = topic.split(".")[2]
        table = StateTable(app, name=name, partitions=partitions, changelog_topic=changelog)
        app.tables.add(table)
        return table

    def state(self, partition: int) -> PartitionState:
        """State of one partition; it works on the tables' own rows."""
        if partition not in self._states:
            failures, lockouts, profiles = (
                table.partition(partition) for table in self.tables.values()
            )
            self._states[partition] = PartitionState(
                failures=failures, lockouts=lockouts, profiles=profiles
            )
        return self._states[partition]

    def keep_only(self, partitions: set[int]) -> None:
        """Drop the rows of all other partitions."""
        for partition in set(self._states) - partitions:
            del self._states[partition]
            for table in self.tables.values():
                table.drop(partition)

    def key_counts(self) -> dict[str, float]:
        """Rows per table, for the metrics."""
        return {table.name: float(len(table.rows)) for table in self.tables.values()}
