"""The register of signals: on which kinds each speaks, and without what it is silent."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.policy import Family, Policy
from riskstream.risk.signals.access import (
    activity_while_locked,
    success_after_failures,
    success_after_mfa_denials,
)
from riskstream.risk.signals.actions import (
    after_risky_login,
    sensitive_burst,
    sensitive_first_seen,
)
from riskstream.risk.signals.counted import (
    lockouts_24h,
    login_failures_1h,
    login_failures_5m,
    mfa_failures_5m,
)
from riskstream.risk.signals.kinds import ACTIONS, ACTIVE, AUTHENTICATED, AUTHENTICATION
from riskstream.risk.signals.places import new_user
from riskstream.risk.signals.signal import Signal
from riskstream.risk.signals.usual import USUAL_IDS
from riskstream.risk.situation import QUIET, Situation

__all__ = [
    "ALL_NEEDS",
    "COUNTS",
    "LOCK",
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
ALL_NEEDS: Final = COUNTS | LOCK | PROFILE | RUN
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


_Maker = Callable[[Any], Signal]
_SIGNALS: Final[dict[str, tuple[frozenset[Kind], int, _Maker]]] = {
    "login_failures_5m": (AUTHENTICATION, COUNTS, login_failures_5m),
    "login_failures_1h": (AUTHENTICATION, COUNTS, login_failures_1h),
    "mfa_failures_5m": (AUTHENTICATION, COUNTS, mfa_failures_5m),
    "lockouts_24h": (AUTHENTICATION, COUNTS, lockouts_24h),
    "success_after_failures": (AUTHENTICATED, RUN, success_after_failures),
    "success_after_mfa_denials": (AUTHENTICATED, RUN, success_after_mfa_denials),
    "activity_while_locked": (ACTIVE, LOCK, activity_while_locked),
    "new_user": (AUTHENTICATED, 0, new_user),
    "sensitive_first_seen": (ACTIONS, 0, sensitive_first_seen),
    "sensitive_burst": (ACTIONS, 0, sensitive_burst),
    "after_risky_login": (ACTIONS, PROFILE, after_risky_login),
}
_SENSITIVE: Final = frozenset({"sensitive_first_seen", "sensitive_burst", "after_risky_login"})
SIGNAL_IDS: Final = (*_SIGNALS, *USUAL_IDS, VENDOR_SCORE)
"""Every signal, in the order in which equal ones are listed."""
