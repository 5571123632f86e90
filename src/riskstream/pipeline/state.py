"""The rows of one classified partition, and the changes that one chunk makes to them.

Rows are immutable: assess replaces them in a ``Changes`` and the state takes them over after the
commit. The watermark is the newest ``as_of`` among the rows, so it comes back with them. A row
further behind it than its table's time to live reads as absent, whether its tombstone is written
or not; tombstones go out some at a time.
"""

from collections.abc import Callable, MutableMapping
from heapq import heapify, heappop, heappush
from typing import Final, TypeVar

import msgspec

from riskstream.errors import KafkaFaultError
from riskstream.events.record import Output
from riskstream.events.topics import FAILURES, LOCKOUTS, PROFILES
from riskstream.risk.profile import PROFILES_TTL_MS, Profile
from riskstream.windows.failures import FAILURES_TTL_MS, FailuresRow
from riskstream.windows.lockouts import LOCKOUTS_TTL_MS, LockoutsRow
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)

__all__ = ["MAX_TOMBSTONES", "Changes", "PartitionState", "RowKey"]

MAX_TOMBSTONES: Final = 100
"""Expired rows removed by one chunk at most: a jump of the watermark is spread over many."""

RowKey = tuple[str, str]
"""Topic of the table, subject."""

_Row = FailuresRow | LockoutsRow | Profile
_AnyRow = TypeVar("_AnyRow", FailuresRow, LockoutsRow, Profile)


class Changes:
    """Rows changed by one chunk, last value per key; None removes. And the watermark after it."""

    __slots__ = ("failures", "lockouts", "profiles", "watermark_ms")

    def __init__(self, watermark_ms: int = 0) -> None:
        self.failures: dict[str, FailuresRow | None] = {}
        self.lockouts: dict[str, LockoutsRow | None] = {}
        self.profiles: dict[str, Profile | None] = {}
        self.watermark_ms = watermark_ms

    def changelog(self, timestamp: int | None) -> list[Output]:
        """One record per changed row, for the changelog topics; key: subject."""
        outputs = [
            Output(
                FAILURES, key.encode(), None if row is None else encode_failures(row), (), timestamp
            )
            for key, row in self.failures.items()
        ]
        outputs += [
            Output(
                LOCKOUTS, key.encode(), None if row is None else encode_lockouts(row), (), timestamp
            )
            for key, row in self.lockouts.items()
        ]
        outputs += [
            Output(
                PROFILES,
                key.encode(),
                None if row is None else _PROFILE_ENCODER.encode(row),
                (),
                timestamp,
            )
            for key, row in self.profiles.items()
        ]
        return outputs

    def __len__(self) -> int:
        return len(self.failures) + len(self.lockouts) + len(self.profiles)


class PartitionState:
    """The rows of one partition. Assess reads it; only ``load``, ``apply`` and ``clear`` change it.

    The mappings may be given, filled or not, so that a store can stand behind them.
    """

    def __init__(
        self,
        failures: MutableMapping[str, FailuresRow] | None = None,
        lockouts: MutableMapping[str, LockoutsRow] | None = None,
        profiles: MutableMapping[str, Profile] | None = None,
    ) -> None:
        self.failures: MutableMapping[str, FailuresRow] = {} if failures is None else failures
        self.lockouts: MutableMapping[str, LockoutsRow] = {} if lockouts is None else lockouts
        self.profiles: MutableMapping[str, Profile] = {} if profiles is None else profiles
        self.due: dict[RowKey, None] = {}
        """Expired rows that the next chunk removes, unless it writes them anew."""
        self._queue: list[tuple[int, str, str]] | None = None
        """(expires not before, topic, subject): one entry per row that is not due; a heap."""
        self.watermark_ms = max((row.as_of_ms for _, _, row in self._rows()), default=0)

    def load(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Take in one record of a changelog, in its order.

        Raises:
            KafkaFaultError: The record is not one of ours.
        """
        self._queue = None
        self.due.clear()
        subject = _text(topic, key)
        if value is None:
            self._table(topic).pop(subject, None)
            return
        try:
            row: _Row = _DECODERS[topic](value)
        except ValueError as fault:
            raise KafkaFaultError(
                f"The row {subject} of {topic} was not written by riskstream: {fault}. "
                "Remove the row or recreate the topic."
            ) from fault
        self._table(topic)[subject] = row
        self.watermark_ms = max(self.watermark_ms, row.as_of_ms)

    def apply(self, changes: Changes) -> None:
        """Take over what a committed chunk changed."""
        if self._queue is None:
            self._build_queue()
        self.watermark_ms = max(self.watermark_ms, changes.watermark_ms)
        self._take(FAILURES, self.failures, changes.failures)
        self._take(LOCKOUTS, self.lockouts, changes.lockouts)
        self._take(PROFILES, self.profiles, changes.profiles)
        self._find_due()

    def clear(self) -> None:
        """Forget every row, and the watermark."""
        self.failures.clear()
        self.lockouts.clear()
        self.profiles.clear()
        self.due.clear()
        self._queue = None
        self.watermark_ms = 0

    def _take(
        self,
        topic: str,
        table: MutableMapping[str, _AnyRow],
        changed: dict[str, _AnyRow | None],
    ) -> None:
        queue = self._queue if self._queue is not None else []
        ttl, due = _TTL[topic], self.due
        for key, row in changed.items():
            was_due = bool(due) and due.pop((topic, key), _MISSING) is None
            if row is None:
                table.pop(key, None)
                continue
            if was_due or key not in table:
                heappush(queue, (row.as_of_ms + ttl, topic, key))
            table[key] = row

    def _build_queue(self) -> None:
        self.due.clear()
        self._queue = [(row.as_of_ms + _TTL[topic], topic, key) for topic, key, row in self._rows()]
        heapify(self._queue)

    def _find_due(self) -> None:
        queue = self._queue
        while queue and queue[0][0] < self.watermark_ms and len(self.due) < MAX_TOMBSTONES:
            _, topic, key = heappop(queue)
            row = self._table(topic).get(key)
            if row is None:
                continue
            expires = row.as_of_ms + _TTL[topic]
            if expires < self.watermark_ms:
                self.due[topic, key] = None
            else:
                heappush(queue, (expires, topic, key))

    def _table(self, topic: str) -> MutableMapping[str, _Row]:
        tables: dict[str, MutableMapping[str, _Row]] = {
            FAILURES: self.failures,  # type: ignore[dict-item]  # one table holds one kind of row
            LOCKOUTS: self.lockouts,  # type: ignore[dict-item]
            PROFILES: self.profiles,  # type: ignore[dict-item]
        }
        return tables[topic]

    def _rows(self) -> list[tuple[str, str, _Row]]:
        rows: list[tuple[str, str, _Row]] = []
        for topic in (FAILURES, LOCKOUTS, PROFILES):
            rows.extend((topic, key, row) for key, row in self._table(topic).items())
        return rows


_MISSING: Final = object()
_PROFILE_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final[dict[str, Callable[[bytes], _Row]]] = {
    FAILURES: decode_failures,
    LOCKOUTS: decode_lockouts,
    PROFILES: msgspec.json.Decoder(Profile).decode,
}
_TTL: Final = {
    FAILURES: FAILURES_TTL_MS,
    LOCKOUTS: LOCKOUTS_TTL_MS,
    PROFILES: PROFILES_TTL_MS,
}


def _text(topic: str, key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as fault:
        raise KafkaFaultError(f"A key of {topic} is not UTF-8. Recreate the topic.") from fault
