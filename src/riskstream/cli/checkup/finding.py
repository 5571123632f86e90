"""One line of ``riskstream doctor``."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Judgement", "count", "fail", "ok", "skipped", "warn"]


class Judgement(StrEnum):
    """What is said of one thing."""

    OK = "ok"
    WARN = "warn"
    """Works, and may hurt later or is not as in production."""
    FAIL = "fail"
    """A worker cannot start, loses something, or does not do its work."""
    SKIPPED = "skipped"
    """Could not be asked, or was not asked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    judgement: Judgement
    detail: str
    """What was seen."""
    cure: str = ""
    """What to do; empty where there is nothing to do."""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, Judgement.OK, detail)


def warn(check: str, detail: str, cure: str) -> Finding:
    """It works, but."""
    return Finding(check, Judgement.WARN, detail, cure)


def fail(check: str, detail: str, cure: str) -> Finding:
    """It does not."""
    return Finding(check, Judgement.FAIL, detail, cure)


def skipped(check: str, detail: str, cure: str = "") -> Finding:
    """Not looked at, and why."""
    return Finding(check, Judgement.SKIPPED, detail, cure)


def count(number: int, noun: str) -> str:
    """``1 member``, ``2 members``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
