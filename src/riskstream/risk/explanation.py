"""A scored event's risk told to people: what was new, what was usual, what would have changed it.

Everything follows from the record itself, so it can be told of any event, however old.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from riskstream.risk.levels import HIGH_FROM, LOW_FROM, MEDIUM_FROM, Level, level_of
from riskstream.risk.score import MILLI, evidence_for, score_of

__all__ = ["Change", "Explanation", "explain"]

_FIRST: Final = {Level.LOW: LOW_FROM, Level.MEDIUM: MEDIUM_FROM, Level.HIGH: HIGH_FROM}
"""The first score of each level but No."""
_LEVELS: Final = tuple(Level)


class Change(Struct, frozen=True):
    """What the event would have scored otherwise."""

    without: tuple[str, ...]
    """Ids of signals that had not spoken."""
    score: int
    level: Level


class Explanation(Struct, frozen=True):
    """One event's risk."""

    score: int
    level: Level
    prior: int
    """What an event of this kind scores alone."""
    raised: tuple[tuple[str, int, str], ...]
    """Signals that raised the score: id, points, detail."""
    lowered: tuple[tuple[str, int, str], ...]
    """Signals that lowered it: what was usual."""
    each: tuple[Change, ...]
    """Without one signal each, in their order."""
    lower: Change | None
    """The fewest of the strongest signals without which the level is lower; None where none is."""
    higher: tuple[Level, float] | None
    """The next level, and how much more evidence makes it; None for High."""
    without: tuple[str, ...]
    """What was not known when the event was received."""
    under_attack: bool


def explain(risk: Mapping[str, Any]) -> Explanation:
    """The explanation of ``risk`` of a scored record.

    Raises:
        ValueError: It is not in the form of a scored record's.
    """
    try:
        return _explained(risk)
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"not the risk of a scored event: {fault}") from fault


def _explained(risk: Mapping[str, Any]) -> Explanation:
    signals = [
        (str(each["id"]), round(each["evidence"] * MILLI), int(each["points"]), str(each["detail"]))
        for each in risk["signals"]
    ]
    total = round(risk["prior"]["evidence"] * MILLI) + sum(each[1] for each in signals)
    score = int(risk["score"])
    level = level_of(score)
    said = [(id_, points, detail) for id_, _, points, detail in signals]
    return Explanation(
        score,
        level,
        int(risk["prior"]["points"]),
        tuple(
            each for each, (_, evidence, *_rest) in zip(said, signals, strict=True) if evidence > 0
        ),
        tuple(
            each for each, (_, evidence, *_rest) in zip(said, signals, strict=True) if evidence < 0
        ),
        tuple(_without([each], total) for each in signals),
        _lower(signals, total, level),
        _higher(total, level),
        tuple(risk.get("without", ())),
        bool(risk.get("under_attack")),
    )


def _without(signals: Sequence[tuple[str, int, int, str]], total: int) -> Change:
    score = score_of(total - sum(each[1] for each in signals))
    return Change(tuple(each[0] for each in signals), score, level_of(score))


def _lower(signals: Sequence[tuple[str, int, int, str]], total: int, level: Level) -> Change | None:
    strongest = sorted((each for each in signals if each[1] > 0), key=lambda each: -each[1])
    for most in range(1, len(strongest) + 1):
        change = _without(strongest[:most], total)
        if _LEVELS.index(change.level) < _LEVELS.index(level):
            return change
    return None


def _higher(total: int, level: Level) -> tuple[Level, float] | None:
    if level is Level.HIGH:
        return None
    following = _LEVELS[_LEVELS.index(level) + 1]
    needed = evidence_for(_FIRST[following])
    while score_of(needed - 1) >= _FIRST[following]:
        needed -= 1
    return following, (needed - total) / MILLI
