"""Fold one event into its subject's rows, on copies.

The event's time is clipped to five minutes after the raw record's timestamp, where that is known.
A record at or below a row's ``offset`` is in that row already, and a late one is not counted.
"""

from typing import Final

from msgspec import Struct

from riskstream.events.event import Classified, Facts
from riskstream.events.times import LAST_MS
from riskstream.events.vocabulary import FAILURE_KINDS, Change, FailureKind, Kind, LockScope
from riskstream.pipeline.overlay import Overlay
from riskstream.risk.policy import Policy
from riskstream.risk.profile import (
    LearnedFrom,
    Learning,
    Profile,
    end_run,
    fold_profile,
    is_late,
)
from riskstream.risk.situation import QUIET, Counts
from riskstream.windows.failures import (
    FailuresRow,
    fold_failure,
    recent_failures,
)
from riskstream.windows.lockouts import (
    LockChange,
    LockoutsRow,
    Register,
    ScopeState,
    count_locks,
    fold_change,
    fold_login,
    is_late_lock,
    register_in_force,
)
from riskstream.windows.panes import MINUTE_MS

__all__ = ["MAX_AHEAD_MS", "Fold", "Folded", "counts_of", "forgive"]

MAX_AHEAD_MS: Final = 5 * MINUTE_MS
"""An event this far ahead of the record that brought it has a wrong clock."""


class Folded(Struct, gc=False):
    """What one event does to the rows; nothing is written yet."""

    time_ms: int
    """Its time, clipped."""
    clipped: bool
    failures: FailuresRow | None
    """The row after; the same object as before where nothing changed."""
    lockouts: LockoutsRow | None
    """The row after, likewise."""
    profile: Profile | None
    """The row before: it learns after scoring."""
    held: Register | None
    """What shut the account out before this event."""
    suspended: bool
    """That was a suspension."""
    late: bool = False
    """At least one row did not count it."""
    failures_changed: bool = False
    lockouts_changed: bool = False
    failed: FailureKind | None = None
    """Counted as this kind of failure."""
    locked: bool = False
    """Counted as a lock."""


class Fold:
    """Folds by a policy's assumptions about locks and its bounds on profiles."""

    def __init__(self, policy: Policy) -> None:
        self._rule = Learning(
            policy.usual,
            policy.profile.run_gap_minutes,
            policy.relays,
            policy.profile.bulk_gap_minutes,
        )
        self._assumed_ms = {
            scope: minutes * MINUTE_MS for scope, minutes in policy.lockouts.assumed_minutes.items()
        }

    def __call__(self, classified: Classified, offset: int, rows: Overlay) -> Folded:
        """Fold into copies of the public tables' rows."""
        facts = classified.facts
        time_ms, clipped = _clip(facts.time_ms, classified.received_ms)
        subject = facts.subject
        failures, lockouts = rows.failures(subject), rows.lockouts(subject)
        profile = rows.profile(subject) if facts.profiled else None
        held, suspended = _held(lockouts, time_ms)
        folded = Folded(time_ms, clipped, failures, lockouts, profile, held, suspended)
        if classified.event:
            failed = FAILURE_KINDS.get(facts.kind)
            if failed is not None:
                _fold_failure(folded, facts, failed, offset)
            folded.late |= is_late(profile, time_ms)
        if facts.change is not None:
            self._fold_change(folded, facts, facts.change, offset)
        if facts.kind is Kind.LOGIN_SUCCESS and facts.profiled and lockouts is not None:
            _fold_login(folded, facts, offset)
        return folded

    def learn(self, folded: Folded, facts: Facts, offset: int, score: int) -> Profile | None:
        """The profile after the event, now that it is scored; the same object if unchanged."""
        profile = folded.profile
        if not facts.profiled or is_late(profile, folded.time_ms):
            return profile
        if profile is not None and offset <= profile.offset:
            return profile
        event = LearnedFrom(facts, folded.time_ms, offset, score)
        learned = fold_profile(profile, event, self._rule)
        return end_run(learned, offset) if facts.change is Change.RESET else learned

    def _fold_change(self, folded: Folded, facts: Facts, change: Change, offset: int) -> None:
        row = folded.lockouts
        if change is Change.RESET or (row is not None and offset <= row.offset):
            return
        time_ms, until = folded.time_ms, None
        if change is Change.LOCK and facts.scope in self._assumed_ms:
            # never past what the changelog can say: a row read back must be the row
            until = min(time_ms + self._assumed_ms[facts.scope], LAST_MS)
        register = Register(time_ms, facts.id, facts.event_type_id, until)
        if row is None and folded.profile is not None and folded.profile.last_login is not None:
            login = folded.profile.last_login
            seed = LockoutsRow(facts.subject, login.time_ms, offset)
            row = fold_login(seed, login, offset)
        if change is Change.LOCK:
            folded.locked = not is_late_lock(row, time_ms)
            folded.late |= not folded.locked
        folded.lockouts = fold_change(
            row, facts.subject, LockChange(change, facts.scope, register), offset
        )
        folded.lockouts_changed = True


def forgive(folded: Folded, facts: Facts, offset: int) -> Profile | None:
    """The profile after an effect: a reset by an administrator ends a run of failures."""
    profile = folded.profile
    if profile is None or facts.change is not Change.RESET or offset <= profile.offset:
        return profile
    return end_run(profile, offset)


def counts_of(folded: Folded) -> Counts:
    """``windows`` of the wire, after the fold."""
    failures, lockouts, time_ms = folded.failures, folded.lockouts, folded.time_ms
    if failures is None and lockouts is None:
        return QUIET
    five, hour, mfa = (0, 0, 0) if failures is None else recent_failures(failures, time_ms)
    locked = _held(lockouts, time_ms)[0] is not None
    locks = count_locks(lockouts, time_ms)
    if hour or mfa or locked or locks:
        return Counts(five, hour, mfa, locked, locks)
    return QUIET


def _fold_failure(folded: Folded, facts: Facts, kind: FailureKind, offset: int) -> None:
    row = folded.failures
    if row is not None and offset <= row.offset:
        return
    counted = fold_failure(row, facts.subject, kind, folded.time_ms, offset)
    if counted is None:
        folded.late = True
    else:
        folded.failures, folded.failures_changed, folded.failed = counted, True, kind


def _fold_login(folded: Folded, facts: Facts, offset: int) -> None:
    row = folded.lockouts
    if row is not None and offset > row.offset:
        register = Register(folded.time_ms, facts.id, facts.event_type_id)
        folded.lockouts = fold_login(row, register, offset)
        folded.lockouts_changed = folded.lockouts is not row


def _clip(time_ms: int, received_ms: int | None) -> tuple[int, bool]:
    if received_ms is not None and time_ms > received_ms + MAX_AHEAD_MS:
        return received_ms + MAX_AHEAD_MS, True
    return time_ms, False


def _held(row: LockoutsRow | None, time_ms: int) -> tuple[Register | None, bool]:
    state = None if row is None else _account(row)
    if state is None:
        return None, False
    held = register_in_force(state, time_ms)
    return held, held is not None and held is state.suspended


def _account(row: LockoutsRow) -> ScopeState | None:
    for state in row.scopes:
        if state.scope is LockScope.ACCOUNT:
            return state
    return None
