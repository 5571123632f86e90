"""The rows of one table in one partition: decoded when asked for, the recent ones kept decoded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar, overload

from typing_extensions import override

from riskstream.errors import KafkaFaultError
from riskstream.pipeline.store import RowStore

__all__ = ["CACHED_ROWS", "TableRows"]

CACHED_ROWS: Final = 4096
"""Rows of a table kept decoded, at most twice as many."""

Row = TypeVar("Row")
Default = TypeVar("Default")


class TableRows(Mapping[str, Row]):
    """A table over a store, to read. Rows are immutable, so those kept are never out of date.

    Kept are two generations: when the young one is full it becomes the old one, and the old one
    goes. What is read often is carried over. Absence is remembered, too.
    """

    def __init__(
        self,
        topic: str,
        store: RowStore,
        unpack: Callable[[str, bytes], Row],
        most: int = CACHED_ROWS,
    ) -> None:
        self._topic = topic
        self._store = store
        self._unpack = unpack
        self._most = most
        self._young: dict[str, Row | None] = {}
        self._old: dict[str, Row | None] = {}

    @overload
    def get(self, key: str, default: None = None, /) -> Row | None: ...

    @overload
    def get(self, key: str, default: Default, /) -> Row | Default: ...

    @override
    def get(self, key: str, default: Default | None = None, /) -> Row | Default | None:
        row = self._young.get(key, _UNKNOWN)
        if row is _UNKNOWN:
            row = self._old.get(key, _UNKNOWN)
            if row is _UNKNOWN:
                value = self._store.get(self._topic, key)
                row = None if value is None else self._decode(key, value)
            self._keep(key, row)  # type: ignore[arg-type]  # it is not the mark of the unknown
        return default if row is None else row  # type: ignore[return-value]

    def prefetch(self, subjects: Iterable[str]) -> None:
        """Read those that are not known yet, all at once, which is quicker on a disk."""
        young, old = self._young, self._old
        unknown = [subject for subject in subjects if subject not in young and subject not in old]
        if unknown:
            values = self._store.get_many(self._topic, unknown)
            for subject, value in zip(unknown, values, strict=True):
                self._keep(subject, None if value is None else self._decode(subject, value))

    def take(self, changed: Mapping[str, Row | None]) -> None:
        """Keep what was just written to the store."""
        for subject, row in changed.items():
            self._keep(subject, row)

    def forget(self) -> None:
        """The store was changed by another way."""
        self._young, self._old = {}, {}

    def _keep(self, subject: str, row: Row | None) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[subject] = row

    def _decode(self, subject: str, value: bytes) -> Row:
        try:
            return self._unpack(subject, value)
        except ValueError as fault:
            raise KafkaFaultError(
                f"The row {subject} of {self._topic} was not written by riskstream: {fault}. "
                "Remove the row or recreate the topic."
            ) from fault

    @override
    def __getitem__(self, key: str) -> Row:
        row = self.get(key)
        if row is None:
            raise KeyError(key)
        return row

    @override
    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    @override
    def __iter__(self) -> Iterator[str]:
        for subject, _ in self._store.scan(self._topic):
            yield subject

    @override
    def __len__(self) -> int:
        return self._store.checkpoint.counts.get(self._topic, 0)


_UNKNOWN: Final = object()
