"""Charts as numbers for the templates: rectangles of an SVG, laid out here, drawn there."""

from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from riskstream.console.store.facets import LEVELS
from riskstream.console.store.histogram import Bars
from riskstream.console.web.wording import span_words, when
from riskstream.events.times import format_time
from riskstream.risk.levels import level_of

__all__ = ["Bar", "Chart", "Rect", "level_chart", "score_chart"]

WIDTH: Final = 1000
HEIGHT: Final = 100
GAP: Final = 0.14
LEAST: Final = 1.5
"""Height of the least part: one event among a million is still to be seen."""
TICKS: Final = 6
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Rect:
    """A part of a bar."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and what it says."""

    title: str
    x: float
    width: float
    parts: list[Rect]
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over time."""

    bars: list[Bar]
    start_ms: int
    step_ms: int
    count: int
    highest: int
    ticks: list[tuple[float, str]]
    """Where, in percent, and what."""
    label: str
    """Of the whole, for who cannot see it."""

    @property
    def step_words(self) -> str:
        """How wide a bar is."""
        return span_words(self.step_ms)


def level_chart(bars: Bars, heights: NDArray[Any], names: tuple[str, ...] = LEVELS) -> Chart:
    """Stacked bars, the last name on top of the others."""
    totals = heights.sum(axis=1)
    highest = max(int(totals.max(initial=0)), 1)
    width = WIDTH / bars.count
    found = []
    for index in range(bars.count):
        start = bars.start_ms + index * bars.step_ms
        if not totals[index]:
            continue
        counts = [int(count) for count in heights[index]]
        found.append(
            Bar(
                _title(start, counts, names),
                round(index * width, 2),
                round(width, 2),
                _stack(index * width, width, counts, names, highest),
                format_time(max(start, 0)),
                format_time(max(start + bars.step_ms, 0)),
            )
        )
    return Chart(
        found,
        bars.start_ms,
        bars.step_ms,
        bars.count,
        int(totals.max(initial=0)),
        _ticks(bars),
        f"Events over time by level, {span_words(bars.step_ms)} a bar, from "
        f"{when(bars.start_ms)} to {when(bars.end_ms)} UTC; the highest bar has {highest:,}",
    )


def _stack(
    x: float, width: float, counts: list[int], names: tuple[str, ...], highest: int
) -> list[Rect]:
    parts, top = [], float(HEIGHT)
    for name, count in zip(names, counts, strict=True):
        if not count:
            continue
        height = min(max(count / highest * (HEIGHT - 2 * len(names)), LEAST), top)
        top -= height
        left, wide = x + width * GAP / 2, width * (1 - GAP)
        parts.append(Rect(name, round(left, 2), round(top, 2), round(wide, 2), round(height, 2)))
    return parts


def _title(start: int, counts: list[int], names: tuple[str, ...]) -> str:
    said = ", ".join(
        f"{count:,} {name}" for name, count in zip(names, counts, strict=True) if count
    )
    return f"{when(start)} UTC: {said}"


def _ticks(bars: Bars) -> list[tuple[float, str]]:
    every = max(1, bars.count // TICKS)
    whole_days = bars.step_ms * every >= DAY_MS
    ticks = []
    for index in range(0, bars.count - every // 2, every):
        text = when(bars.start_ms + index * bars.step_ms)
        shown = text[5:10] if whole_days else text[5:16]
        ticks.append((round(100 * index / bars.count, 2), shown))
    return ticks


def score_chart(first_day: int, highest: list[int]) -> Chart:
    """The highest score of each day, coloured by its level."""
    width = WIDTH / len(highest)
    found = []
    for index, score in enumerate(highest):
        start = (first_day + index) * DAY_MS
        level = level_of(score).value
        height = max(score * HEIGHT / 100, LEAST if score else 0)
        left, wide = (index + GAP / 2) * width, width * (1 - GAP)
        part = Rect(
            level,
            round(left, 2),
            round(HEIGHT - height, 2),
            round(wide, 2),
            round(height, 2),
        )
        found.append(
            Bar(
                f"{when(start)[:10]}: highest score {score}, {level}",
                round(index * width, 2),
                round(width, 2),
                [part] if score else [],
                format_time(start),
                format_time(start + DAY_MS),
            )
        )
    bars = Bars(first_day * DAY_MS, DAY_MS, len(highest))
    label = f"Highest score of each of {len(highest)} days; at most {max(highest)} of 100"
    return Chart(found, bars.start_ms, DAY_MS, bars.count, max(highest), _ticks(bars), label)
