"""All figures of one evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.contenders.freeman import FreemanScorer
from evaluation.happening import Attack
from evaluation.life.storms import StormKind
from evaluation.measure.levels import (
    ATTACK_SHARE,
    Calibration,
    Delay,
    calibration,
    delays,
    high_per_logins,
    new_things_low,
)
from evaluation.measure.observe import LESS, OURS, Observations
from evaluation.measure.pool import Estimate, Pool, pool
from evaluation.measure.reauth import PUBLISHED, Curve, curve
from evaluation.measure.recall import Recall, average_precision, recalls
from evaluation.measure.storms import StormFigures, storm_figures
from riskstream.risk.levels import MEDIUM_FROM, Level

__all__ = ["LOGINS", "Figures", "Poisoning", "figures_of"]

LOGINS: Final = tuple(range(2, 61))
"""Lengths of history of the curves."""


@dataclass(frozen=True, slots=True)
class Poisoning:
    """What a quiet week buys an attacker, and what a new device costs its owner."""

    takeovers: int
    medium: float
    """Share of factor changes on day eight that are Medium or higher."""
    new_logins: int
    new_low: Estimate
    """Share of logins with a new device or home that are Low or No from the third day on."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the report is made of."""

    policy: str
    seeds: tuple[int, ...]
    people: int
    days: int
    learning_days: int
    ordinary_logins: int
    attacks: int
    recalls: list[Recall]
    precision: dict[str, float]
    without: list[Recall]
    """Ours, and ours with each signal left out, over all histories, for the first seeds."""
    without_precision: dict[str, float]
    curves: list[Curve]
    levels: list[Calibration]
    delays: list[Delay]
    high_per_10000: float
    medium_per_10000: float
    poisoning: Poisoning
    storms: list[StormFigures]
    cpu_us: dict[str, float]


def figures_of(
    years: Sequence[Observations],
    storms: dict[StormKind, list[Observations]],
    policy: str,
    resamples: int,
) -> Figures:
    """Put everything together.

    Args:
        years: One simulated year per seed; at least one of them with signals left out.
        storms: Weeks by kind of storm, one per seed.
        policy: Version of the policy that was judged.
        resamples: For the intervals.
    """
    units = pool([each.compared() for each in years], resamples)
    with_less = [each for each in years if any(name.startswith(LESS) for name in each.names)]
    less = pool(with_less, resamples=1)
    others = tuple(name for name in units.names if name != OURS)
    scene = years[0].scene
    return Figures(
        policy=policy,
        seeds=tuple(each.scene.seed for each in years),
        people=scene.people,
        days=scene.days,
        learning_days=scene.learning_days,
        ordinary_logins=sum(each.logins for each in years),
        attacks=len(units.stories),
        recalls=recalls(units, (OURS, *others)),
        precision={name: average_precision(units, name, ATTACK_SHARE) for name in units.names},
        without=recalls(
            less,
            tuple(name for name in less.names if name == OURS or name.startswith(LESS)),
            by_history=False,
        ),
        without_precision={
            name: average_precision(less, name, ATTACK_SHARE) for name in less.names
        },
        curves=[
            curve(units, name, each.attack, each.caught, LOGINS)
            for each in PUBLISHED
            for name in (OURS, FreemanScorer.name)
        ],
        levels=calibration(units),
        delays=delays(units),
        high_per_10000=high_per_logins(years, Level.HIGH),
        medium_per_10000=high_per_logins(years, Level.MEDIUM),
        poisoning=_poisoning(units),
        storms=storm_figures(storms),
        cpu_us=_cost(years),
    )


def _cost(years: Sequence[Observations]) -> dict[str, float]:
    """Mean over the seeds in which ours scored each event once, where there are any."""
    once = [each for each in years if not any(name.startswith(LESS) for name in each.names)]
    counted = once or years
    return {
        name: float(np.mean([each.cpu_us[name] for each in counted])) for name in counted[0].cpu_us
    }


def _poisoning(units: Pool) -> Poisoning:
    taken = [
        each.last_action_score
        for each in units.stories
        if each.attack is Attack.POISONING and each.last_action_score
    ]
    many, low = new_things_low(units)
    medium = float(np.mean([score >= MEDIUM_FROM for score in taken])) if taken else float("nan")
    return Poisoning(len(taken), medium, many, low)
