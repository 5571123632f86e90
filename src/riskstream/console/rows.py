"""Rows of the tables, their windows counted anew for the time of looking."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import orjson

from riskstream.risk.standing import Standing
from riskstream.risk.standing_rows import decode_standing, encode_standing
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)

__all__ = ["failures_now", "locked_now", "lockouts_now", "standing_at", "standing_now"]


def failures_now(value: bytes, now_ms: int) -> dict[str, Any] | None:
    """A row of failures as it stands now; None when riskstream did not write it."""
    try:
        row = decode_failures(value)
        found: dict[str, Any] = orjson.loads(
            encode_failures(msgspec.structs.replace(row, as_of_ms=max(now_ms, row.as_of_ms)))
        )
    except (ValueError, KeyError, TypeError):
        return None
    return found


def lockouts_now(value: bytes, now_ms: int) -> dict[str, Any] | None:
    """A row of lockouts as it stands now; None when riskstream did not write it."""
    try:
        row = decode_lockouts(value)
        found: dict[str, Any] = orjson.loads(
            encode_lockouts(msgspec.structs.replace(row, as_of_ms=max(now_ms, row.as_of_ms)))
        )
    except (ValueError, KeyError, TypeError):
        return None
    return found


def standing_now(value: bytes, now_ms: int) -> dict[str, Any] | None:
    """A row of users, faded to now; None when riskstream did not write it."""
    try:
        return standing_at(decode_standing(value), now_ms)
    except (ValueError, ArithmeticError):
        return None


def standing_at(row: Standing, now_ms: int) -> dict[str, Any]:
    """As the topic would carry the row, were it written now."""
    later = msgspec.structs.replace(row, as_of_ms=max(now_ms, row.as_of_ms))
    found: dict[str, Any] = orjson.loads(encode_standing(later))
    return found


def locked_now(values: Iterable[bytes], now_ms: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Subject and scope of everything that is locked."""
    for value in values:
        if b'"locked":true' not in value:
            continue  # nothing becomes locked by time alone
        row = lockouts_now(value, now_ms)
        for scope in (row or {}).get("scopes", []):
            if scope["locked"]:
                yield str(row["subject"]) if row else "", scope
