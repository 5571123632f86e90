"""riskstream's pure core, one record at a time, over any store of encoded rows.

What stock engines run: the same decoding, classifying, folding and scoring, byte for byte, with
their own transport and state around it. Rows are written as riskstream's changelogs have them.
"""

from collections.abc import Callable, MutableMapping
from typing import Final, Generic, TypeVar, cast

from riskstream.catalog.loader import load_catalog
from riskstream.events.record import Output, Record
from riskstream.events.topics import FAILURES, LOCKOUTS, PROFILES, USERS
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.risk.context_rows import ContextRow
from riskstream.risk.loader import load_policy
from riskstream.risk.packed import unpack_profile
from riskstream.risk.standing_rows import decode_standing
from riskstream.risk.tenant import TenantCounts
from riskstream.windows.rows import decode_failures, decode_lockouts

__all__ = ["TABLES", "AssessOne", "BytesByKey", "new_assess", "new_ingest"]

BytesByKey = MutableMapping[str, bytes]
TABLES: Final = ("failures", "lockouts", "users", "profiles")
"""In the order in which ``AssessOne`` takes their stores."""

Row = TypeVar("Row")


def new_ingest() -> Ingest:
    """decode, validate, classify."""
    return Ingest(load_catalog(), Limits())


def new_assess() -> Assess:
    """fold, score, route."""
    return Assess(load_policy(), Limits())


class AssessOne:
    """assess on one record at a time, with the rows in four stores of an engine's own."""

    def __init__(
        self,
        assess: Assess,
        failures: BytesByKey,
        lockouts: BytesByKey,
        users: BytesByKey,
        profiles: BytesByKey,
    ) -> None:
        self._assess = assess
        self._state = _State(failures, lockouts, users, profiles)

    def __call__(self, record: Record) -> list[Output]:
        """The outputs; changed rows are in the stores when it returns."""
        outputs, changes, _ = self._assess([record], cast("PartitionState", self._state))
        self._state.take(changes)
        return outputs


class _State:
    """What assess reads of a ``PartitionState``. Nothing is removed by age: engines would not."""

    def __init__(
        self, failures: BytesByKey, lockouts: BytesByKey, users: BytesByKey, profiles: BytesByKey
    ) -> None:
        self.failures = _Rows(failures, lambda _, value: decode_failures(value))
        self.lockouts = _Rows(lockouts, lambda _, value: decode_lockouts(value))
        self.standings = _Rows(users, lambda _, value: decode_standing(value))
        self.profiles = _Rows(profiles, unpack_profile)
        self.contexts: dict[str, ContextRow] = {}
        self.due: dict[tuple[str, str], None] = {}
        self.watermark_ms = 0
        self.tenant = TenantCounts()
        self._stores = {FAILURES: failures, LOCKOUTS: lockouts, USERS: users, PROFILES: profiles}

    def take(self, changes: Changes) -> None:
        self.watermark_ms = max(self.watermark_ms, changes.watermark_ms)
        self.tenant.apply(changes.tenant, self.watermark_ms)
        for topic, key, value, *_ in changes.changelog(None):
            if value is not None:
                self._stores[topic][key.decode()] = value


class _Rows(Generic[Row]):
    """One table, to read."""

    def __init__(self, stored: BytesByKey, decode: Callable[[str, bytes], Row]) -> None:
        self._stored = stored
        self._decode = decode

    def get(self, key: str) -> Row | None:
        value = self._stored.get(key)
        return None if value is None else self._decode(key, value)
