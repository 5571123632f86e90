"""Signals about counts: failures and lockouts in a window."""

from collections.abc import Callable

from riskstream.risk.policy import Steps
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder, some
from riskstream.risk.situation import Situation

__all__ = ["lockouts_24h", "login_failures_1h", "login_failures_5m", "mfa_failures_5m"]


def login_failures_5m(rule: Steps) -> Signal:
    """Failed logins of the subject in five minutes."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'failed login')} in 5 minutes",
        lambda situation: situation.counts.login_failures_5m,
    )


def login_failures_1h(rule: Steps) -> Signal:
    """Failed logins of the subject in an hour."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'failed login')} in 1 hour",
        lambda situation: situation.counts.login_failures_1h,
    )


def mfa_failures_5m(rule: Steps) -> Signal:
    """Factors that did not match or were denied, in five minutes."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'failed MFA attempt')} in 5 minutes",
        lambda situation: situation.counts.mfa_failures_5m,
    )


def lockouts_24h(rule: Steps) -> Signal:
    """Locks of the subject, of any scope, in 24 hours."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'lockout')} in 24 hours",
        lambda situation: situation.counts.lockouts_24h,
    )


def _stepped(rule: Steps, say: Callable[[int], str], of: Callable[[Situation], int]) -> Signal:
    steps = ladder(rule)
    first = steps[-1][0]

    def evaluate(situation: Situation) -> Finding | None:
        found = of(situation)
        return (evidence_at(steps, found), say(found)) if found >= first else None

    return evaluate
