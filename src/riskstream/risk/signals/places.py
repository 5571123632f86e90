"""Signals about addresses and devices, new or usual."""

from riskstream.events.event import Facts
from riskstream.risk.policy import History, Steps, milli
from riskstream.risk.profile import agent_hash
from riskstream.risk.signals.kinds import ABOUT_USER
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder
from riskstream.risk.situation import Situation

__all__ = ["known_address", "new_address", "new_user_agent"]


def new_address(rule: History) -> Signal:
    """A user with a history comes from an address not seen before."""
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


def new_user_agent(rule: History) -> Signal:
    """A user with a history comes with a user agent not seen before."""
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


def known_address(rule: Steps) -> Signal:
    """The user has logged in from this address before: it lowers the score."""
    steps = ladder(rule)

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        if not facts.ip or profile is None or not _own_place(facts):
            return None
        seen = profile.addresses.get(facts.ip)
        evidence = 0 if seen is None else evidence_at(steps, seen[0])
        return (evidence, f"usual address {facts.ip}") if evidence else None

    return evaluate


def _own_place(facts: Facts) -> bool:
    """The address is the subject's own: it is a person, and nobody else acted on them."""
    if facts.subject_type != "user":
        return False
    return (
        facts.kind not in ABOUT_USER
        or facts.actor_user_id is None
        or facts.actor_user_id == facts.user_id
    )
