"""How usual an event's place, device, hour and app are for its subject, as evidence.

Per level of a chain, coarsest first, the log10 of how likely the value is for an attacker over how
likely it is for this user, both given the level before it: a Dirichlet estimate from the user's own
decayed counts, backed off to the tenant's users. Given what was said of the coarser level, a finer
one says only what it adds; so a new country is charged once, not again for its networks.
"""

from functools import lru_cache, partial
from math import log10
from typing import Final, NamedTuple

from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    Level,
    feature_of,
    key_of,
)
from riskstream.risk.habits import COUNT_BITS, UNIT, Habits
from riskstream.risk.hours import count_at, total_of, uniform_at
from riskstream.risk.numbers import milli
from riskstream.risk.score import MILLI
from riskstream.risk.tenant import TenantView
from riskstream.risk.usual_rules import FeatureRule, HourRule, UsualRule

__all__ = ["GRAIN", "Familiarity", "Told"]

GRAIN: Final = 50
"""Evidence of features is rounded to this many thousandths: finer it would be noise."""


Told = tuple[Feature, int, int]
"""A feature, its evidence in thousandths, never 0, and the user's decayed count in units."""


class _Numbers(NamedTuple):
    attack: float
    unseen: float
    grains: float
    """The weight, in grains of evidence."""
    most: int
    least: int
    lowest: float
    """At this ratio evidence has come down to ``least``."""


class Familiarity:
    """The policy's numbers about what is usual, made ready.

    Args:
        rule: The policy's.
        colleagues: Of ``rule``, as many as that makes in one partition.
    """

    def __init__(self, rule: UsualRule, colleagues: int) -> None:
        rules = rule.rules()
        self._rules = tuple(
            _numbers(rules[feature]) if feature in rules else None for feature in Feature
        )
        self._strength = rule.strength * UNIT
        self._tenant = rule.tenant_strength
        self._colleagues = colleagues
        self.hour = lru_cache(maxsize=16_384)(partial(_hour, rule.hour))
        """Evidence, in thousandths, of an hour's place in a histogram."""

    def levels(
        self, levels: tuple[Level, ...], habits: Habits, tenant: TenantView, time_ms: int
    ) -> list[Told]:
        """What the levels of a chain say, in their order; those that say nothing are left out."""
        told: list[Told] = []
        strength, rules, get = self._strength, self._rules, habits.get
        for feature, key, parent in levels:
            numbers = rules[feature]
            if numbers is None:
                continue
            attack, unseen, grains, most, least, lowest = numbers
            count = get(key, 0) & COUNT_BITS
            among = attack * ((get(parent, 0) & COUNT_BITS) + strength)
            if count >= UNIT:
                if among <= lowest * count:
                    told.append((feature, least, count))
                    continue
                ratio = among / count
            else:
                share = self._share(key, parent, unseen, tenant)
                ratio = among / (count + strength * share)
            evidence = round(log10(ratio) * grains) * GRAIN
            if evidence < 0:
                told.append((feature, max(evidence, least), count))
            elif evidence and tenant.takers(key, time_ms) < self._colleagues:
                told.append((feature, min(evidence, most), count))
        return told

    def app(self, app_id: int, habits: Habits, tenant: TenantView, time_ms: int) -> list[Told]:
        """What the app says."""
        level = Level(Feature.APP, key_of(Feature.APP, app_id), CHAINS[Chain.APPS])
        return self.levels((level,), habits, tenant, time_ms)

    def _share(self, key: int, parent: int, unseen: float, tenant: TenantView) -> float:
        """Of the tenant's users with the coarser value, the share of those with this one."""
        among = tenant.users(parent) if feature_of(parent) else tenant.total
        share = (tenant.users(key) + self._tenant * unseen) / (among + self._tenant)
        return min(share, 1)


def _numbers(rule: FeatureRule) -> _Numbers:
    least = milli(rule.least)
    return _Numbers(
        rule.attack,
        rule.unseen,
        rule.weight * MILLI / GRAIN,
        milli(rule.most),
        least,
        10 ** (rule.least / rule.weight),
    )


def _hour(rule: HourRule | None, hours: bytes, place: int) -> int:
    if rule is None or not hours:
        return 0
    even = uniform_at(place)
    own = count_at(hours, place) + rule.strength * even
    ratio = even * (total_of(hours) + rule.strength) / own
    evidence = round(log10(ratio) * rule.weight * MILLI / GRAIN) * GRAIN
    return min(max(evidence, milli(rule.least)), milli(rule.most))
