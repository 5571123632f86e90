"""Bars over time: how wide, where they begin, and which level falls into which."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.block import HOUR_MS
from riskstream.console.store.facets import TIME_SHIFT

__all__ = ["STEPS_MS", "Bars", "bars_between"]

_MINUTE: Final = 60_000
STEPS_MS: Final = (
    *(1000 * seconds for seconds in (1, 5, 15)),
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(HOUR_MS * hours for hours in (1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 30, 24 * 90, 24 * 365)),
)
MOST_BARS: Final = 72


@dataclass(frozen=True, slots=True)
class Bars:
    """``count`` bars of ``step_ms`` each, from ``start_ms`` on."""

    start_ms: int
    step_ms: int
    count: int

    @property
    def end_ms(self) -> int:
        """Where the last one ends."""
        return self.start_ms + self.step_ms * self.count

    @property
    def by_hours(self) -> bool:
        """Whether each holds whole hours."""
        return self.step_ms % HOUR_MS == 0 and self.start_ms % HOUR_MS == 0

    def edges(self) -> NDArray[np.int64]:
        """As keys: where each begins, and where the last one ends."""
        return (self.start_ms + self.step_ms * np.arange(self.count + 1)) << TIME_SHIFT


def bars_between(start_ms: int, end_ms: int) -> Bars:
    """Bars of a round width that cover a range, at most ``MOST_BARS`` and one."""
    width = max(end_ms - start_ms, 1)
    step = next((step for step in STEPS_MS if width / step <= MOST_BARS), 0)
    if not step:
        year = STEPS_MS[-1]
        step = -(-width // (MOST_BARS * year)) * year
    first = start_ms // step * step
    return Bars(first, step, -(-(end_ms - first) // step))
