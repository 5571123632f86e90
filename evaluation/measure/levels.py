"""What the levels mean: how rare attacks are at each, how soon they show, how much is noise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.happening import MINUTE_MS, Attack, Unit
from evaluation.measure.observe import UNITS, Integers, Observations
from evaluation.measure.pool import Doubles, Estimate, Event, Pool, estimate
from riskstream.risk.levels import MEDIUM_FROM, Level

__all__ = [
    "ATTACK_SHARE",
    "Calibration",
    "Delay",
    "calibration",
    "delays",
    "high_per_logins",
    "new_things_low",
]

ATTACK_SHARE: Final = 1e-4
"""One event in 10,000 is an attack's."""
_LEVELS: Final = tuple(Level)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One level."""

    level: Level
    ordinary: int
    attacks: int
    share: Estimate
    """Of attacks among the events of this level, at ``ATTACK_SHARE`` over all."""
    rise: Estimate | None
    """Over the level below; None for the lowest."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How soon the attacks of a class show."""

    attack: Attack
    attacks: int
    medium: float
    """Share that gets as far as Medium, with any event."""
    high: float
    medium_minutes: float
    """Median from the first event, of those that do; NaN without any."""
    high_minutes: float


def calibration(units: Pool) -> list[Calibration]:
    """Level by level, over all events; all classes of attack weigh the same."""
    good_people, good = _table(units.ordinary_events)
    bad_people, bad = _table(units.attack_events)
    of_class: Counter[Attack | None] = Counter()
    for _, _, count, attack in units.attack_events:
        of_class[attack] += count
    per_class = np.array([1 / of_class[attack] for *_, attack in units.attack_events])

    def shares(people: Doubles) -> Doubles:
        plenty = (good * people[good_people][:, None]).sum(axis=0)
        few = (bad * (per_class * people[bad_people])[:, None]).sum(axis=0)
        if not plenty.sum() or not few.sum():
            return np.full(4, np.nan)
        plenty = plenty / plenty.sum() * (1 - ATTACK_SHARE)
        few = few / few.sum() * ATTACK_SHARE
        both = plenty + few
        found: Doubles = np.divide(few, both, out=np.full(4, np.nan), where=both > 0)
        return found

    every = np.array([shares(row) for row in units.weights])
    found = []
    for number, name in enumerate(Level):
        mine, below = every[:, number], every[:, number - 1]
        rise = None
        if number:
            ratio = np.divide(mine, below, out=np.full(len(mine), np.inf), where=below > 0)
            rise = _interval(np.where(np.isnan(mine), np.nan, ratio))
        found.append(
            Calibration(
                name,
                int(good[:, number].sum()),
                int(bad[:, number].sum()),
                _interval(mine),
                rise,
            )
        )
    return found


def _table(events: Sequence[Event]) -> tuple[Integers, Doubles]:
    """People, and a row for each with the number of events in the column of the level."""
    counts = np.zeros((len(events), len(_LEVELS)))
    people = np.zeros(len(events), dtype=np.int64)
    for row, (person, level, count, _) in enumerate(events):
        people[row] = person
        counts[row, _LEVELS.index(level)] = count
    return people, counts


def delays(units: Pool) -> list[Delay]:
    """Class by class."""
    found = []
    for attack in Attack:
        stories = [each for each in units.stories if each.attack is attack and each.history]
        if stories:
            medium = [each.medium_ms for each in stories if each.medium_ms is not None]
            high = [each.high_ms for each in stories if each.high_ms is not None]
            found.append(
                Delay(
                    attack,
                    len(stories),
                    len(medium) / len(stories),
                    len(high) / len(stories),
                    _median_minutes(medium),
                    _median_minutes(high),
                )
            )
    return found


def high_per_logins(found: Sequence[Observations], level: Level, per: int = 10_000) -> float:
    """Ordinary events of a level per so many ordinary logins."""
    events = sum(
        count
        for each in found
        for (_, its_level), count in each.ordinary_events.items()
        if its_level is level
    )
    return events / max(sum(each.logins for each in found), 1) * per


def new_things_low(units: Pool) -> tuple[int, Estimate]:
    """Logins on a new device or at a new home, three days or more after its first.

    Returns:
        How many there are, and the share of them that is Low or No.
    """
    rows = (
        (units.attack < 0)
        & (units.unit == UNITS.index(Unit.LOGIN))
        & (units.history > 0)
        & (np.nan_to_num(units.since_new, nan=-1.0) >= 3.0)
    )
    people, low = units.people[rows], units.level_score[rows] < MEDIUM_FROM

    def share(weights: Doubles) -> float:
        total = weights[people].sum()
        return float(weights[people][low].sum() / total) if total else float("nan")

    return int(rows.sum()), estimate(share, units.weights)


def _interval(values: Doubles) -> Estimate:
    finite = values[1:][~np.isnan(values[1:])]
    if not len(finite):
        return Estimate(float(values[0]), float("nan"), float("nan"))
    low, high = np.quantile(finite, (0.025, 0.975), method="nearest")
    return Estimate(float(values[0]), float(low), float(high))


def _median_minutes(times: Sequence[int]) -> float:
    return float(np.median(times)) / MINUTE_MS if times else float("nan")
