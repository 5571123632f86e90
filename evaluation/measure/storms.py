"""Weeks of storm beside the same weeks in calm: who is alarmed, and who is still caught."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evaluation.happening import Attack
from evaluation.life.storms import CALM, Storm, StormKind
from evaluation.measure.observe import OURS, Observations
from evaluation.measure.pool import JUDGED_BY, attacks_of, pool
from evaluation.measure.recall import cut_at, share_caught
from evaluation.stream import Scene
from riskstream.risk.levels import Level

__all__ = ["StormFigures", "storm_figures", "storm_scenes"]

TRIALS: Final = 6.0
CHALLENGE_RATE: Final = 0.05


@dataclass(frozen=True, slots=True)
class StormFigures:
    """One kind of storm, over all seeds."""

    kind: StormKind
    people: int
    ordinary_high: int
    """Events with level High of people, in the week."""
    attacks: int
    caught: float
    """Mean over the classes, above the score that challenges one login in twenty in calm."""
    caught_calm: float

    @property
    def high_per_1000(self) -> float:
        """Ordinary High per 1,000 people."""
        return self.ordinary_high / self.people * 1000


def storm_scenes(seed: int, people: int, learning_days: int) -> dict[StormKind, Scene]:
    """A calm week and one of each storm, with the same attackers, after weeks of learning."""
    calm = Scene(
        seed,
        people,
        days=learning_days + 7,
        learning_days=learning_days,
        trials=TRIALS,
        campaigns=False,
    )
    return {
        kind: replace(
            calm, storm=CALM if kind is StormKind.NONE else Storm(kind, first_day=learning_days)
        )
        for kind in StormKind
    }


def storm_figures(found: dict[StormKind, list[Observations]]) -> list[StormFigures]:
    """Kind by kind, the calm week first."""
    calm = pool(found[StormKind.NONE], resamples=1)
    cuts = {unit: cut_at(calm, OURS, unit, CHALLENGE_RATE) for unit in set(JUDGED_BY.values())}
    figures = []
    calm_recall = float("nan")
    for kind, observed in found.items():
        units = pool(observed, resamples=1)
        shares, number = [], 0
        for attack in Attack:
            attacks = attacks_of(units, attack)
            if len(attacks.people):
                number += len(attacks.people)
                scores = attacks.scores[:, units.names.index(OURS)]
                cut = cuts[JUDGED_BY[attack]]
                shares.append(share_caught(cut, scores, np.ones(len(scores))))
        recall = float(np.mean(shares)) if shares else float("nan")
        if kind is StormKind.NONE:
            calm_recall = recall
        people = sum(each.scene.people for each in observed)
        high = sum(
            count
            for each in observed
            for (owner, level), count in each.ordinary_events.items()
            if owner and level is Level.HIGH
        )
        figures.append(StormFigures(kind, people, high, number, recall, calm_recall))
    return figures
