"""A bar chart of the contest, as SVG written by hand: no plotting library, no fonts to embed."""

from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.contenders.contender import Job
from benchmarks.standings import Standing

__all__ = ["bar_chart"]

WIDTH: Final = 860
LABEL: Final = 270
VALUE: Final = 90
ROW: Final = 34
BAR: Final = 20
TOP: Final = 46
COLORS: Final = {
    Job.TWO_HOPS: "#3569b8",
    Job.ONE_HOP: "#7a7a7a",
    Job.REDUCED: "#b07a2c",
}
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#444}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)


def bar_chart(found: Sequence[Standing], caption: str) -> str:
    """Events per second of each contender: a bar to the median, a line from lowest to highest."""
    height = TOP + ROW * len(found) + 26
    most = max((standing.highest for standing in found), default=1.0)
    scale = (WIDTH - LABEL - VALUE) / most
    rows = [_row(standing, TOP + ROW * number, scale) for number, standing in enumerate(found)]
    legend = _legend({standing.contender.job: None for standing in found}, height - 8)
    return "\n".join(
        (
            _opening(height),
            f"<title>{escape(caption)}</title>",
            f"<style>{STYLE}</style>",
            f'<text x="8" y="22" font-weight="600">{escape(caption)}</text>',
            *rows,
            *legend,
            "</svg>",
            "",
        )
    )


def _opening(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
    )


def _row(standing: Standing, top: int, scale: float) -> str:
    middle = top + BAR / 2
    end = LABEL + standing.rate * scale
    low, high = LABEL + standing.lowest * scale, LABEL + standing.highest * scale
    text = max(end, high) + 8
    return (
        f'<text x="{LABEL - 10}" y="{middle + 4:.0f}" text-anchor="end">'
        f"{escape(standing.contender.title)}</text>"
        f'<rect x="{LABEL}" y="{top}" width="{max(end - LABEL, 1):.1f}" height="{BAR}" rx="2" '
        f'fill="{COLORS[standing.contender.job]}"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#e0a030" stroke-width="2"/>'
        f'<text x="{text:.1f}" y="{middle + 4:.0f}">{standing.rate:,.0f}/s</text>'
    )


def _legend(jobs: dict[Job, None], base: int) -> list[str]:
    parts = []
    for number, job in enumerate(jobs):
        left = LABEL + number * 140
        parts.append(
            f'<rect x="{left}" y="{base - 10}" width="10" height="10" fill="{COLORS[job]}"/>'
            f'<text x="{left + 16}" y="{base}">{job.value} job</text>'
        )
    return parts
