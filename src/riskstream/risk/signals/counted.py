"""Signals about counts: failures and lockouts in a window."""

from collections.abc import Callable

from riskstream.events.vocabulary import FailureKind
from riskstream.risk.policy import Steps, Windowed
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder, some
from riskstream.risk.situation import Situation
from riskstream.windows.failures import FIVE_MINUTES
from riskstream.windows.panes import HOUR_MINUTES, MINUTE_MS, count

__all__ = [
    "admin_denials",
    "api_failures",
    "app_failures",
    "lockouts_24h",
    "login_failures_1h",
    "login_failures_5m",
    "mfa_failures_5m",
]


def login_failures_5m(rule: Steps) -> Signal:
    """Failed logins of the subject in five minutes."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'failed login')} in 5 minutes",
        lambda situation: _own(situation, situation.counts.login_failures_5m, FIVE_MINUTES),
    )


def login_failures_1h(rule: Steps) -> Signal:
    """Failed logins of the subject in an hour."""
    return _stepped(
        rule,
        lambda found: f"{some(found, 'failed login')} in 1 hour",
        lambda situation: _own(situation, situation.counts.login_failures_1h, HOUR_MINUTES),
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
        lambda situation: 0 if situation.besieged() else situation.counts.lockouts_24h,
    )


def app_failures(rule: Windowed) -> Signal:
    """Apps that were refused to the subject."""
    return _of_kind(rule, FailureKind.APP_ACCESS, "refused app")


def admin_denials(rule: Windowed) -> Signal:
    """Administrative changes that were refused to the subject, or did not happen."""
    return _of_kind(rule, FailureKind.ADMIN_DENIED, "refused change")


def api_failures(rule: Windowed) -> Signal:
    """API calls of the subject that failed."""
    return _of_kind(rule, FailureKind.API, "failed API call")


def _of_kind(rule: Windowed, kind: FailureKind, thing: str) -> Signal:
    minutes = rule.minutes

    def found(situation: Situation) -> int:
        row = situation.failures
        for panes in () if row is None else row.kinds:
            if panes.kind is kind:
                return count(panes.minutes, situation.time_ms // MINUTE_MS, minutes)
        return 0

    return _stepped(rule, lambda found: f"{some(found, thing)} in {minutes} minutes", found)


def _own(situation: Situation, failures: int, minutes: int) -> int:
    """On a known device the failures from elsewhere are somebody else's."""
    elsewhere = situation.failures_elsewhere(minutes)
    return failures - elsewhere if elsewhere and situation.on_known_device() else failures


def _stepped(rule: Steps, say: Callable[[int], str], of: Callable[[Situation], int]) -> Signal:
    steps = ladder(rule)
    first = steps[-1][0]

    def evaluate(situation: Situation) -> Finding | None:
        found = of(situation)
        return (evidence_at(steps, found), say(found)) if found >= first else None

    return evaluate
