"""Which events a person asks for."""

from dataclasses import dataclass, field, replace
from typing import Final

from riskstream.console.store.facets import first_key

__all__ = ["ALL_TIME", "Filters"]

ALL_TIME: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filters:
    """An empty filter lets everything pass; several must all agree, values of one are either-or."""

    users: tuple[str, ...] | None = None
    """Subject keys of the users acted upon; empty finds nothing."""
    actors: tuple[str, ...] | None = None
    """Subject keys of those who acted."""
    apps: tuple[str, ...] | None = None
    """``account:id``."""
    ips: tuple[str, ...] | None = None
    types: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    resolution: int | None = None
    score_least: int = 0
    score_most: int = 100
    low: int = 0
    """Lowest key."""
    high: int = ALL_TIME
    """The key that is too high."""
    text: str = field(default="")

    def between(self, start_ms: int | None, end_ms: int | None) -> "Filters":
        """The same from a moment to before another, epoch milliseconds."""
        low = self.low if start_ms is None else max(self.low, first_key(start_ms))
        high = self.high if end_ms is None else min(self.high, first_key(end_ms))
        return replace(self, low=low, high=high)

    @property
    def by_facet_alone(self) -> bool:
        """Whether counts per hour and facet can answer it."""
        return (
            self.users is None
            and self.actors is None
            and self.apps is None
            and self.ips is None
            and not self.types
            and self.resolution is None
            and self.score_least <= 0
            and self.score_most >= _TOP
        )


_TOP: Final = 100
