"""Signals about sensitive actions of people and clients."""

from typing import Final

from riskstream.events.vocabulary import EventOutcome
from riskstream.risk.bulk import is_bulk, usual_size
from riskstream.risk.features import Feature, device_levels, feature_of, key_of, place_levels
from riskstream.risk.habits import PANES_A_DAY, first_pane, pane_of
from riskstream.risk.policy import (
    Absolute,
    AfterRiskyLogin,
    BulkSteps,
    RecentPlace,
    Steps,
    milli,
)
from riskstream.risk.profile import BURST_MINUTES, Profile
from riskstream.risk.signals.signal import (
    Finding,
    Signal,
    evidence_at,
    ladder,
    sensitive_by_person,
    some,
)
from riskstream.risk.situation import Situation
from riskstream.windows.panes import DAY_MS, MINUTE_MS, count

__all__ = [
    "after_risky_login",
    "assumed_session",
    "own_account",
    "sensitive_burst",
    "sensitive_first_seen",
    "sensitive_from_recent_place",
    "unusual_bulk",
]


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


def sensitive_from_recent_place(rule: RecentPlace) -> Signal:
    """A sensitive action from a place or device that the user has known for a few days only."""
    evidence, panes = milli(rule.evidence), rule.days * PANES_A_DAY

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        if profile is None or profile.logins < rule.min_logins:
            return None
        if facts.subject_type != "user" or not sensitive_by_person(facts):
            return None
        oldest = pane_of(situation.time_ms) - panes
        for levels, _ in (place_levels(facts), device_levels(facts)):
            for feature, key, _parent in levels:
                held = profile.usual.get(key) if feature in _LASTING else None
                if held is None or first_pane(held) <= oldest:
                    continue
                if _older(profile, feature, oldest):
                    return evidence, "sensitive action from a place or device first met days ago"
        return None

    return evaluate


def assumed_session(rule: Absolute) -> Signal:
    """A sensitive action by somebody who assumed another user."""
    evidence = milli(rule.evidence)

    def evaluate(situation: Situation) -> Finding | None:
        facts = situation.facts
        if not facts.assumed or not sensitive_by_person(facts):
            return None
        return evidence, "in the session of an assumed user"

    return evaluate


def own_account(rule: Absolute) -> Signal:
    """Somebody gives rights to themselves."""
    evidence = milli(rule.evidence)

    def evaluate(situation: Situation) -> Finding | None:
        facts = situation.facts
        if facts.user_id is None or facts.user_id != facts.actor_user_id:
            return None
        if facts.outcome is EventOutcome.FAILURE:
            return None
        return evidence, "an administrator changes their own access"

    return evaluate


def unusual_bulk(rule: BulkSteps, gap_minutes: int, half_life_days: int) -> Signal:
    """A system changes many times more in one go than in its runs of late."""
    steps, least = ladder(rule), rule.least
    gap_ms, half_life_ms = gap_minutes * MINUTE_MS, half_life_days * DAY_MS

    def evaluate(situation: Situation) -> Finding | None:
        profile, time_ms = situation.profile, situation.time_ms
        bulk = None if profile is None else profile.bulk
        if bulk is None or abs(time_ms - bulk.last_ms) > gap_ms or not is_bulk(situation.facts):
            return None
        size, usual = bulk.size + 1, usual_size(bulk, time_ms, half_life_ms)
        if size < least or not usual:
            return None
        evidence = evidence_at(steps, size // usual)
        return (evidence, f"{size} changes in one go, {usual} are usual") if evidence else None

    return evaluate


_LASTING: Final = frozenset({Feature.NETWORK, Feature.AGENT})
"""Levels at which a place and a device are told apart."""


def _older(profile: Profile, feature: Feature, oldest: int) -> bool:
    """The user had another one before; otherwise all of them is recent."""
    return any(
        first_pane(held) <= oldest
        for key, held in profile.usual.items()
        if feature_of(key) == feature
    )
