"""How many attackers are caught when so many of the owners' own units are challenged."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.happening import Attack, Unit
from evaluation.measure.pool import (
    HISTORIES,
    JUDGED_BY,
    LOYAL,
    Attacks,
    Doubles,
    Estimate,
    Pool,
    attacks_of,
)

__all__ = ["RATES", "Cut", "Recall", "average_precision", "cut_at", "recalls", "share_caught"]

RATES: Final = (0.01, 0.05, 0.10)
"""Challenge rates: shares of the owners' units."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Challenged is what lies above ``score``, and this share of what lies on it.

    With a share, contenders that tell few scores apart are compared at the same challenge rate
    as the others.
    """

    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Recall:
    """Of one contender against one class of attack, at one challenge rate."""

    contender: str
    attack: Attack
    rate: float
    history: tuple[int, int] | None
    """Past logins from and to; None for all."""
    attacks: int
    caught: Estimate


class _Ordinary:
    """A contender's scores of the owners' units, the highest first."""

    def __init__(self, scores: npt.NDArray[np.floating], people: npt.NDArray[np.int64]) -> None:
        order = np.argsort(-scores, kind="stable")
        self._scores = scores[order]
        self._people = people[order]
        ends = np.flatnonzero(np.diff(self._scores)) if len(scores) > 1 else np.array([], int)
        self._last = np.append(ends, len(scores) - 1).astype(np.int64)
        """Where each run of equal scores ends."""

    def cut(self, weights: Doubles, rates: tuple[float, ...]) -> list[Cut]:
        """Where to cut for each rate; with nobody to challenge, everybody may be."""
        if not len(self._scores):
            return [Cut(float("-inf"), 1.0) for _ in rates]
        heavy = np.cumsum(weights[self._people])
        upto = heavy[self._last]
        cuts = []
        for rate in rates:
            wanted = rate * heavy[-1]
            run = int(np.searchsorted(upto, wanted))
            run = min(run, len(upto) - 1)
            above = upto[run - 1] if run else 0.0
            on = upto[run] - above
            share = (wanted - above) / on if on else 0.0
            cuts.append(Cut(float(self._scores[self._last[run]]), float(min(share, 1.0))))
        return cuts


def cut_at(units: Pool, name: str, unit: Unit, rate: float) -> Cut:
    """Where a contender has to cut for a challenge rate, by the sample itself."""
    rows = units.ordinary(unit)
    ordinary = _Ordinary(units.column(name)[rows], units.people[rows])
    return ordinary.cut(units.weights[0], (rate,))[0]


def share_caught(cut: Cut, scores: npt.NDArray[np.floating], weights: Doubles) -> float:
    """The weighted share of attacks that a cut catches; NaN without any."""
    total = weights.sum()
    if not total:
        return float("nan")
    caught = weights[scores > cut.score].sum() + cut.share * weights[scores == cut.score].sum()
    return float(caught / total)


def recalls(units: Pool, names: tuple[str, ...], *, by_history: bool = True) -> list[Recall]:
    """Of each contender, against each class of attack, at each rate, over all and by history."""
    by_class = {attack: attacks_of(units, attack) for attack in Attack}
    by_class = {attack: found for attack, found in by_class.items() if len(found.people)}
    spans = (None, LOYAL, *HISTORIES) if by_history else (None,)
    found = []
    for name in names:
        column = units.names.index(name)
        for unit in sorted(set(JUDGED_BY.values())):
            rows = units.ordinary(unit)
            ordinary = _Ordinary(units.column(name)[rows], units.people[rows])
            cuts = [ordinary.cut(weights, RATES) for weights in units.weights]
            for attack, attacks in by_class.items():
                if JUDGED_BY[attack] is unit:
                    for span in spans:
                        caught = _of_class(attacks, column, span, cuts, units.weights)
                        found += [
                            Recall(name, attack, rate, span, *each)
                            for rate, each in zip(RATES, caught, strict=True)
                        ]
    return found


def _of_class(
    attacks: Attacks,
    column: int,
    span: tuple[int, int] | None,
    cuts: list[list[Cut]],
    weights: Doubles,
) -> list[tuple[int, Estimate]]:
    """How many attacks, and how many of them are caught, by rate."""
    mask = np.ones(len(attacks.people), bool)
    if span is not None:
        mask = (attacks.history >= span[0]) & (attacks.history <= span[1])
    scores, people = attacks.scores[mask, column], attacks.people[mask]
    found = []
    for number in range(len(RATES)):
        values = np.array(
            [
                share_caught(cut[number], scores, row[people])
                for cut, row in zip(cuts, weights, strict=True)
            ]
        )
        found.append((int(mask.sum()), _interval(values)))
    return found


def _interval(values: Doubles) -> Estimate:
    if not len(values[1:]) or np.all(np.isnan(values[1:])):
        return Estimate(float(values[0]), float("nan"), float("nan"))
    low, high = np.nanquantile(values[1:], (0.025, 0.975))
    return Estimate(float(values[0]), float(low), float(high))


def average_precision(units: Pool, name: str, share: float) -> float:
    """Area under precision and recall over logins, if so small a share of them were attacks.

    All classes that end in a login count, each class as much as the others.
    """
    rows = units.ordinary(Unit.LOGIN)
    ordinary = np.sort(units.column(name)[rows])
    column = units.names.index(name)
    scores, weights = [], []
    for attack, unit in JUDGED_BY.items():
        if unit is Unit.LOGIN:
            attacks = attacks_of(units, attack)
            if len(attacks.people):
                scores.append(attacks.scores[:, column])
                weights.append(np.full(len(attacks.people), 1 / len(attacks.people)))
    if not scores:
        return float("nan")
    score, weight = np.concatenate(scores), np.concatenate(weights) / len(scores)
    order = np.argsort(-score, kind="stable")
    score, weight = score[order], weight[order]
    recall = np.cumsum(weight)
    # ties are counted whole: what is not told apart is challenged together
    recall = recall[np.searchsorted(-score, -score, side="right") - 1]
    false = (len(ordinary) - np.searchsorted(ordinary, score, side="left")) / len(ordinary)
    precision = share * recall / (share * recall + (1 - share) * false)
    return float(np.sum(precision * weight))
