"""Filters as questions to the columns of a block."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.block import Block
from riskstream.console.store.facets import (
    CATEGORIES,
    LEVELS,
    MOST_FACETS,
    OUTCOMES,
    facet_code,
    hashed,
    mark,
    type_code,
)
from riskstream.console.store.filters import Filters

__all__ = ["Matcher", "Places", "count_places"]

Places = NDArray[np.int64] | slice
"""Of events in a block: all in a row, or these."""


class Matcher:
    """The part of the filters that columns answer: all but the text.

    Args:
        filters: What is asked for.
    """

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.facets = _facets(filters)
        self.every_facet = bool(self.facets.all())
        self._tests = list(_tests(filters))
        self.by_facet_alone = not self._tests

    def but_levels(self) -> NDArray[np.bool_]:
        """The facets asked for if no level were."""
        return _facets(replace(self.filters, levels=()))

    def but_categories(self) -> NDArray[np.bool_]:
        """The facets asked for if no category were."""
        return _facets(replace(self.filters, categories=()))

    def but_outcomes(self) -> NDArray[np.bool_]:
        """The facets asked for if no outcome were."""
        return _facets(replace(self.filters, outcomes=()))

    def whatever_facet(self, block: Block) -> Places:
        """Where events stand that all filters but those for facets let pass."""
        span = block.span(self.filters.low, self.filters.high)
        return self._tested(block, span) if span.stop > span.start else slice(0, 0)

    def places(self, block: Block, low: int, high: int) -> Places:
        """Where the events asked for stand between two keys, in order."""
        span = block.span(max(low, self.filters.low), min(high, self.filters.high))
        return self.among(block, span) if span.stop > span.start else slice(0, 0)

    def among(self, block: Block, found: Places) -> Places:
        """Those of these places where the events asked for stand, whenever they were."""
        found = self._tested(block, found)
        if self.every_facet or not count_places(found):
            return found
        return _narrowed(found, self.facets[block["facet"][found]])

    def _tested(self, block: Block, found: Places) -> Places:
        for column, test in self._tests:
            found = _narrowed(found, test(block[column][found]))
            if not count_places(found):
                break
        return found

    def marks(self) -> str:
        """What of it the full-text index can answer, as a part of an FTS5 expression."""
        filters = self.filters
        groups = [
            [mark(column, hashed(text)) for text in wanted]
            for column, wanted in (
                ("user", filters.users),
                ("actor", filters.actors),
                ("ip", filters.ips),
                ("app", filters.apps),
            )
            if wanted is not None
        ]
        groups.append([mark("type", type_code(number)) for number in filters.types])
        groups += [
            [mark("level", level) for level in filters.levels],
            [mark("category", category) for category in filters.categories],
            [mark("outcome", outcome) for outcome in filters.outcomes],
        ]
        ored = [" OR ".join(f'"{word}"' for word in group) for group in groups if group]
        return "".join(f" AND ({group})" for group in ored)


def _facets(filters: Filters) -> NDArray[np.bool_]:
    wanted = np.zeros(MOST_FACETS, bool)
    for category in filters.categories or CATEGORIES:
        for level in filters.levels or LEVELS:
            for outcome in filters.outcomes or OUTCOMES:
                wanted[facet_code(category, level, outcome)] = True
    return wanted


Test = Callable[[NDArray[Any]], NDArray[np.bool_]]


def _tests(filters: Filters) -> Iterable[tuple[str, Test]]:
    """Columns and what to ask of them, those first that usually leave the fewest."""
    for column, wanted in (
        ("user", filters.users),
        ("actor", filters.actors),
        ("ip", filters.ips),
        ("app", filters.apps),
    ):
        if wanted is not None:
            yield column, _one_of([hashed(text) for text in wanted], np.uint64)
    if filters.types:
        yield "type", _one_of([type_code(number) for number in filters.types], np.uint32)
    if filters.resolution is not None:
        yield "resolution", _one_of([min(max(filters.resolution, 0), 255)], np.uint8)
    if filters.score_least > 0:
        least = np.uint8(min(filters.score_least, 255))
        yield "score", lambda scores: scores >= least
    if filters.score_most < 100:  # noqa: PLR2004  (the highest score there is)
        most = np.uint8(max(filters.score_most, 0))
        yield "score", lambda scores: scores <= most


def _one_of(values: list[int], kind: type[np.unsignedinteger[Any]]) -> Test:
    if len(values) == 1:
        only = kind(values[0])
        return lambda column: column == only
    array = np.array(values, kind)
    return lambda column: np.isin(column, array)


def _narrowed(places: Places, keep: NDArray[np.bool_]) -> Places:
    found: NDArray[np.int64] = np.flatnonzero(keep)
    if isinstance(places, slice):
        moved: NDArray[np.int64] = found + places.start
        return moved
    kept: NDArray[np.int64] = places[found]
    return kept


def count_places(places: Places) -> int:
    """How many they are."""
    return places.stop - places.start if isinstance(places, slice) else len(places)
