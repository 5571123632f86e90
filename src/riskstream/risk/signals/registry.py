"""The register of signals: on which kinds each speaks, and without what it is silent."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.policy import Family, Policy
from riskstream.risk.signals.access import (
    activity_while_locked,
    automated_client,
    dormant_account,
    factor_changed_then_used,
    guessing_from_many_addresses,
    success_after_failures,
    success_after_mfa_denials,
)
from riskstream.risk.signals.actions import (
    after_risky_login,
    assumed_session,
    own_account,
    sensitive_burst,
    sensitive_first_seen,
    sensitive_from_recent_place,
    unusual_bulk,
)
from riskstream.risk.signals.counted import (
    admin_denials,
    api_failures,
    app_failures,
    lockouts_24h,
    login_failures_1h,
    login_failures_5m,
    mfa_failures_5m,
)
from riskstream.risk.signals.kinds import ACTIONS, ACTIVE, AUTHENTICATED, AUTHENTICATION, OWN
from riskstream.risk.signals.places import new_user
from riskstream.risk.signals.signal import Signal
from riskstream.risk.signals.travel import impossible_travel, listed_address
from riskstream.risk.signals.usual import USUAL_IDS
from riskstream.risk.situation import QUIET, Situation

__all__ = [
    "ALL_NEEDS",
    "BULK",
    "COUNTS",
    "FACTOR",
    "FAILED",
    "LISTED",
    "LOCK",
    "MEANINGS",
    "PLACED",
    "PRIVILEGED_USER",
    "PROFILE",
    "RUN",
    "SIGNAL_IDS",
    "VENDOR_SCORE",
    "BoundSignal",
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
FAILED: Final = 16
"""A row of the failures table."""
LISTED: Final = 32
"""An address on a list."""
PLACED: Final = 64
"""The position of the address, and of the login before."""
FACTOR: Final = 128
"""A profile with a change of factors."""
BULK: Final = 256
"""A profile with runs of a system."""
ALL_NEEDS: Final = COUNTS | LOCK | PROFILE | RUN | FAILED | LISTED | PLACED | FACTOR | BULK
PRIVILEGED_USER: Final = "privileged_user"
"""Speaks where another signal does, so the scorer adds it."""
VENDOR_SCORE: Final = "vendor_score"
"""Not computed from a situation: it compares two scores, so the scorer adds it."""


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
    if situation.failures is not None:
        met |= FAILED
    if situation.facts.lists:
        met |= LISTED
    if profile is not None:
        met |= PROFILE if profile.run is None else PROFILE | RUN
        if profile.where is not None and situation.facts.position is not None:
            met |= PLACED
        if profile.factor_ms:
            met |= FACTOR
        if profile.bulk is not None:
            met |= BULK
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
        BoundSignal(id_, Family(rule.family), _made(policy, make, rule), rank, needs)
        for rank, (id_, (kinds, needs, make)) in enumerate(_SIGNALS.items())
        if kind in kinds
        and needs & met == needs
        and (id_ not in _SENSITIVE or sensitivity is Sensitivity.SENSITIVE)
        and (rule := getattr(policy.signals, id_)) is not None
    )


def _made(policy: Policy, make: "_Maker", rule: Any) -> Signal:
    """Some signals need a part of the policy that others share."""
    if make is unusual_bulk:
        return unusual_bulk(rule, policy.profile.bulk_gap_minutes, policy.usual.half_life_days)
    if make is impossible_travel:
        return impossible_travel(rule, policy.relays)
    return make(rule)


_Maker = Callable[..., Signal]
_LOGINS: Final = AUTHENTICATED | {Kind.LOGIN_FAILURE, Kind.MFA_FAILURE}
_RIGHTS: Final = frozenset({Kind.PRIVILEGE_CHANGE, Kind.ACCESS_CHANGE})
_APPS: Final = frozenset({Kind.APP_ACCESS_FAILURE, Kind.APP_ACCESS})
_DENIED: Final = frozenset({Kind.ADMIN_DENIED}) | ACTIONS
_API: Final = frozenset({Kind.API_FAILURE, Kind.API_ACCESS})
_SIGNALS: Final[dict[str, tuple[frozenset[Kind], int, _Maker]]] = {
    "login_failures_5m": (AUTHENTICATION, COUNTS, login_failures_5m),
    "login_failures_1h": (AUTHENTICATION, COUNTS, login_failures_1h),
    "mfa_failures_5m": (AUTHENTICATION, COUNTS, mfa_failures_5m),
    "lockouts_24h": (AUTHENTICATION, COUNTS, lockouts_24h),
    "success_after_failures": (AUTHENTICATED, RUN, success_after_failures),
    "success_after_mfa_denials": (AUTHENTICATED, RUN, success_after_mfa_denials),
    "activity_while_locked": (ACTIVE, LOCK, activity_while_locked),
    "guessing_from_many_addresses": (AUTHENTICATION, RUN, guessing_from_many_addresses),
    "app_failures": (_APPS, FAILED, app_failures),
    "admin_denials": (_DENIED, FAILED, admin_denials),
    "api_failures": (_API, FAILED, api_failures),
    "listed_address": (OWN, LISTED, listed_address),
    "impossible_travel": (AUTHENTICATED, PLACED, impossible_travel),
    "automated_client": (_LOGINS, 0, automated_client),
    "dormant_account": (AUTHENTICATED, PROFILE, dormant_account),
    "new_user": (AUTHENTICATED, 0, new_user),
    "sensitive_first_seen": (ACTIONS, 0, sensitive_first_seen),
    "sensitive_burst": (ACTIONS, 0, sensitive_burst),
    "after_risky_login": (ACTIONS, PROFILE, after_risky_login),
    "factor_changed_then_used": (AUTHENTICATED, FACTOR, factor_changed_then_used),
    "sensitive_from_recent_place": (ACTIONS, PROFILE, sensitive_from_recent_place),
    "assumed_session": (ACTIONS, 0, assumed_session),
    "own_account": (_RIGHTS, 0, own_account),
    "unusual_bulk": (ACTIONS | {Kind.DIRECTORY}, BULK, unusual_bulk),
}
_SENSITIVE: Final = frozenset(
    {
        "sensitive_first_seen",
        "sensitive_burst",
        "after_risky_login",
        "sensitive_from_recent_place",
        "assumed_session",
    }
)
SIGNAL_IDS: Final = (*_SIGNALS, *USUAL_IDS, PRIVILEGED_USER, VENDOR_SCORE)
"""Every signal, in the order in which equal ones are listed."""
MEANINGS: Final = {
    id_: (make.__doc__ or "").partition("\n")[0] for id_, (_, _, make) in _SIGNALS.items()
} | {PRIVILEGED_USER: "What is odd, and did not fail, about a user who may do more than others."}
"""What each signal looks at, in one line, but for those about what is usual."""
