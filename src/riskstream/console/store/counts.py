"""How many events there are: in all, per level, category and outcome, and per bar of time."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.block import HOUR_MS, Block
from riskstream.console.store.facets import CATEGORIES, LEVELS, MOST_FACETS, OUTCOMES
from riskstream.console.store.histogram import Bars
from riskstream.console.store.matcher import Matcher, Places, count_places

__all__ = ["Counts"]

_LEVEL: Final = np.arange(MOST_FACETS) // len(OUTCOMES) % len(LEVELS)
_CATEGORY: Final = np.arange(MOST_FACETS) // (len(OUTCOMES) * len(LEVELS))
_OUTCOME: Final = np.arange(MOST_FACETS) % len(OUTCOMES)
_ONE_LEVEL: Final = (_LEVEL[:, None] == np.arange(len(LEVELS))).astype(np.int64)


@dataclass(slots=True)
class Counts:
    """Adds up block after block.

    Counted is what all filters but those for level, category and outcome let pass, by facet; so
    that beside each level stands what choosing it would find, whichever are chosen now.

    Args:
        bars: Whose heights are counted.
        matcher: What is asked for.
    """

    bars: Bars
    matcher: Matcher
    by_bar: NDArray[np.int64] = field(init=False)
    """Per bar and facet."""

    def __post_init__(self) -> None:
        self.by_bar = np.zeros((self.bars.count, MOST_FACETS), np.int64)

    @property
    def total(self) -> int:
        """All that is asked for."""
        return int(self._facets[self.matcher.facets].sum())

    @property
    def heights(self) -> NDArray[np.int64]:
        """Of what is asked for, per bar and level."""
        heights: NDArray[np.int64] = np.where(self.matcher.facets, self.by_bar, 0) @ _ONE_LEVEL
        return heights

    @property
    def levels(self) -> dict[str, int]:
        """Per level, whichever levels are asked for."""
        return self._by(LEVELS, _LEVEL, self.matcher.but_levels())

    @property
    def categories(self) -> dict[str, int]:
        """Per category, whichever categories are asked for."""
        return self._by(CATEGORIES, _CATEGORY, self.matcher.but_categories())

    @property
    def outcomes(self) -> dict[str, int]:
        """Per outcome, whichever outcomes are asked for."""
        return self._by(OUTCOMES, _OUTCOME, self.matcher.but_outcomes())

    def add(self, block: Block) -> None:
        """What of a block is asked for."""
        filters = self.matcher.filters
        whole = filters.low <= block.first and block.last < filters.high
        if whole and self.matcher.by_facet_alone and self.bars.by_hours:
            hours = block.hours
            if hours is not None:
                self._add_hours(block, hours)
                return
        self.add_places(block, self.matcher.whatever_facet(block))

    def add_places(self, block: Block, places: Places) -> None:
        """These events of a block, in order."""
        if not count_places(places):
            return
        facets = block["facet"][places]
        cuts = np.searchsorted(block.keys, self.bars.edges()[1:-1])
        if isinstance(places, slice):
            cuts = np.clip(cuts - places.start, 0, len(facets))
        else:
            cuts = np.searchsorted(places, cuts)
        ends = [*cuts.tolist(), len(facets)]
        start = 0
        for bar, end in enumerate(ends):
            if end > start:
                self.by_bar[bar] += np.bincount(facets[start:end], minlength=MOST_FACETS)
                start = end

    def _add_hours(self, block: Block, hours: NDArray[np.int64]) -> None:
        starts = (block.first_hour + np.arange(len(hours))) * HOUR_MS
        bar = np.clip((starts - self.bars.start_ms) // self.bars.step_ms, 0, self.bars.count - 1)
        np.add.at(self.by_bar, bar, hours)

    @property
    def _facets(self) -> NDArray[np.int64]:
        facets: NDArray[Any] = self.by_bar.sum(axis=0)
        return facets

    def _by(
        self, names: tuple[str, ...], code: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> dict[str, int]:
        counts = np.bincount(code[wanted], self._facets[wanted], len(names))
        return {name: int(count) for name, count in zip(names, counts, strict=True)}
