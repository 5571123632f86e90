"""A dashboard's panels with their data, as SVG written by hand, much as Grafana lays them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan
from typing import Any

from tests.dashboards.panels import Panel

__all__ = ["Drawn", "Line", "draw", "lines_of", "shown"]

CELL_WIDTH, CELL_HEIGHT, GAP, HEAD = 50, 27, 4, 40
COLORS = (
    "#3569b8",
    "#c0504d",
    "#4f9a57",
    "#b07a2c",
    "#7d5fb2",
    "#2c98a0",
    "#a8487a",
    "#7a7a7a",
    "#6b8e23",
    "#d2691e",
)
NAMED = {"blue": "#3569b8", "green": "#3f8f49", "orange": "#c77f1a", "red": "#c23b36"}
STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#444}"
    ".t{font-weight:600;font-size:12px}.h{font-weight:600;font-size:16px}.r{font-size:13px}"
    ".p{fill:none;stroke:#9994}.g{stroke:#9993}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Line:
    """One series: points of (seconds since the start, value); one point where it is instant."""

    name: str
    points: Sequence[tuple[float, float]]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel and its data."""

    panel: Panel
    lines: Sequence[Line]


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """A number with its unit, as short as Grafana says it."""
    if unit == "percentunit":
        return f"{value * 100:.{1 if decimals is None else decimals}f} %"
    if unit == "s":
        return f"{value * 1000:.0f} ms" if 0 < abs(value) < 1 else f"{value:.3g} s"
    by, prefix = next(((by, name) for by, name in PREFIXES if abs(value) >= by), (1.0, ""))
    number = f"{value / by:.3g}" if decimals is None else f"{value / by:.{decimals}f}"
    end = {"eps": " /s", "ops": " /s", "bytes": "B"}.get(unit, "")
    return f"{number} {prefix}{end}".strip() if unit == "bytes" else f"{number}{prefix}{end}"


def draw(title: str, drawn: Sequence[Drawn], seconds: float) -> str:
    """The whole dashboard over ``seconds`` of data."""
    rows = max(one.panel.y + one.panel.height for one in drawn)
    width, height = 24 * CELL_WIDTH, HEAD + rows * CELL_HEIGHT
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">'
    )
    head = (
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f'<text class="h" x="{GAP}" y="24">{escape(title)}</text>'
    )
    parts = [part for one in drawn for part in _panel(one, seconds)]
    return "\n".join((opening, head, *parts, "</svg>", ""))


def _panel(one: Drawn, seconds: float) -> Iterable[str]:
    panel = one.panel
    left, top = panel.x * CELL_WIDTH, HEAD + panel.y * CELL_HEIGHT
    if panel.kind == "row":
        yield f'<text class="r" x="{left + GAP}" y="{top + 18}">{escape(panel.title)}</text>'
        return
    width, height = panel.width * CELL_WIDTH - 2 * GAP, panel.height * CELL_HEIGHT - 2 * GAP
    yield f'<svg x="{left + GAP}" y="{top + GAP}" width="{width}" height="{height}">'
    yield f'<rect class="p" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="3"/>'
    yield f'<text class="t" x="8" y="17">{escape(panel.title)}</text>'
    if not one.lines:
        yield f'<text x="{width / 2:.0f}" y="{height / 2:.0f}" text-anchor="middle">no data</text>'
    elif panel.kind == "stat":
        yield _stat(panel, one.lines[0].last, width, height)
    elif panel.kind == "bargauge":
        yield from _bars(panel, one.lines, width)
    else:
        yield from _plot(panel, one.lines, width, height, seconds)
    yield "</svg>"


def _stat(panel: Panel, value: float, width: int, height: int) -> str:
    steps = panel.options["thresholds"]["steps"]
    reached = [step for step in steps if step["value"] is None or value >= step["value"]]
    text = shown(value, panel.unit, panel.options.get("decimals"))
    return (
        f'<text x="{width / 2:.0f}" y="{height / 2 + 20:.0f}" text-anchor="middle" '
        f'style="font-size:30px;fill:{NAMED[reached[-1]["color"]]}">{escape(text)}</text>'
    )


def _bars(panel: Panel, lines: Sequence[Line], width: int) -> Iterable[str]:
    label, value = min(width * 0.55, 250), 60
    most = max((line.last for line in lines), default=0) or 1
    if len(panel.queries) == 1:  # with several, their order is the panel's
        lines = sorted(lines, key=lambda line: -line.last)
    for number, line in enumerate(lines):
        top = 30 + number * 19
        length = max(line.last / most * (width - label - value), 1)
        color = _color(panel, line.name, number)
        yield (
            f'<text x="{label - 6:.0f}" y="{top + 11}" text-anchor="end">{escape(line.name)}</text>'
            f'<rect x="{label:.0f}" y="{top}" width="{length:.1f}" height="14" fill="{color}"/>'
            f'<text x="{label + length + 6:.1f}" y="{top + 11}">'
            f"{shown(line.last, panel.unit)}</text>"
        )


def _color(panel: Panel, name: str, number: int) -> str:
    named = panel.colors.get(name)
    return COLORS[number % len(COLORS)] if named is None else NAMED[named]


def _plot(
    panel: Panel, lines: Sequence[Line], width: int, height: int, seconds: float
) -> Iterable[str]:
    left, right, top, bottom = 56, width - 10, 28, height - 40
    stacked = _stack(lines) if panel.stacked else [(line, list(line.points)) for line in lines]
    most = max((value for _, points in stacked for _, value in points), default=0) or 1

    def at(moment: float, value: float) -> str:
        x = left + moment / seconds * (right - left)
        return f"{x:.1f},{bottom - max(value, 0) / most * (bottom - top):.1f}"

    for share in (0, 0.5, 1):
        y = bottom - share * (bottom - top)
        yield (
            f'<path class="g" d="M{left} {y:.1f}H{right}"/><text x="{left - 5}" y="{y + 4:.1f}" '
            f'text-anchor="end">{shown(most * share, panel.unit)}</text>'
        )
    for number, (line, points) in reversed(list(enumerate(stacked))):
        color = _color(panel, line.name, number)
        path = " ".join(at(moment, value) for moment, value in points)
        if panel.stacked:
            area = f"{at(points[0][0], 0)} {path} {at(points[-1][0], 0)}"
            yield f'<polygon points="{area}" fill="{color}" fill-opacity=".9"/>'
        else:
            yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'
    colored = [(line.name, _color(panel, line.name, n)) for n, (line, _) in enumerate(stacked)]
    yield from _legend(colored, bottom + 18, left, right)


def _stack(lines: Sequence[Line]) -> list[tuple[Line, list[tuple[float, float]]]]:
    """Each line on the ones before it."""
    below: dict[float, float] = {}
    stacked = []
    for line in lines:
        points = []
        for moment, value in line.points:
            below[moment] = below.get(moment, 0.0) + value
            points.append((moment, below[moment]))
        stacked.append((line, points))
    return stacked


def _legend(names: Sequence[tuple[str, str]], top: int, left: int, right: int) -> Iterable[str]:
    x, y = left, top
    for name, color in names:
        length = 16 + 6 * len(name) + 12
        if x + length > right and x > left:
            x, y = left, y + 14
        yield (
            f'<rect x="{x}" y="{y - 8}" width="9" height="9" fill="{color}"/>'
            f'<text x="{x + 13}" y="{y}">{escape(name)}</text>'
        )
        x += length


def lines_of(results: Iterable[tuple[str, list[Any]]], start: float) -> list[Line]:
    """Series from Prometheus's values; what is not a number is left out."""
    found = []
    for name, values in results:
        points = [(float(at) - start, float(value)) for at, value in values]
        points = [(moment, value) for moment, value in points if not isnan(value)]
        if points:
            found.append(Line(name, points))
    return found
