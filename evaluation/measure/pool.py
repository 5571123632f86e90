"""Observations of several seeds in one, and the resamples of their people.

Intervals are bootstrapped over people, since the logins of one person resemble each other: each
resample draws as many people as there are, with replacement, from all seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.happening import Attack, Unit
from evaluation.measure.observe import ATTACKS, UNITS, AttackStory, Floats, Integers, Observations
from riskstream.risk.levels import Level

__all__ = [
    "HISTORIES",
    "JUDGED_BY",
    "LOYAL",
    "RESAMPLES",
    "Attacks",
    "Estimate",
    "Pool",
    "attacks_of",
    "estimate",
    "pool",
]

RESAMPLES: Final = 200
RESAMPLING_SEED: Final = 20_250_106
OWNERS_PER_SEED: Final = 100_000

HISTORIES: Final = ((1, 3), (4, 11), (12, 38), (39, 10**9))
"""Past logins of the victim; 12 and 39 are where Wiefling et al. 2022 read their curves."""

LOYAL: Final = (12, 10**9)
"""Of whom enough is known to tell a targeted attacker."""

JUDGED_BY: Final = {
    **dict.fromkeys(Attack, Unit.LOGIN),
    Attack.SESSION_THEFT: Unit.ACCESS,
    Attack.PRIVILEGE_ABUSE: Unit.ACTION,
    Attack.INSIDER: Unit.ACTION,
}
"""Which units of an attack count, and among whose ordinary units the challenges are."""

Doubles = npt.NDArray[np.float64]
Event = tuple[int, Level, int, Attack | None]
"""Person, level, how many, and of which attack."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The units of all seeds. ``people`` numbers a person across seeds, from 0."""

    names: tuple[str, ...]
    unit: Integers
    attack: Integers
    group: Integers
    people: Integers
    history: Integers
    since_new: Floats
    level_score: Integers
    scores: Floats
    stories: tuple[AttackStory, ...]
    ordinary_events: tuple[Event, ...]
    attack_events: tuple[Event, ...]
    weights: Doubles
    """A row per resample: how often each person is in it. Row 0 is the sample itself."""

    def column(self, name: str) -> Floats:
        """A contender's scores; without a history to go by, the lowest there is."""
        scores = self.scores[:, self.names.index(name)]
        return np.where(np.isnan(scores), -np.inf, scores)

    def ordinary(self, unit: Unit) -> npt.NDArray[np.bool_]:
        """The owners' units of a kind, with some history to judge by."""
        mask: npt.NDArray[np.bool_] = (
            (self.unit == UNITS.index(unit)) & (self.attack < 0) & (self.history > 0)
        )
        return mask


@dataclass(frozen=True, slots=True)
class Attacks:
    """The attacks of one class, each by its highest judged unit."""

    scores: Floats
    people: Integers
    history: Integers
    level_score: Integers


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def text(self) -> str:
        """``87 (83 to 90)``; a dash where there is nothing."""
        if np.isnan(self.value):
            return "-"
        return f"{100 * self.value:.0f} ({100 * self.low:.0f} to {100 * self.high:.0f})"


def estimate(of: Callable[[Doubles], float], weights: Doubles) -> Estimate:
    """A figure of the sample, and where the middle 95 % of its resamples lie."""
    values = np.array([of(row) for row in weights])
    if np.isnan(values[0]) or np.all(np.isnan(values[1:])):
        return Estimate(float(values[0]), float("nan"), float("nan"))
    low, high = np.nanquantile(values[1:], (0.025, 0.975))
    return Estimate(float(values[0]), float(low), float(high))


def pool(found: Sequence[Observations], resamples: int = RESAMPLES) -> Pool:
    """All of them; they must have the same contenders."""
    names = found[0].names
    if any(each.names != names for each in found):
        raise ValueError("These observations are of different contenders.")
    owners = np.concatenate([each.owner + _first(number) for number, each in enumerate(found)])
    ordinary = [
        (owner + _first(number), level, count, None)
        for number, each in enumerate(found)
        for (owner, level), count in sorted(each.ordinary_events.items())
    ]
    attacking = [
        (owner + _first(number), level, count, attack)
        for number, each in enumerate(found)
        for (owner, level, attack), count in sorted(each.attack_events.items())
    ]
    elsewhere = np.array([owner for owner, *_ in (*ordinary, *attacking)], dtype=np.int64)
    known = np.unique(np.concatenate([owners, elsewhere]))
    draws = np.random.default_rng(RESAMPLING_SEED)
    share = np.full(len(known), 1 / len(known))
    drawn = draws.multinomial(len(known), share, size=resamples).astype(np.float64)
    drawn[:, known % OWNERS_PER_SEED == 0] = 1.0  # systems and clients are no people
    place = {int(owner): index for index, owner in enumerate(known)}
    groups = [each.group + 10_000_000 * number for number, each in enumerate(found)]
    return Pool(
        names,
        np.concatenate([each.unit for each in found]),
        np.concatenate([each.attack for each in found]),
        np.concatenate(groups),
        np.searchsorted(known, owners),
        np.concatenate([each.history for each in found]),
        np.concatenate([each.since_new for each in found]),
        np.concatenate([each.level_score for each in found]),
        np.concatenate([each.scores for each in found]),
        tuple(story for each in found for story in each.stories),
        tuple((place[owner], level, count, none) for owner, level, count, none in ordinary),
        tuple((place[owner], level, count, attack) for owner, level, count, attack in attacking),
        np.vstack([np.ones(len(known)), drawn]),
    )


def _first(seed: int) -> int:
    return OWNERS_PER_SEED * seed


def attacks_of(units: Pool, attack: Attack) -> Attacks:
    """Each attack of a class on each victim with a history."""
    kind = UNITS.index(JUDGED_BY[attack])
    mask = (units.attack == ATTACKS.index(attack)) & (units.unit == kind) & (units.history > 0)
    rows = np.flatnonzero(mask)
    groups, first, inverse = np.unique(units.group[rows], return_index=True, return_inverse=True)
    scores = np.full((len(groups), units.scores.shape[1]), -np.inf, dtype=np.float32)
    np.maximum.at(scores, inverse, np.nan_to_num(units.scores[rows], nan=-np.inf, neginf=-np.inf))
    level = np.zeros(len(groups), dtype=np.int64)
    np.maximum.at(level, inverse, units.level_score[rows])
    firsts = rows[first]
    return Attacks(scores, units.people[firsts], units.history[firsts], level)
