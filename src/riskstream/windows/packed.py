"""The internal form of the tables' rows: small, quick to write, with their time in front.

Seven bytes stand before every row: the version of the form, and ``as_of`` in epoch milliseconds,
big-endian, so that a row's age is known without decoding it. MessagePack arrays follow. The
subject is not in it: it is the key.

The version's byte is below the first byte of any JSON text, so a reader can tell the two apart.
"""

from typing import Final

import msgspec

from riskstream.events.vocabulary import FailureKind
from riskstream.windows.failures import FailuresRow, KindPanes
from riskstream.windows.lockouts import LockoutsRow, ScopeState
from riskstream.windows.panes import Panes

__all__ = [
    "HEADER_BYTES",
    "body",
    "header",
    "is_packed",
    "pack_failures",
    "pack_lockouts",
    "packed_as_of",
    "unpack_failures",
    "unpack_lockouts",
]

HEADER_BYTES: Final = 7
"""Version and ``as_of``."""

_VERSION: Final = 1
_AS_OF_BITS: Final = 48
_LAST_MS: Final = (1 << _AS_OF_BITS) - 1
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_Kinds = tuple[tuple[FailureKind, Panes, Panes], ...]
_DECODE_FAILURES: Final = msgspec.msgpack.Decoder(tuple[int, _Kinds]).decode
_DECODE_LOCKOUTS: Final = msgspec.msgpack.Decoder(tuple[int, tuple[ScopeState, ...], Panes]).decode


def header(as_of_ms: int, version: int = _VERSION) -> bytes:
    """What stands before the body of a row."""
    as_of = min(max(as_of_ms, 0), _LAST_MS)
    return (version << _AS_OF_BITS | as_of).to_bytes(HEADER_BYTES, "big")


def is_packed(row: bytes, version: int = _VERSION) -> bool:
    """Whether this is a row in this form, and not one in JSON or of another version."""
    return len(row) > HEADER_BYTES and row[0] == version


def packed_as_of(row: bytes) -> int:
    """``as_of`` of a packed row, in epoch milliseconds."""
    return int.from_bytes(row[1:HEADER_BYTES], "big")


def body(row: bytes, version: int = _VERSION) -> memoryview:
    """What follows the header.

    Raises:
        ValueError: This is no packed row, or one of another version.
    """
    if not is_packed(row, version):
        raise ValueError("not a packed row of this version")
    return memoryview(row)[HEADER_BYTES:]


def pack_failures(row: FailuresRow) -> bytes:
    """The row without its subject."""
    kinds = [(panes.kind, panes.minutes, panes.quarters) for panes in row.kinds]
    return header(row.as_of_ms) + _ENCODE((row.offset, kinds))


def unpack_failures(subject: str, row: bytes) -> FailuresRow:
    """The row that ``pack_failures`` packed.

    Raises:
        ValueError: It did not pack this.
    """
    offset, kinds = _DECODE_FAILURES(body(row))
    panes = tuple(KindPanes(kind, minutes, quarters) for kind, minutes, quarters in kinds)
    return FailuresRow(subject, packed_as_of(row), offset, panes)


def pack_lockouts(row: LockoutsRow) -> bytes:
    """The row without its subject."""
    return header(row.as_of_ms) + _ENCODE((row.offset, row.scopes, row.quarters))


def unpack_lockouts(subject: str, row: bytes) -> LockoutsRow:
    """The row that ``pack_lockouts`` packed.

    Raises:
        ValueError: It did not pack this.
    """
    offset, scopes, quarters = _DECODE_LOCKOUTS(body(row))
    return LockoutsRow(subject, packed_as_of(row), offset, scopes, quarters)
