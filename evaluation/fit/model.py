"""The policy's arithmetic on rows, for many sets of numbers quickly, and how well they fit."""

from dataclasses import dataclass
from math import log, log10
from typing import Final

import numpy as np

from evaluation.fit.rows import Rows
from evaluation.measure.observe import ATTACKS
from evaluation.measure.pool import JUDGED_BY, Doubles
from riskstream.risk.policy import Family, Policy
from riskstream.risk.signals.usual import USUAL_FAMILY
from riskstream.risk.usual_rules import FeatureRule

__all__ = ["Known", "Numbers", "away", "evidence", "loss", "numbers_of", "said", "weights_of"]

ODDS: Final = (0.0, 1.0, 2.0)
"""The loss is taken where one login in two, in eleven and in a hundred is an attacker's."""
TIE: Final = 0.02
"""How much a number that has moved far from its beginning costs."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one feature."""

    weight: float
    attack: float
    most: float
    least: float


def numbers_of(policy: Policy, features: tuple[str, ...]) -> dict[str, Numbers]:
    """What a policy states."""
    found = {}
    for name in features:
        rule = getattr(policy.usual, name)
        attack = rule.attack if isinstance(rule, FeatureRule) else 1.0
        found[name] = Numbers(rule.weight, attack, rule.most, rule.least)
    return found


Known = dict[tuple[str, Numbers], Doubles]
"""What features say with numbers that were asked for before."""


def evidence(
    rows: Rows, numbers: dict[str, Numbers], caps: dict[Family, float], known: Known | None = None
) -> Doubles:
    """E of every row, as the scorer adds it up; without saturation, which failures alone bring."""
    total = rows.rest.copy()
    for family, cap in caps.items():
        up, down = np.zeros(len(total)), np.zeros(len(total))
        for name in rows.features:
            if _family(name) is family:
                each = None if known is None else known.get((name, numbers[name]))
                each = said(rows, name, numbers[name]) if each is None else each
                up += np.maximum(each, 0)
                down += np.minimum(each, 0)
        total += np.minimum(up, cap) + np.maximum(down, -cap)
    return total


def said(rows: Rows, name: str, numbers: Numbers) -> Doubles:
    """What one feature says of every row; nothing where it is silent."""
    ratio = rows.ratios[:, rows.features.index(name)] + log10(numbers.attack)
    found = np.clip(numbers.weight * ratio, numbers.least, numbers.most)
    return np.nan_to_num(found, nan=0.0)


def weights_of(rows: Rows) -> Doubles:
    """Owners together weigh one, attackers too, and each of their classes the same."""
    weights = np.zeros(len(rows.attack))
    own = rows.attack < 0
    weights[own] = 1 / own.sum()
    classes = [
        mask
        for index, attack in enumerate(ATTACKS)
        if attack in JUDGED_BY and (mask := rows.attack == index).any()
    ]
    for mask in classes:
        weights[mask] = 1 / mask.sum() / len(classes)
    return weights


def loss(total: Doubles, prior: float, own: np.ndarray, weights: Doubles) -> float:
    """How badly evidence beyond the prior says who is an attacker, at several odds; in nats."""
    beyond = (total - prior) * log(10)
    found = 0.0
    for odds in ODDS:
        shifted = beyond - odds * log(10)
        wrong = np.where(own, np.logaddexp(0, shifted) * 10**odds, np.logaddexp(0, -shifted))
        found += float((wrong * weights).sum()) / (1 + odds)
    return found


def away(numbers: dict[str, Numbers], start: dict[str, Numbers]) -> float:
    """What it costs to have moved: large weights are not bought by luck."""
    moved = 0.0
    for name, each in numbers.items():
        begun = start[name]
        moved += (each.weight - begun.weight) ** 2
        moved += log10(each.attack / begun.attack) ** 2 / 4
        moved += (each.most - begun.most) ** 2 + (each.least - begun.least) ** 2
    return TIE * moved / len(numbers)


def _family(feature: str) -> Family:
    return USUAL_FAMILY[_ID.get(feature, f"new_{feature}")]


_ID: Final = {"hour": "unusual_hour"}
