"""OneLogin's four levels (KB0010422: No 0-4, Low 5-25, Medium 26-50, High 51-100)."""

from enum import StrEnum
from typing import Final

__all__ = ["HIGH_FROM", "LOW_FROM", "MEDIUM_FROM", "Level", "level_of"]

LOW_FROM: Final = 5
MEDIUM_FROM: Final = 26
HIGH_FROM: Final = 51


class Level(StrEnum):
    """How bad a score is."""

    NO = "no"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def level_of(score: int) -> Level:
    """The level of a score from 0 to 100."""
    if score >= HIGH_FROM:
        return Level.HIGH
    if score >= MEDIUM_FROM:
        return Level.MEDIUM
    return Level.LOW if score >= LOW_FROM else Level.NO
