"""riskstream's pure core, one record at a time, over any store of encoded rows.

What stock engines run: the same decoding, classifying, folding and scoring, byte for byte, with
their own transport and state around it.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Final, Generic, TypeVar

import msgspec
from typing_extensions import override

from riskstream.catalog.loader import load_catalog
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.risk.loader import load_policy
from riskstream.risk.profile import Profile
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)

__all__ = ["TABLES", "BytesByKey", "new_assess", "new_ingest", "new_state", "take_over"]

BytesByKey = MutableMapping[str, bytes]
TABLES: Final = ("failures", "lockouts", "profiles")

Row = TypeVar("Row")


def new_ingest() -> Ingest:
    """decode, validate, classify."""
    return Ingest(load_catalog(), Limits())


def new_assess() -> Assess:
    """fold, score, route."""
    return Assess(load_policy(), Limits())


def new_state(failures: BytesByKey, lockouts: BytesByKey, profiles: BytesByKey) -> PartitionState:
    """A partition's state whose rows lie in these stores as JSON."""
    return PartitionState(
        failures=_Rows(failures, encode_failures, decode_failures),
        lockouts=_Rows(lockouts, encode_lockouts, decode_lockouts),
        profiles=_Rows(profiles, msgspec.json.Encoder().encode, _PROFILES.decode),
    )


def take_over(state: PartitionState, changes: Changes) -> None:
    """Write the changed rows into the stores. Nothing expires: the engines would not do it."""
    state.watermark_ms = max(state.watermark_ms, changes.watermark_ms)
    _take(state.failures, changes.failures)
    _take(state.lockouts, changes.lockouts)
    _take(state.profiles, changes.profiles)


def _take(rows: MutableMapping[str, Row], changed: dict[str, Row | None]) -> None:
    for key, row in changed.items():
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row


_PROFILES: Final = msgspec.json.Decoder(Profile)


class _Rows(MutableMapping[str, Row], Generic[Row]):
    """Rows that are encoded when written and decoded when read."""

    def __init__(
        self, stored: BytesByKey, encode: Callable[[Row], bytes], decode: Callable[[bytes], Row]
    ) -> None:
        self._stored = stored
        self._encode = encode
        self._decode = decode

    @override
    def __getitem__(self, key: str) -> Row:
        return self._decode(self._stored[key])

    @override
    def __setitem__(self, key: str, row: Row) -> None:
        self._stored[key] = self._encode(row)

    @override
    def __delitem__(self, key: str) -> None:
        del self._stored[key]

    @override
    def __contains__(self, key: object) -> bool:
        return key in self._stored

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    @override
    def __len__(self) -> int:
        return len(self._stored)
