"""The reduced job's catalog: what both its implementations know of an event type."""

from pathlib import Path
from typing import Final, NamedTuple

from riskstream.catalog.loader import load_catalog
from riskstream.events.vocabulary import EventOutcome, Sensitivity

__all__ = ["FAILURES_COUNTED", "FAILURE_EVIDENCE", "ReducedType", "reduced_types", "write_catalog"]

FAILURE_EVIDENCE: Final = 0.25
"""Evidence of each failure of this minute, of at most ``FAILURES_COUNTED``: the fixed weight.

Both figures stand in ReducedJob.java, too.
"""
FAILURES_COUNTED: Final = 8
SENSITIVE_PRIOR: Final = -0.5
ORDINARY_PRIOR: Final = -1.2


class ReducedType(NamedTuple):
    """One event type."""

    id: int
    name: str
    category: str
    failure: bool
    prior: float


def reduced_types() -> list[ReducedType]:
    """Every event type of the catalog that has an id."""
    return [
        ReducedType(
            entry.id,
            entry.api_name,
            entry.category.value,
            entry.outcome is EventOutcome.FAILURE,
            SENSITIVE_PRIOR if entry.sensitivity is Sensitivity.SENSITIVE else ORDINARY_PRIOR,
        )
        for entry in load_catalog().entries
        if entry.id is not None
    ]


def write_catalog(path: Path) -> None:
    """As tab-separated lines for the Java program: id, name, category, failure, prior."""
    lines = (
        f"{kind.id}\t{kind.name}\t{kind.category}\t{int(kind.failure)}\t{kind.prior}\n"
        for kind in reduced_types()
    )
    path.write_text("".join(lines), encoding="utf-8")
