"""The simulation as one stream in order of time: a tenant's days, its attackers, and trials."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from evaluation.attacks.campaigns import Campaigns
from evaluation.attacks.trials import Trials
from evaluation.happening import DAY_MS, FIRST_MS, HOUR_MS, Happening, Trial
from evaluation.life.backoffice import Backoffice
from evaluation.life.company import Company
from evaluation.life.routine import Routine
from evaluation.life.storms import CALM, Storm

__all__ = ["Scene", "happenings"]

_EARLIEST_MS: Final = -12 * HOUR_MS
"""A day's first event lies no earlier than this from its midnight in UTC."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is simulated."""

    seed: int
    people: int = 200
    days: int = 365
    learning_days: int = 60
    """Days without attackers, and without judging, while the tenant is new."""
    storm: Storm = CALM
    trials: float = 1.0
    """Multiplies how many are tried."""
    campaigns: bool = True


def happenings(scene: Scene) -> Iterator[Happening | Trial]:
    """Everything that happens, in order of time; memory holds a day or two of it."""
    company = Company(scene.seed, scene.people, scene.days)
    routines = tuple(Routine(member, scene.seed, scene.storm) for member in company.members)
    backoffice = Backoffice(company, scene.seed, scene.storm)
    campaigns = Campaigns(company, scene.seed, scene.learning_days)
    trials = Trials(company, scene.seed, scene.trials)
    logins = dict.fromkeys(range(1, scene.people + 1), 0)
    order = count()
    coming: list[tuple[int, int, Happening | Trial]] = []
    for day in range(scene.days):
        today = [each for routine in routines for each in routine.day(day)]
        today += backoffice.day(day, routines)
        if scene.campaigns:
            today += campaigns.day(day, routines)
        tried = _tried(trials, routines, logins, day) if day >= scene.learning_days else []
        for routine in routines:
            logins[routine.member.number] += len(routine.sessions)
        for each in today:
            heapq.heappush(coming, (each.event.at_ms, next(order), each))
        for trial in tried:
            heapq.heappush(coming, (trial.at_ms, next(order), trial))
        until = FIRST_MS + (day + 1) * DAY_MS + _EARLIEST_MS
        while coming and coming[0][0] < until:
            yield heapq.heappop(coming)[2]
    while coming:
        yield heapq.heappop(coming)[2]


def _tried(
    trials: Trials, routines: tuple[Routine, ...], logins: dict[int, int], day: int
) -> list[Trial]:
    return [
        trial
        for each in routines
        if each.member.joins_day <= day
        for trial in trials.day(day, each, logins[each.member.number])
    ]
