"""The kinds of numbers that a policy file states."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from riskstream.risk.score import MILLI

__all__ = [
    "MAX_PRIOR",
    "Count",
    "Evidence",
    "Minutes",
    "Negative",
    "Part",
    "Positive",
    "Prior",
    "Share",
    "milli",
]

MAX_PRIOR = -0.5
"""A type of event is never suspicious for itself: at E = -0.5 it scores 17, Low."""
_LIMIT = 6.0
"""Beyond 10^6 to one a likelihood ratio says nothing new; the score is 100 anyway."""


def milli(evidence: float) -> int:
    """Evidence in thousandths."""
    return round(evidence * MILLI)


def _three_decimals(evidence: float) -> float:
    if abs(evidence * MILLI - milli(evidence)) > 1e-6:  # noqa: PLR2004  (float noise, not a number of the policy)
        raise ValueError("evidence has at most three decimals")
    return evidence


Evidence = Annotated[float, Field(ge=-_LIMIT, le=_LIMIT), AfterValidator(_three_decimals)]
Prior = Annotated[float, Field(ge=-_LIMIT, le=MAX_PRIOR), AfterValidator(_three_decimals)]
Positive = Annotated[float, Field(gt=0, le=_LIMIT), AfterValidator(_three_decimals)]
Negative = Annotated[float, Field(lt=0, ge=-_LIMIT), AfterValidator(_three_decimals)]
Share = Annotated[float, Field(ge=0, le=1), AfterValidator(_three_decimals)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 90)]


class Part(BaseModel):
    """A section of the policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
