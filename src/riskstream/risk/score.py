"""Evidence to score, and the score split into points.

Evidence is a log10 likelihood ratio, counted in integer thousandths (``milli``) so that sums and
caps are exact on every machine. The curve ``100 / (1 + exp(1.046 - 1.086 * E))`` puts E = 0 at 26,
the first Medium, and E = 1 at 51, the first High.
"""

from functools import lru_cache
from math import exp, floor, log
from typing import Final, NamedTuple

__all__ = ["MILLI", "Points", "capped", "curve", "evidence_for", "points", "score_of"]

MILLI: Final = 1000
"""Thousandths in one unit of evidence."""
_OFFSET: Final = 1.046
_SLOPE: Final = 1.086
_STRAIGHT: Final = 1e-9
"""Below this sum of evidence the tangent stands for the chord."""
_DIGITS: Final = 9
"""Decimals of a share that decide its remainder: more would be the machine's rounding."""
_MARGIN: Final = 0.25
"""Scores 0 and 100 lie at infinite evidence; they are taken this far inside."""


class Points(NamedTuple):
    """A score and who carries how much of it: ``prior + sum(signals) == score``."""

    score: int
    prior: int
    signals: tuple[int, ...]


def curve(milli: int) -> float:
    """The score before rounding."""
    return 100.0 / (1.0 + exp(_OFFSET - _SLOPE * milli / MILLI))


def score_of(milli: int) -> int:
    """The score of an evidence; halves go up."""
    return floor(curve(milli) + 0.5)


def evidence_for(score: int) -> int:
    """The evidence whose score this is; ``score_of`` gives it back."""
    inside = min(max(float(score), _MARGIN), 100.0 - _MARGIN)
    return round((_OFFSET - log(100.0 / inside - 1.0)) / _SLOPE * MILLI)


def capped(evidence: list[int], cap: int) -> list[int]:
    """Scale what lies on one side of zero, in proportion, so that it adds up to ``cap`` at most.

    Positive and negative evidence are capped each for themselves; halves round away from zero.
    """
    up = sum(each for each in evidence if each > 0)
    down = -sum(each for each in evidence if each < 0)
    scaled = []
    for each in evidence:
        total = up if each > 0 else down
        if total <= cap:
            scaled.append(each)
        else:
            size = (2 * abs(each) * cap + total) // (2 * total)
            scaled.append(size if each > 0 else -size)
    return scaled


@lru_cache(maxsize=65_536)
def points(prior: int, evidence: tuple[int, ...]) -> Points:
    """Score of the evidence on top of the prior, and its split.

    The prior carries the score that it has alone. The rest goes to the signals in proportion to
    their evidence, along the straight line from prior to sum, in whole points by largest
    remainder; of equal remainders the earlier signal wins.
    """
    total = prior + sum(evidence)
    score, base = score_of(total), score_of(prior)
    if not evidence:
        return Points(score, base, ())
    slope = _slope(prior, total)
    shares = [round(slope * each / MILLI, _DIGITS) for each in evidence]
    whole = [floor(share) for share in shares]
    left = score - base - sum(whole)
    order = sorted(range(len(shares)), key=lambda place: (whole[place] - shares[place], place))
    for place in order[:left]:
        whole[place] += 1
    return Points(score, base, tuple(whole))


def _slope(start: int, end: int) -> float:
    """Points per unit of evidence between two evidences."""
    distance = (end - start) / MILLI
    if abs(distance) < _STRAIGHT:
        here = curve(start)
        return _SLOPE * here * (100.0 - here) / 100.0
    return (curve(end) - curve(start)) / distance
