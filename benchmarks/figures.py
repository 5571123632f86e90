"""Medians, ratios and percentiles."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "ratio", "spread"]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank).

    Raises:
        ValueError: There are no values, or the share is not within (0, 1].
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    ordered = sorted(values)
    rank = -int(-len(ordered) * share // 1)
    return ordered[max(rank, 1) - 1]


def ratio(value: float, to: float) -> float | None:
    """How many times ``to`` it is; None where there is nothing to compare with."""
    return value / to if to else None


def spread(values: Sequence[float]) -> float:
    """Largest less smallest, as a share of the median; 0 of fewer than two values."""
    middle = median(values) if values else 0.0
    return (max(values) - min(values)) / middle if middle else 0.0
