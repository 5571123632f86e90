"""Signals about sensitive actions of people and clients."""

from riskstream.risk.features import Feature, key_of
from riskstream.risk.policy import Absolute, AfterRiskyLogin, Steps, milli
from riskstream.risk.profile import BURST_MINUTES
from riskstream.risk.signals.signal import (
    Finding,
    Signal,
    evidence_at,
    ladder,
    sensitive_by_person,
    some,
)
from riskstream.risk.situation import Situation
from riskstream.windows.panes import MINUTE_MS, count

__all__ = ["after_risky_login", "sensitive_burst", "sensitive_first_seen"]


def sensitive_first_seen(rule: Absolute) -> Signal:
    """A sensitive action that this subject was not seen doing."""
    evidence = milli(rule.evidence)

    def evaluate(situation: Situation) -> Finding | None:
        if not sensitive_by_person(situation.facts):
            return None
        profile = situation.profile
        action = key_of(Feature.ACTION, situation.facts.event_type_id)
        if profile is not None and action in profile.doings:
            return None
        return evidence, "sensitive action not seen from this subject before"

    return evaluate


def sensitive_burst(rule: Steps) -> Signal:
    """Many sensitive actions in ten minutes, this one among them."""
    steps = ladder(rule)

    def evaluate(situation: Situation) -> Finding | None:
        if not sensitive_by_person(situation.facts):
            return None
        before, now = situation.profile, situation.time_ms // MINUTE_MS
        actions = 1 + (count(before.sensitive, now, BURST_MINUTES) if before is not None else 0)
        evidence = evidence_at(steps, actions)
        if not evidence:
            return None
        return evidence, f"{some(actions, 'sensitive action')} in {BURST_MINUTES} minutes"

    return evaluate


def after_risky_login(rule: AfterRiskyLogin) -> Signal:
    """A sensitive action soon after a login that scored High."""
    evidence, within = milli(rule.evidence), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        profile = situation.profile
        if profile is None or profile.risky_login is None:
            return None
        if not sensitive_by_person(situation.facts):
            return None
        since, score = profile.risky_login
        if not 0 <= situation.time_ms - since <= within:
            return None
        return evidence, f"sensitive action after a login with risk {score}"

    return evaluate
