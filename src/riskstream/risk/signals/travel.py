"""Signals about where an address lies and what is known of it."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

from riskstream.risk.features import Feature, place_levels
from riskstream.risk.policy import Listed, Travel, milli
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder
from riskstream.risk.situation import Situation
from riskstream.risk.usual_rules import Relays
from riskstream.windows.panes import HOUR_MS, MINUTE_MS

__all__ = ["great_circle_km", "impossible_travel", "listed_address"]

_EARTH_KM: Final = 6371
_HUNDREDTHS: Final = 100
_ONE_IN: Final = 500


def great_circle_km(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Kilometres between two positions in hundredths of a degree."""
    north, east, south, west = (radians(each / _HUNDREDTHS) for each in (*one, *other))
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin((west - east) / 2) ** 2
    return round(2 * _EARTH_KM * asin(sqrt(min(half, 1))))


def impossible_travel(rule: Travel, relays: Relays) -> Signal:
    """A login so far from the one before, so soon, that nobody travels that fast."""
    steps = ladder(rule)

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        if facts.position is None or profile is None or profile.where is None:
            return None
        if relays.hide(facts.asn, facts.lists):
            return None
        since, *there = profile.where
        distance = great_circle_km((there[0], there[1]), facts.position)
        if distance < rule.least_km or situation.time_ms < since:
            return None
        passed = max(situation.time_ms - since, MINUTE_MS)
        evidence = evidence_at(steps, distance * HOUR_MS // passed)
        if not evidence or _shared(situation, rule.shared_by):
            return None
        return evidence, f"{distance} km from the last login {passed // MINUTE_MS} minutes before"

    return evaluate


def listed_address(rule: Listed) -> Signal:
    """The address stands on a list of the operator's."""
    weights = {name: milli(evidence) for name, evidence in rule.lists.items()}

    def evaluate(situation: Situation) -> Finding | None:
        found = [(weights[name], name) for name in situation.facts.lists if weights.get(name)]
        if not found:
            return None
        evidence, name = max(found, key=lambda each: (abs(each[0]), each))
        return evidence, f"address on the list {name}"

    return evaluate


def _shared(situation: Situation, users: int) -> bool:
    """Colleagues use this network, so it is an office or a way out of it.

    At least one in 500 of them: fewer could be the sketch's collisions.
    """
    users = max(users, situation.tenant.total // _ONE_IN)
    for level in place_levels(situation.facts).levels:
        if level.feature is Feature.NETWORK:
            return situation.tenant.users(level.key) >= users
    return False
