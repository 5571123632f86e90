"""The public form of the tables' rows: plain JSON, times in RFC 3339, no open-ended maps.

Each row carries, for readers, its windows as they stand at ``as_of`` with the time up to which
each holds (``valid_until``, absent where the count is 0), and, so that it can be restored, its
panes and registers.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.events.event import SCHEMA_VERSION
from riskstream.events.times import format_time, parse_time
from riskstream.events.vocabulary import FailureKind, LockScope
from riskstream.windows.failures import FIVE_MINUTES, FailuresRow, KindPanes
from riskstream.windows.lockouts import (
    LockoutsRow,
    Register,
    ScopeState,
    register_in_force,
)
from riskstream.windows.panes import (
    DAY_QUARTERS,
    HOUR_MINUTES,
    MINUTE_MS,
    QUARTER_MS,
    WEEK_QUARTERS,
    Panes,
    count,
    oldest,
)

__all__ = ["decode_failures", "decode_lockouts", "encode_failures", "encode_lockouts"]


class _KindCount(Struct, frozen=True):
    kind: FailureKind
    count: int


class _FailureWindow(Struct, frozen=True, omit_defaults=True):
    window: str
    total: int
    valid_until: str | None = None
    counts: tuple[_KindCount, ...] | msgspec.UnsetType = msgspec.UNSET


class _Failures(Struct, frozen=True, kw_only=True):
    schema_version: int
    subject: str
    as_of: str
    offset: int
    windows: tuple[_FailureWindow, ...]
    panes: tuple[KindPanes, ...]


class _LockWindow(Struct, frozen=True, omit_defaults=True):
    window: str
    total: int
    valid_until: str | None = None


class _Scope(Struct, frozen=True, omit_defaults=True):
    scope: LockScope
    locked: bool
    cause: str | None = None
    since: str | None = None
    event_id: str | None = None
    event_type_id: int | None = None
    until: str | None = None
    presumed: bool = False


class _Register(Struct, frozen=True, omit_defaults=True):
    scope: LockScope
    kind: str
    time: str
    event_id: str
    event_type_id: int
    until: str | None = None


class _Lockouts(Struct, frozen=True, kw_only=True):
    schema_version: int
    subject: str
    as_of: str
    offset: int
    scopes: tuple[_Scope, ...]
    windows: tuple[_LockWindow, ...]
    registers: tuple[_Register, ...]
    panes: Panes


class _KeptFailures(Struct, frozen=True):
    """What restores a row; its windows are for readers and are skipped."""

    subject: str
    as_of: str
    offset: int
    panes: tuple[KindPanes, ...]


class _KeptLockouts(Struct, frozen=True):
    subject: str
    as_of: str
    offset: int
    registers: tuple[_Register, ...]
    panes: Panes


_REGISTERS: Final = ("locked", "suspended", "unlocked", "login")
_LAST_MS: Final = 253_402_300_799_999
"""End of the year 9999, the last that RFC 3339 can say; an end after it is shown as this."""
_ENCODER: Final = msgspec.json.Encoder()
_FAILURES: Final = msgspec.json.Decoder(_KeptFailures)
_LOCKOUTS: Final = msgspec.json.Decoder(_KeptLockouts)


def encode_failures(row: FailuresRow) -> bytes:
    """The row as the failures topic carries it."""
    minute, quarter = row.as_of_ms // MINUTE_MS, row.as_of_ms // QUARTER_MS
    windows = (
        _window("5m", _spans(row, "minutes"), minute, FIVE_MINUTES, MINUTE_MS),
        _window("1h", _spans(row, "minutes"), minute, HOUR_MINUTES, MINUTE_MS),
        _window("24h", _spans(row, "quarters"), quarter, DAY_QUARTERS, QUARTER_MS),
    )
    value = _Failures(
        schema_version=SCHEMA_VERSION,
        subject=row.subject,
        as_of=_time(row.as_of_ms),
        offset=row.offset,
        windows=windows,
        panes=row.kinds,
    )
    return _ENCODER.encode(value)


def decode_failures(value: bytes) -> FailuresRow:
    """The row that ``encode_failures`` wrote.

    Raises:
        ValueError: It did not write this (``msgspec.ValidationError`` is one).
    """
    row = _FAILURES.decode(value)
    return FailuresRow(row.subject, parse_time(row.as_of), row.offset, row.panes)


def encode_lockouts(row: LockoutsRow) -> bytes:
    """The row as the lockouts topic carries it."""
    quarter = row.as_of_ms // QUARTER_MS
    value = _Lockouts(
        schema_version=SCHEMA_VERSION,
        subject=row.subject,
        as_of=_time(row.as_of_ms),
        offset=row.offset,
        scopes=tuple(_scope(state, row.as_of_ms) for state in row.scopes),
        windows=(
            _lock_window("24h", row.quarters, quarter, DAY_QUARTERS),
            _lock_window("7d", row.quarters, quarter, WEEK_QUARTERS),
        ),
        registers=tuple(
            _Register(
                state.scope,
                name,
                _time(register.time_ms),
                register.event_id,
                register.event_type_id,
                None if register.until_ms is None else _time(register.until_ms),
            )
            for state in row.scopes
            for name in _REGISTERS
            if (register := getattr(state, name)) is not None
        ),
        panes=row.quarters,
    )
    return _ENCODER.encode(value)


def decode_lockouts(value: bytes) -> LockoutsRow:
    """The row that ``encode_lockouts`` wrote.

    Raises:
        ValueError: It did not write this (``msgspec.ValidationError`` is one).
    """
    row = _LOCKOUTS.decode(value)
    scopes: dict[LockScope, dict[str, Register]] = {}
    for held in row.registers:
        if held.kind not in _REGISTERS:
            raise ValueError(f"unknown register {held.kind}")
        until = None if held.until is None else parse_time(held.until)
        register = Register(parse_time(held.time), held.event_id, held.event_type_id, until)
        scopes.setdefault(held.scope, {})[held.kind] = register
    states = tuple(ScopeState(scope, **registers) for scope, registers in scopes.items())
    return LockoutsRow(row.subject, parse_time(row.as_of), row.offset, states, row.panes)


def _time(milliseconds: int) -> str:
    return format_time(min(milliseconds, _LAST_MS))


def _spans(row: FailuresRow, name: str) -> list[tuple[FailureKind, Panes]]:
    return [(panes.kind, getattr(panes, name)) for panes in row.kinds]


def _window(
    name: str, kinds: list[tuple[FailureKind, Panes]], now: int, span: int, width: int
) -> _FailureWindow:
    counts = tuple(
        _KindCount(kind, events) for kind, panes in kinds if (events := count(panes, now, span))
    )
    first = [pane for _, panes in kinds if (pane := oldest(panes, now, span)) is not None]
    until = _time((min(first) + span) * width) if first else None
    return _FailureWindow(name, sum(each.count for each in counts), until, counts)


def _lock_window(name: str, panes: Panes, now: int, span: int) -> _LockWindow:
    first = oldest(panes, now, span)
    until = None if first is None else _time((first + span) * QUARTER_MS)
    return _LockWindow(name, count(panes, now, span), until)


def _scope(state: ScopeState, as_of_ms: int) -> _Scope:
    held = register_in_force(state, as_of_ms)
    if held is None:
        return _Scope(state.scope, locked=False)
    return _Scope(
        state.scope,
        locked=True,
        cause="suspended" if held is state.suspended else "locked",
        since=_time(held.time_ms),
        event_id=held.event_id,
        event_type_id=held.event_type_id,
        until=None if held.until_ms is None else _time(held.until_ms),
        presumed=held.until_ms is not None,
    )
