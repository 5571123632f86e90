"""How often owners are asked again, by length of history: the curves of Wiefling et al. 2022."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.happening import Attack, Unit
from evaluation.measure.observe import UNITS
from evaluation.measure.pool import Pool, attacks_of

__all__ = ["PUBLISHED", "Curve", "Published", "curve", "rate_at"]


BAND: Final = 1.6
"""Histories up to so many times longer or shorter count as equally long."""


@dataclass(frozen=True, slots=True)
class Published:
    """A point that can be read off a figure of theirs, plus or minus 0.03."""

    attack: Attack
    """Of ours, the class whose knowledge is that of theirs."""
    theirs: str
    caught: float
    """True positive rate."""
    rates: tuple[tuple[int, float], ...]
    """Logins, and the median re-authentication rate there."""


PUBLISHED: Final = (
    Published(Attack.NAIVE, "naive", 0.99, ((12, 0.17), (39, 0.03))),
    Published(Attack.SAME_COUNTRY, "targeted", 0.98, ((12, 0.17), (39, 0.04))),
    Published(Attack.SAME_COUNTRY, "targeted", 0.995, ((12, 0.42), (39, 0.10))),
    Published(Attack.TARGETED, "very targeted", 0.78, ((12, 0.17),)),
    Published(Attack.TARGETED, "very targeted", 0.94, ((12, 1.0),)),
)
"""Theirs know the country and the usual browsers (targeted) or city and user agent (very targeted);
in our classes that is same_country and targeted."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Median over people of the share of their logins at which they are asked again."""

    contender: str
    attack: Attack
    caught: float
    people: tuple[int, ...]
    """By number of logins, from 2 on: how many have so many."""
    rates: tuple[float, ...]
    """By number of logins, from 2 on."""


def curve(units: Pool, name: str, attack: Attack, caught: float, logins: Sequence[int]) -> Curve:
    """The curve of a contender that catches this share of a class of attack.

    For each length of history there is a cut of its own, by the attacks on people with about as
    long a one (``BAND``). Counted are people who have been seen since their first login; it has no
    history to be judged by, so the rates are of those after it. NaN where nobody was attacked.
    """
    attacks = attacks_of(units, attack)
    scores = attacks.scores[:, units.names.index(name)]
    own = (units.attack < 0) & (units.unit == UNITS.index(Unit.LOGIN))
    since_first = np.isin(units.people, units.people[own & (units.history == 0)])
    rows = np.flatnonzero(own & since_first & (units.history > 0))
    rows = rows[np.lexsort((units.history[rows], units.people[rows]))]
    column = units.column(name)[rows]
    _, starts, lengths = np.unique(units.people[rows], return_index=True, return_counts=True)
    people, rates = [], []
    for many in logins:
        near = (attacks.history >= many / BAND) & (attacks.history <= many * BAND)
        cut = np.quantile(scores[near], 1 - caught, method="lower") if near.any() else np.nan
        enough = starts[lengths >= many - 1]
        shares = [np.mean(column[start : start + many - 1] >= cut) for start in enough]
        people.append(len(shares))
        rates.append(float(np.median(shares)) if shares and near.any() else float("nan"))
    return Curve(name, attack, caught, tuple(people), tuple(rates))


def rate_at(found: Curve, logins: Sequence[int], many: int) -> float:
    """The rate of a curve at so many logins."""
    return found.rates[list(logins).index(many)]
