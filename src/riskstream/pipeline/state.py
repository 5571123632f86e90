"""The rows of one classified partition, and the changes that one chunk makes to them.

Rows are immutable: assess replaces them in a ``Changes`` and the state takes them over after the
commit. They lie packed in a store and are decoded when asked for. The watermark is the newest
``as_of`` that any row had; it stands in the store's checkpoint. A row further behind it than its
table's time to live reads as absent, whether its tombstone is written or not; tombstones go out
some at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from riskstream.errors import KafkaFaultError
from riskstream.events.record import Output
from riskstream.events.topics import CONTEXT, FAILURES, LOCKOUTS, PROFILES, USERS
from riskstream.pipeline.duplicates import Sightings
from riskstream.pipeline.expiry import MAX_TOMBSTONES, Expiry, RowKey
from riskstream.pipeline.rows import CACHED_ROWS, TableRows
from riskstream.pipeline.store import Checkpoint, MemoryStore, PackedRow, RowStore
from riskstream.risk.context_rows import (
    ContextRow,
    decode_context,
    encode_context,
    pack_context,
    unpack_context,
)
from riskstream.risk.packed import pack_profile, repack_profile, unpack_profile
from riskstream.risk.profile import Profile
from riskstream.risk.standing import Standing
from riskstream.risk.standing_rows import (
    decode_standing,
    encode_standing,
    pack_standing,
    unpack_standing,
)
from riskstream.risk.tenant import TenantCounts
from riskstream.windows.failures import FailuresRow
from riskstream.windows.lockouts import LockoutsRow
from riskstream.windows.packed import (
    pack_failures,
    pack_lockouts,
    packed_as_of,
    unpack_failures,
    unpack_lockouts,
)
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)

__all__ = ["MAX_TOMBSTONES", "Changes", "PartitionState", "RowKey"]


class Changes:
    """Rows changed by one chunk, last value per key; None removes. And the watermark after it."""

    __slots__ = (
        "_packed_profiles",
        "contexts",
        "failures",
        "lockouts",
        "profiles",
        "seen",
        "standings",
        "tenant",
        "watermark_ms",
    )

    def __init__(self, watermark_ms: int = 0) -> None:
        self.failures: dict[str, FailuresRow | None] = {}
        self.lockouts: dict[str, LockoutsRow | None] = {}
        self.standings: dict[str, Standing | None] = {}
        self.profiles: dict[str, Profile | None] = {}
        self.contexts: dict[str, ContextRow | None] = {}
        self.watermark_ms = watermark_ms
        self.seen: Sightings | None = None
        """What the duplicate filter takes over together with the rows."""
        self.tenant: dict[int, int] = {}
        """What the counts across the tenant take over together with the rows."""
        self._packed_profiles: dict[str, bytes | None] | None = None

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
                USERS, key.encode(), None if row is None else encode_standing(row), (), timestamp
            )
            for key, row in self.standings.items()
        ]
        outputs += [
            Output(
                CONTEXT, key.encode(), None if row is None else encode_context(row), (), timestamp
            )
            for key, row in self.contexts.items()
        ]
        outputs += [
            Output(PROFILES, key.encode(), value, (), timestamp)
            for key, value in self._profiles_packed().items()
        ]
        return outputs

    def packed(self) -> Iterator[PackedRow]:
        """The changed rows as a store takes them."""
        for key, failures in self.failures.items():
            yield FAILURES, key, None if failures is None else pack_failures(failures)
        for key, lockouts in self.lockouts.items():
            yield LOCKOUTS, key, None if lockouts is None else pack_lockouts(lockouts)
        for key, standing in self.standings.items():
            yield USERS, key, None if standing is None else pack_standing(standing)
        for key, context in self.contexts.items():
            yield CONTEXT, key, None if context is None else pack_context(context)
        for key, profile in self._profiles_packed().items():
            yield PROFILES, key, profile

    def _profiles_packed(self) -> dict[str, bytes | None]:
        """Profiles have the same form on their topic and in the store: packed once."""
        if self._packed_profiles is None or len(self._packed_profiles) != len(self.profiles):
            self._packed_profiles = {
                key: None if row is None else pack_profile(row)
                for key, row in self.profiles.items()
            }
        return self._packed_profiles

    def __len__(self) -> int:
        return sum(len(changed) for _, changed in _by_topic(self))


class PartitionState:
    """The rows of one partition. Assess reads it; what else it has changes it.

    Args:
        store: Where the rows lie, filled or not; without one in memory.
        cached_rows: Rows of a table kept decoded.
    """

    def __init__(self, store: RowStore | None = None, cached_rows: int = CACHED_ROWS) -> None:
        self.store: RowStore = MemoryStore() if store is None else store
        self.failures = TableRows(FAILURES, self.store, unpack_failures, cached_rows)
        self.lockouts = TableRows(LOCKOUTS, self.store, unpack_lockouts, cached_rows)
        self.standings = TableRows(USERS, self.store, unpack_standing, cached_rows)
        self.profiles = TableRows(PROFILES, self.store, unpack_profile, cached_rows)
        self.contexts = TableRows(CONTEXT, self.store, unpack_context, cached_rows)
        self._expiry = Expiry(self.store)
        self.due = self._expiry.due
        """Expired rows that the next chunk removes, unless it writes them anew."""
        self.watermark_ms = self.store.checkpoint.watermark_ms
        self._tenant: TenantCounts | None = None

    @property
    def tenant(self) -> TenantCounts:
        """How many of the users have which value; counted from the rows when first asked for."""
        if self._tenant is None:
            rows = self.store.scan(PROFILES)
            profiles = (unpack_profile(subject, row) for subject, row in rows)
            self._tenant = TenantCounts(profiles, self.watermark_ms)
        return self._tenant

    @property
    def checkpoint(self) -> Checkpoint:
        """What the rows stand for."""
        return self.store.checkpoint

    def prefetch(self, subjects: Iterable[str]) -> None:
        """Read all rows of these subjects at once: for stores that are not memory."""
        wanted = set(subjects)
        for rows in (self.failures, self.lockouts, self.standings, self.profiles):
            rows.prefetch(wanted)
        if len(self.contexts):
            self.contexts.prefetch(wanted)

    def apply(
        self,
        changes: Changes,
        offset: int | None = None,
        written: Mapping[str, int] | None = None,
    ) -> None:
        """Take over what a committed chunk changed.

        Args:
            changes: The chunk's.
            offset: Its committed offset.
            written: Per changelog topic the position after the chunk's last record, where known.

        Raises:
            StateStoreError: The store did not take it; what was committed is in the changelogs.
        """
        before = self.checkpoint
        watermark = max(self.watermark_ms, changes.watermark_ms)
        checkpoint = Checkpoint(
            offset=offset,
            whole=True,
            watermark_ms=watermark,
            changelog={**before.changelog, **(written or {})},
            counts=self._counts_after(changes),
        )
        self.store.write(changes.packed(), checkpoint)
        self.watermark_ms = watermark
        if self._tenant is not None:
            self._tenant.apply(changes.tenant, watermark)
        self.failures.take(changes.failures)
        self.lockouts.take(changes.lockouts)
        self.standings.take(changes.standings)
        self.profiles.take(changes.profiles)
        self.contexts.take(changes.contexts)
        for topic, aging in _aging(changes):
            for subject, row in aging.items():
                self._expiry.written(topic, subject, None if row is None else row.as_of_ms)
        self._expiry.step(watermark)

    def load(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Take in one record of a changelog, in its order; see ``load_all``."""
        self.load_all(topic, {key: value})

    def load_all(
        self, topic: str, latest: Mapping[bytes, bytes | None], position: int | None = None
    ) -> None:
        """Take in the last value per key of a stretch of a changelog, in its order.

        Args:
            topic: The changelog.
            latest: By key; None removes.
            position: Of the changelog after that stretch; None where it does not matter.

        Raises:
            KafkaFaultError: A record is not one of ours.
            StateStoreError: The store did not take it.
        """
        before = self.checkpoint
        watermark = self.watermark_ms
        rows: list[PackedRow] = []
        for key, value in latest.items():
            subject = _text(topic, key)
            row = None if value is None else _packed(topic, subject, value)
            if row is not None:
                watermark = max(watermark, packed_as_of(row))
            rows.append((topic, subject, row))
        held = self.store.get_many(topic, [subject for _, subject, _ in rows])
        more = sum(
            (row is not None) - (old is not None)
            for (_, _, row), old in zip(rows, held, strict=True)
        )
        changelog = before.changelog if position is None else {**before.changelog, topic: position}
        counts = {**before.counts, topic: before.counts.get(topic, 0) + more}
        self.store.write(rows, Checkpoint(None, False, watermark, changelog, counts))
        self.watermark_ms = watermark
        self._forget()

    def recovered(self, offset: int | None, positions: Mapping[str, int]) -> None:
        """All of the changelogs up to these positions is here: the rows are those of ``offset``."""
        changelog = {**self.checkpoint.changelog, **positions}
        self.store.write(
            (), replace(self.checkpoint, offset=offset, whole=True, changelog=changelog)
        )

    def clear(self) -> None:
        """Forget every row, and the watermark."""
        self.store.clear()
        self._forget()
        self.watermark_ms = 0

    def _forget(self) -> None:
        """The store was changed by another way: nothing kept here holds any more."""
        for table in (
            self.failures,
            self.lockouts,
            self.standings,
            self.profiles,
            self.contexts,
        ):
            table.forget()
        self._expiry.reset()
        self._tenant = None

    def _counts_after(self, changes: Changes) -> dict[str, int]:
        counts = dict(self.checkpoint.counts)
        for topic, changed in _by_topic(changes):
            rows = self._rows(topic)
            more = sum((row is not None) - (key in rows) for key, row in changed.items())
            counts[topic] = counts.get(topic, 0) + more
        return counts

    def _rows(self, topic: str) -> Mapping[str, object]:
        tables: dict[str, Mapping[str, object]] = {
            FAILURES: self.failures,
            LOCKOUTS: self.lockouts,
            USERS: self.standings,
            PROFILES: self.profiles,
            CONTEXT: self.contexts,
        }
        return tables[topic]


_Aging = (
    Mapping[str, FailuresRow | None]
    | Mapping[str, LockoutsRow | None]
    | Mapping[str, Standing | None]
    | Mapping[str, Profile | None]
)


def _aging(changes: Changes) -> tuple[tuple[str, _Aging], ...]:
    """Changed rows that expire one day."""
    return (
        (FAILURES, changes.failures),
        (LOCKOUTS, changes.lockouts),
        (USERS, changes.standings),
        (PROFILES, changes.profiles),
    )


def _by_topic(changes: Changes) -> tuple[tuple[str, Mapping[str, object]], ...]:
    return (*_aging(changes), (CONTEXT, changes.contexts))


_PACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    FAILURES: lambda value: pack_failures(decode_failures(value)),
    LOCKOUTS: lambda value: pack_lockouts(decode_lockouts(value)),
    USERS: lambda value: pack_standing(decode_standing(value)),
    PROFILES: repack_profile,
    CONTEXT: lambda value: pack_context(decode_context(value)),
}
"""The value of a changelog record in the form of the stores."""


def _packed(topic: str, subject: str, value: bytes) -> bytes:
    try:
        return _PACK[topic](value)
    except ValueError as fault:
        raise KafkaFaultError(
            f"The row {subject} of {topic} was not written by riskstream: {fault}. "
            "Remove the row or recreate the topic."
        ) from fault


def _text(topic: str, key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as fault:
        raise KafkaFaultError(f"A key of {topic} is not UTF-8. Recreate the topic.") from fault
