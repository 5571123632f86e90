"""The table of lockouts: per subject and scope, locked or not, since when and by which event.

Registers, one per scope and kind, each holding the newest event of its kind by
(time, event id): ``locked`` and ``suspended`` shut out, ``unlocked`` (an unlock or a
reinstatement) ends both, ``login`` (a successful login, account scope alone) ends ``locked`` but
never ``suspended``. Taking the newest commutes, so any interleaving of the same events gives the
same registers. A login success alone makes no row: it is folded where one is, and the profile
keeps the newest one, from which a row made later is seeded. That comes to the same.

At time ``t`` a lock is in force when it is not after ``t``, nothing that ends it lies between it
and ``t``, and its presumed end, if any, is after ``t``. OneLogin sends no event when a lock runs
out, so that end is the policy's assumption.

Locks (not suspensions) are counted over all scopes in 15-minute panes kept seven days under
``as_of``, the newest event folded in. A lock is late when its pane has left them: it is not
counted; registers take it all the same.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.events.vocabulary import Change, LockScope
from riskstream.windows.panes import (
    DAY_MS,
    DAY_QUARTERS,
    QUARTER_MS,
    WEEK_QUARTERS,
    Panes,
    add,
    count,
    prune,
)

__all__ = [
    "LOCKOUTS_TTL_MS",
    "LockChange",
    "LockoutsRow",
    "Register",
    "ScopeState",
    "count_locks",
    "fold_change",
    "fold_login",
    "is_late_lock",
    "newer",
    "register_in_force",
]

LOCKOUTS_TTL_MS: Final = 14 * DAY_MS
"""A row this far behind its partition's watermark reads as absent."""


class Register(Struct, frozen=True, array_like=True, gc=False):
    """The newest event of one kind."""

    time_ms: int
    event_id: str
    event_type_id: int
    until_ms: int | None = None
    """Presumed end of a lock."""


class LockChange(Struct, frozen=True, gc=False):
    """A lock, unlock, suspension or reinstatement to be folded in."""

    change: Change
    """Never ``RESET``: it changes no lock."""
    scope: LockScope
    register: Register


class ScopeState(Struct, frozen=True, array_like=True, gc=False):
    """What one scope's registers hold."""

    scope: LockScope
    locked: Register | None = None
    suspended: Register | None = None
    unlocked: Register | None = None
    login: Register | None = None


class LockoutsRow(Struct, frozen=True, gc=False):
    """One subject's locks. Replaced by folding, never changed."""

    subject: str
    as_of_ms: int
    offset: int
    """Offset in the classified topic of the last record folded in."""
    scopes: tuple[ScopeState, ...] = ()
    """In the order of ``LockScope``; only scopes that have met an event."""
    quarters: Panes = ()
    """Locks of all scopes."""


def fold_change(
    row: LockoutsRow | None, subject: str, event: LockChange, offset: int
) -> LockoutsRow:
    """The row with a lock, unlock, suspension or reinstatement folded in."""
    register = event.register
    if row is None:
        row = LockoutsRow(subject, register.time_ms, offset)
    as_of = max(row.as_of_ms, register.time_ms)
    quarters = row.quarters
    if event.change is Change.LOCK:
        quarters = add(quarters, register.time_ms // QUARTER_MS)
    quarters = prune(quarters, as_of // QUARTER_MS - WEEK_QUARTERS)
    scopes = _registered(row.scopes, event.scope, _REGISTER_OF[event.change], register)
    return LockoutsRow(row.subject, as_of, offset, scopes, quarters)


def fold_login(row: LockoutsRow, register: Register, offset: int) -> LockoutsRow:
    """The row with a successful login folded in; the same row when it holds a newer one."""
    scopes = _registered(row.scopes, LockScope.ACCOUNT, "login", register)
    if scopes is row.scopes:
        return row
    as_of = max(row.as_of_ms, register.time_ms)
    quarters = prune(row.quarters, as_of // QUARTER_MS - WEEK_QUARTERS)
    return LockoutsRow(row.subject, as_of, offset, scopes, quarters)


def is_late_lock(row: LockoutsRow | None, time_ms: int) -> bool:
    """A lock at this time would not be counted."""
    return row is not None and (time_ms // QUARTER_MS <= row.as_of_ms // QUARTER_MS - WEEK_QUARTERS)


def count_locks(row: LockoutsRow | None, time_ms: int, span: int = DAY_QUARTERS) -> int:
    """Locks in the window of ``span`` quarters at ``time_ms``."""
    return 0 if row is None else count(row.quarters, time_ms // QUARTER_MS, span)


def register_in_force(state: ScopeState, time_ms: int) -> Register | None:
    """The suspension or lock in force at ``time_ms``, a suspension first."""
    held = state.suspended
    if held is not None and held.time_ms <= time_ms and not _ended(held, state.unlocked, time_ms):
        return held
    held = state.locked
    if (
        held is None
        or held.time_ms > time_ms
        or (held.until_ms is not None and held.until_ms <= time_ms)
        or _ended(held, state.unlocked, time_ms)
        or _ended(held, state.login, time_ms)
    ):
        return None
    return held


def newer(held: Register | None, other: Register) -> bool:
    """``other`` comes after what is held, by (time, event id)."""
    if held is None:
        return True
    return (other.time_ms, other.event_id) > (held.time_ms, held.event_id)


_REGISTER_OF: Final = {
    Change.LOCK: "locked",
    Change.SUSPEND: "suspended",
    Change.UNLOCK: "unlocked",
    Change.REINSTATE: "unlocked",
}
_ORDER: Final = {scope: place for place, scope in enumerate(LockScope)}


def _ended(held: Register, by: Register | None, time_ms: int) -> bool:
    return by is not None and by.time_ms <= time_ms and newer(held, by)


def _registered(
    scopes: tuple[ScopeState, ...], scope: LockScope, name: str, register: Register
) -> tuple[ScopeState, ...]:
    for place, state in enumerate(scopes):
        if state.scope is scope:
            if not newer(getattr(state, name), register):
                return scopes
            changed = msgspec.structs.replace(state, **{name: register})
            return (*scopes[:place], changed, *scopes[place + 1 :])
    fresh = ScopeState(scope, **{name: register})
    return tuple(sorted((*scopes, fresh), key=lambda state: _ORDER[state.scope]))
