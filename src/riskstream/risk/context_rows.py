"""The row of a user's context: public JSON on its topic, packed in the stores.

It has no time of its own and never expires: a row goes when the operator takes it away.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.events.context import UserContext
from riskstream.events.event import SCHEMA_VERSION
from riskstream.windows.packed import body, header

__all__ = ["ContextRow", "decode_context", "encode_context", "pack_context", "unpack_context"]


class ContextRow(Struct, frozen=True, gc=False):
    """What is known of one user, and which record said so."""

    subject: str
    offset: int
    """Of that record in the classified topic."""
    context: UserContext


class _Row(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Value of a record of ``iam.context.users.v1``."""

    schema_version: int
    subject: str
    offset: int
    groups: tuple[str, ...]
    privileged: bool
    service_account: bool
    email: str | None = None
    department: str | None = None


def encode_context(row: ContextRow) -> bytes:
    """The row as its topic has it."""
    known = row.context
    return _ENCODE(
        _Row(
            schema_version=SCHEMA_VERSION,
            subject=row.subject,
            offset=row.offset,
            groups=known.groups,
            privileged=known.privileged,
            service_account=known.service_account,
            email=known.email,
            department=known.department,
        )
    )


def decode_context(value: bytes) -> ContextRow:
    """The row that ``encode_context`` wrote.

    Raises:
        ValueError: It did not write this.
    """
    row = _DECODE(value)
    if row.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema_version {row.schema_version} is not known")
    known = UserContext(row.groups, row.privileged, row.service_account, row.email, row.department)
    return ContextRow(row.subject, row.offset, known)


def pack_context(row: ContextRow) -> bytes:
    """The row without its subject; it moves no watermark."""
    return header(0) + _PACK((row.offset, row.context))


def unpack_context(subject: str, value: bytes) -> ContextRow:
    """The row that ``pack_context`` packed.

    Raises:
        ValueError: It did not pack this.
    """
    offset, known = _UNPACK(body(value))
    return ContextRow(subject, offset, known)


_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(_Row).decode
_PACK: Final = msgspec.msgpack.Encoder().encode
_UNPACK: Final = msgspec.msgpack.Decoder(tuple[int, UserContext]).decode
