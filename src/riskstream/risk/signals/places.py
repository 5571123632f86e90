"""Signals about how much is known of a user at all."""

from riskstream.risk.policy import NewUser, milli
from riskstream.risk.signals.signal import Finding, Signal, some
from riskstream.risk.situation import Situation

__all__ = ["new_user"]


def new_user(rule: NewUser) -> Signal:
    """A person with few logins so far: little can be said of what is usual."""
    evidence, until = milli(rule.evidence), rule.until_logins

    def evaluate(situation: Situation) -> Finding | None:
        if situation.facts.subject_type != "user":
            return None
        logins = 0 if situation.profile is None else situation.profile.logins
        if logins >= until:
            return None
        said = f"{some(logins, 'login')} so far" if logins else "no login seen before"
        return (2 * evidence * (until - logins) + until) // (2 * until), said

    return evaluate
