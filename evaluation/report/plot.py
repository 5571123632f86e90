"""Two plots as SVG written by hand: no plotting library, no fonts to embed."""

from collections.abc import Sequence
from html import escape
from math import isnan
from typing import Final

from evaluation.contenders.freeman import FreemanScorer
from evaluation.measure.observe import OURS
from evaluation.measure.reauth import PUBLISHED
from evaluation.report.figures import LOGINS, Figures
from evaluation.report.tables import CHALLENGE, attack_name, classes, contenders, find

__all__ = ["history_plot", "recall_plot"]

COLORS: Final = ("#3569b8", "#b07a2c", "#8a8a8a", "#4a9a6a", "#a05a9a")
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#444}line,path.axis{stroke:#999}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)
WIDTH: Final = 860
LABEL: Final = 150
RIGHT: Final = 30


def recall_plot(figures: Figures) -> str:
    """A row per class of attack: a dot per contender, ours with its interval."""
    row, top = 30, 64
    attacks = classes(figures)
    height = top + row * len(attacks) + 24
    width = WIDTH - LABEL - RIGHT
    parts = [*_grid(top - 12, height - 24, width)]
    for number, attack in enumerate(attacks):
        middle = top + row * number + 4
        parts.append(_text(LABEL - 12, middle + 4, attack_name(attack), "end"))
        for index, name in reversed(list(enumerate(contenders(figures)))):
            caught = find(figures.recalls, name, attack, CHALLENGE).caught
            if isnan(caught.value):
                continue
            color = COLORS[index % len(COLORS)]
            if name == OURS and not isnan(caught.low):
                low, high = LABEL + width * caught.low, LABEL + width * caught.high
                parts.append(
                    f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{color}" stroke-width="3" '
                    'stroke-opacity="0.4"/>'
                )
            radius = 6 if name == OURS else 4
            parts.append(
                f'<circle cx="{LABEL + width * caught.value:.1f}" cy="{middle}" r="{radius}" '
                f'fill="{color}"><title>{escape(name)}: {caught.text()} %</title></circle>'
            )
    parts += _legend(contenders(figures), 40)
    return _svg(height, "Attacks caught when 5 % of the owners' own units are challenged", parts)


def history_plot(figures: Figures) -> str:
    """Re-authentication by logins: ours and Freeman's, with the points that were published."""
    chosen = PUBLISHED[1]
    height, top, bottom = 380, 64, 340
    width = WIDTH - LABEL - RIGHT
    parts = [_text(LABEL - 12, top + 4, "1.0", "end"), _text(LABEL - 12, bottom + 4, "0", "end")]
    parts.append(f'<path class="axis" fill="none" d="M{LABEL} {top}V{bottom}H{LABEL + width}"/>')
    parts += [
        _text(_along(many, width), bottom + 20, str(many), "middle") for many in (2, 12, 24, 39, 60)
    ]
    names = (OURS, FreemanScorer.name)
    for index, name in enumerate(names):
        found = next(
            each
            for each in figures.curves
            if each.contender == name
            and each.attack is chosen.attack
            and each.caught == chosen.caught
        )
        points = [
            f"{_along(many, width):.1f} {bottom - (bottom - top) * rate:.1f}"
            for many, rate in zip(LOGINS, found.rates, strict=True)
            if not isnan(rate)
        ]
        parts.append(
            f'<path d="M{"L".join(points)}" fill="none" stroke="{COLORS[index]}" stroke-width="2"/>'
        )
    for many, rate in chosen.rates:
        x, y = _along(many, width), bottom - (bottom - top) * rate
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{COLORS[2]}"/>')
    parts += _legend((*names, "published by Wiefling et al."), 40)
    caption = (
        f"Share of logins asked again, median, by number of logins; "
        f"{chosen.caught:.0%} of {attack_name(chosen.attack)} attackers caught"
    )
    return _svg(height, caption.replace("%", " %"), parts)


def _along(many: int, width: int) -> float:
    return LABEL + width * (many - LOGINS[0]) / (LOGINS[-1] - LOGINS[0])


def _grid(top: int, bottom: int, width: int) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = LABEL + width * share
        parts.append(f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" stroke-opacity="0.4"/>')
        parts.append(_text(x, bottom + 18, f"{100 * share:.0f} %", "middle"))
    return parts


def _legend(names: Sequence[str], base: int) -> list[str]:
    parts = []
    for index, name in enumerate(names):
        left = LABEL + index * 130
        parts.append(f'<circle cx="{left}" cy="{base - 4}" r="5" fill="{COLORS[index]}"/>')
        parts.append(_text(left + 10, base, name, "start"))
    return parts


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: int, caption: str, parts: Sequence[str]) -> str:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
    )
    return "\n".join(
        (
            opening,
            f"<title>{escape(caption)}</title>",
            f"<style>{STYLE}</style>",
            f'<text x="8" y="20" font-weight="600">{escape(caption)}</text>',
            *parts,
            "</svg>",
            "",
        )
    )
