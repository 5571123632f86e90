"""The signals: each looks at a situation and gives evidence with a line for people, or is silent.

A signal that cannot be computed (no address, no user agent, no profile) is silent. Every number
comes from the policy; a signal's function is made once, from its part of the policy.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from riskstream.events.event import Facts
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.policy import (
    Absolute,
    AfterRiskyLogin,
    Family,
    History,
    Policy,
    RunSteps,
    Steps,
    TakeoverSteps,
    WhileLocked,
    milli,
)
from riskstream.risk.profile import BURST_MINUTES, Run, agent_hash
from riskstream.risk.score import MILLI
from riskstream.risk.situation import QUIET, Situation
from riskstream.windows.panes import MINUTE_MS, count

__all__ = [
    "ALL_NEEDS",
    "COUNTS",
    "LOCK",
    "PROFILE",
    "RUN",
    "SIGNAL_IDS",
    "VENDOR_SCORE",
    "BoundSignal",
    "Finding",
    "needs_met",
    "signals_of",
]

COUNTS: Final = 1
"""Needs are bits; without what it needs a signal is silent. This: counts that are not all zero."""
LOCK: Final = 2
"""A lock or suspension in force."""
PROFILE: Final = 4
RUN: Final = 8
"""A profile with a run of failures."""
ALL_NEEDS: Final = COUNTS | LOCK | PROFILE | RUN
VENDOR_SCORE: Final = "vendor_score"
"""Not computed from a situation: it compares two scores, so the scorer adds it."""

Finding = tuple[int, str]
"""Evidence in thousandths, and one line for people."""
Signal = Callable[[Situation], Finding | None]


class BoundSignal(NamedTuple):
    """A signal with the policy's numbers in it."""

    id: str
    family: Family
    evaluate: Signal
    rank: int
    """Of signals with equal evidence the lower comes first."""
    needs: int


def needs_met(situation: Situation) -> int:
    """What there is for signals to look at, as needs."""
    met = 0 if situation.counts is QUIET else COUNTS
    if situation.held is not None:
        met |= LOCK
    profile = situation.profile
    if profile is not None:
        met |= PROFILE if profile.run is None else PROFILE | RUN
    return met


def signals_of(
    policy: Policy, kind: Kind, sensitivity: Sensitivity, met: int = ALL_NEEDS
) -> tuple[BoundSignal, ...]:
    """The signals that such an event can raise, in the policy's order.

    Args:
        policy: Has the weights.
        kind: Of the event.
        sensitivity: Of the event's type.
        met: What there is to look at; signals that need more would be silent, and are left out.
    """
    return tuple(
        BoundSignal(id_, Family(rule.family), make(rule), rank, needs)
        for rank, (id_, (kinds, needs, make)) in enumerate(_SIGNALS.items())
        if kind in kinds
        and needs & met == needs
        and (id_ not in _SENSITIVE or sensitivity is Sensitivity.SENSITIVE)
        and (rule := getattr(policy.signals, id_)) is not None
    )


def _stepped(rule: Steps, say: Callable[[int], str], of: Callable[[Situation], int]) -> Signal:
    steps = _steps(rule)
    first = steps[-1][0]

    def evaluate(situation: Situation) -> Finding | None:
        found = of(situation)
        return (_at(steps, found), say(found)) if found >= first else None

    return evaluate


def _login_failures_5m(rule: Steps) -> Signal:
    return _stepped(
        rule,
        lambda found: f"{_some(found, 'failed login')} in 5 minutes",
        lambda situation: situation.counts.login_failures_5m,
    )


def _login_failures_1h(rule: Steps) -> Signal:
    return _stepped(
        rule,
        lambda found: f"{_some(found, 'failed login')} in 1 hour",
        lambda situation: situation.counts.login_failures_1h,
    )


def _mfa_failures_5m(rule: Steps) -> Signal:
    return _stepped(
        rule,
        lambda found: f"{_some(found, 'failed MFA attempt')} in 5 minutes",
        lambda situation: situation.counts.mfa_failures_5m,
    )


def _lockouts_24h(rule: Steps) -> Signal:
    return _stepped(
        rule,
        lambda found: f"{_some(found, 'lockout')} in 24 hours",
        lambda situation: situation.counts.lockouts_24h,
    )


def _success_after_failures(rule: TakeoverSteps) -> Signal:
    steps, within = _steps(rule), rule.within_minutes * MINUTE_MS
    elsewhere = milli(rule.elsewhere_factor)

    def evaluate(situation: Situation) -> Finding | None:
        run = _recent_run(situation)
        if run is None or situation.time_ms - run.last_ms > within:
            return None
        failures = run.login + run.mfa
        evidence = _at(steps, failures)
        if not evidence:
            return None
        address = situation.facts.ip
        if address is not None and run.address == address:
            return evidence, f"success after {_some(failures, 'failure')} from the same address"
        less = (2 * evidence * elsewhere + MILLI) // (2 * MILLI)
        return less, f"success after {_some(failures, 'failure')}"

    return evaluate


def _success_after_mfa_denials(rule: RunSteps) -> Signal:
    steps, within = _steps(rule), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        run = _recent_run(situation)
        if run is None or not run.denied or situation.time_ms - run.denied_ms > within:
            return None
        evidence = _at(steps, run.denied)
        return (evidence, f"accepted after {_some(run.denied, 'MFA denial')}") if evidence else None

    return evaluate


def _activity_while_locked(rule: WhileLocked) -> Signal:
    locked, suspended = milli(rule.locked), milli(rule.suspended)

    def evaluate(situation: Situation) -> Finding | None:
        if situation.held is None or situation.facts.outcome is EventOutcome.FAILURE:
            return None
        if situation.suspended:
            return suspended, "activity while the account is suspended"
        return locked, "activity while the account is locked"

    return evaluate


def _new_address(rule: History) -> Signal:
    evidence, least = milli(rule.evidence), rule.min_logins

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        address = facts.ip
        if not address or profile is None or profile.logins < least or not _own_place(facts):
            return None
        if not profile.addresses or address in profile.addresses:
            return None
        return evidence, f"first seen from {address}"

    return evaluate


def _new_user_agent(rule: History) -> Signal:
    evidence, least = milli(rule.evidence), rule.min_logins

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        agent = facts.user_agent
        if not agent or profile is None or profile.logins < least or not _own_place(facts):
            return None
        if not profile.agents or agent_hash(agent) in profile.agents:
            return None
        return evidence, "first seen with this user agent"

    return evaluate


def _known_address(rule: Steps) -> Signal:
    steps = _steps(rule)

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        if not facts.ip or profile is None or not _own_place(facts):
            return None
        seen = profile.addresses.get(facts.ip)
        evidence = 0 if seen is None else _at(steps, seen[0])
        return (evidence, f"usual address {facts.ip}") if evidence else None

    return evaluate


def _sensitive_first_seen(rule: Absolute) -> Signal:
    evidence = milli(rule.evidence)

    def evaluate(situation: Situation) -> Finding | None:
        if not _sensitive_by_person(situation.facts):
            return None
        profile = situation.profile
        if profile is not None and situation.facts.event_type_id in profile.actions:
            return None
        return evidence, "sensitive action not seen from this subject before"

    return evaluate


def _sensitive_burst(rule: Steps) -> Signal:
    steps = _steps(rule)

    def evaluate(situation: Situation) -> Finding | None:
        if not _sensitive_by_person(situation.facts):
            return None
        before, now = situation.profile, situation.time_ms // MINUTE_MS
        actions = 1 + (count(before.sensitive, now, BURST_MINUTES) if before is not None else 0)
        evidence = _at(steps, actions)
        if not evidence:
            return None
        return evidence, f"{_some(actions, 'sensitive action')} in {BURST_MINUTES} minutes"

    return evaluate


def _after_risky_login(rule: AfterRiskyLogin) -> Signal:
    evidence, within = milli(rule.evidence), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        profile = situation.profile
        if profile is None or profile.risky_login is None:
            return None
        if not _sensitive_by_person(situation.facts):
            return None
        since, score = profile.risky_login
        if not 0 <= situation.time_ms - since <= within:
            return None
        return evidence, f"sensitive action after a login with risk {score}"

    return evaluate


def _steps(rule: Steps) -> tuple[tuple[int, int], ...]:
    """(from this count on, evidence), the highest step first."""
    return tuple((step.at, milli(step.evidence)) for step in reversed(rule.steps))


def _at(steps: tuple[tuple[int, int], ...], found: int) -> int:
    for at, evidence in steps:
        if found >= at:
            return evidence
    return 0


def _some(found: int, thing: str) -> str:
    return f"{found} {thing}" if found == 1 else f"{found} {thing}s"


def _recent_run(situation: Situation) -> Run | None:
    return None if situation.profile is None else situation.profile.run


def _own_place(facts: Facts) -> bool:
    """The address is the subject's own: it is a person, and nobody else acted on them."""
    if facts.subject_type != "user":
        return False
    return (
        facts.kind not in _ABOUT_USER
        or facts.actor_user_id is None
        or facts.actor_user_id == facts.user_id
    )


def _sensitive_by_person(facts: Facts) -> bool:
    return (
        facts.sensitivity is Sensitivity.SENSITIVE
        and facts.outcome is not EventOutcome.FAILURE
        and facts.subject_type != "system"
    )


_AUTHENTICATED: Final = frozenset({Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS})
_AUTHENTICATION: Final = _AUTHENTICATED | {
    Kind.LOGIN_FAILURE,
    Kind.MFA_CHALLENGE,
    Kind.MFA_FAILURE,
    Kind.MFA_DENIED,
    Kind.LOCKOUT,
}
_ABOUT_USER: Final = _AUTHENTICATION | {Kind.APP_ACCESS, Kind.APP_ACCESS_FAILURE}
"""Kinds whose subject is the user acted upon."""
_BACKGROUND: Final = frozenset(
    {
        Kind.PROVISIONING,
        Kind.PROVISIONING_FAILURE,
        Kind.DIRECTORY,
        Kind.DIRECTORY_FAILURE,
        Kind.HOOK,
        Kind.HOOK_FAILURE,
        Kind.MAPPING,
        Kind.SYSTEM,
    }
)
"""Nobody sits at a keyboard: an address says nothing about the subject."""
_OWN: Final = frozenset(Kind) - _BACKGROUND
_ACTIVE: Final = _OWN - {Kind.LOCKOUT, Kind.UNLOCK, Kind.MFA_CHALLENGE, Kind.LOGIN_OTHER}
"""Kinds that an account that is shut out should not show."""
_ACTIONS: Final = _OWN - _AUTHENTICATION

_Maker = Callable[[Any], Signal]
_SIGNALS: Final[dict[str, tuple[frozenset[Kind], int, _Maker]]] = {
    "login_failures_5m": (_AUTHENTICATION, COUNTS, _login_failures_5m),
    "login_failures_1h": (_AUTHENTICATION, COUNTS, _login_failures_1h),
    "mfa_failures_5m": (_AUTHENTICATION, COUNTS, _mfa_failures_5m),
    "lockouts_24h": (_AUTHENTICATION, COUNTS, _lockouts_24h),
    "success_after_failures": (_AUTHENTICATED, RUN, _success_after_failures),
    "success_after_mfa_denials": (_AUTHENTICATED, RUN, _success_after_mfa_denials),
    "activity_while_locked": (_ACTIVE, LOCK, _activity_while_locked),
    "new_address": (_OWN, PROFILE, _new_address),
    "new_user_agent": (_OWN, PROFILE, _new_user_agent),
    "known_address": (_OWN, PROFILE, _known_address),
    "sensitive_first_seen": (_ACTIONS, 0, _sensitive_first_seen),
    "sensitive_burst": (_ACTIONS, 0, _sensitive_burst),
    "after_risky_login": (_ACTIONS, PROFILE, _after_risky_login),
}
_SENSITIVE: Final = frozenset({"sensitive_first_seen", "sensitive_burst", "after_risky_login"})
SIGNAL_IDS: Final = (*_SIGNALS, VENDOR_SCORE)
"""Every signal, in the order in which equal ones are listed."""
