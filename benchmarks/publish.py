"""Puts results into the documents: the text between two markers, the plot and the raw figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.contenders.contender import ROOT, Contender
from benchmarks.machine import Machine
from benchmarks.plot import bar_chart
from benchmarks.results import Results
from benchmarks.sizing import sizing_tables
from benchmarks.standings import standings
from benchmarks.tables import summary

__all__ = ["BEGIN", "END", "fill", "publish"]

BEGIN: Final = "<!-- results: written by `python -m benchmarks publish`; do not edit -->"
END: Final = "<!-- end of results -->"
DOCS: Final = ROOT / "docs"
PLOT: Final = "benchmarks.svg"
FIGURES: Final = "benchmarks.json"


def fill(page: str, text: str) -> str:
    """The page with the text between its markers.

    Raises:
        ValueError: The page has no such markers, in this order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("The page has lost its markers.")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def publish(results: Results, contenders: Sequence[Contender], docs: Path = DOCS) -> None:
    """Write ``benchmarks.md``, ``.svg`` and ``.json``, and the tables of ``sizing.md``."""
    page = docs / "benchmarks.md"
    page.write_text(
        fill(page.read_text(encoding="utf-8"), _text(results, contenders)), encoding="utf-8"
    )
    found = standings(results, contenders)
    if found:
        caption = f"Events per second, {Machine(**results.machine)}, broker included"
        (docs / PLOT).write_text(bar_chart(found, caption), encoding="utf-8")
        sizing = docs / "sizing.md"
        text = fill(sizing.read_text(encoding="utf-8"), sizing_tables(results))
        sizing.write_text(text, encoding="utf-8")
    (docs / FIGURES).write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")


def _text(results: Results, contenders: Sequence[Contender]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in results.settings.items())
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    head = [f"Machine: {Machine(**results.machine)}; the broker runs on the same cores."]
    if settings:
        head.append(f"Settings: {settings}.")
    if versions:
        head.append(f"Versions: {versions}.")
    parts = ["\n".join(head)]
    if results.turns:
        parts.append(f"![Events per second by contender]({PLOT})")
    parts.append(summary(results, contenders))
    return "\n\n".join(parts)
