"""Puts an evaluation into the documents: the text between two markers, and the plots."""

from pathlib import Path
from typing import Final

from benchmarks.tables import markdown_table
from evaluation.report.aims import aims
from evaluation.report.figures import Figures
from evaluation.report.plot import history_plot, recall_plot
from evaluation.report.tables import report

__all__ = ["BEGIN", "END", "PAGE", "publish", "text"]

BEGIN: Final = "<!-- figures: written by `make evaluate`; do not edit -->"
END: Final = "<!-- end of figures -->"
DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = "risk-evaluation.md"


def text(figures: Figures) -> str:
    """The report."""
    head = (
        f"Policy {figures.policy}. Seeds {', '.join(map(str, figures.seeds))}, each "
        f"{figures.people} accounts over {figures.days} days, of which the first "
        f"{figures.learning_days} are not judged: {figures.ordinary_logins:,} logins of owners, "
        f"{figures.attacks:,} attacks."
    )
    rows = [(each.what, each.found, "yes" if each.met else "**no**") for each in aims(figures)]
    return "\n\n".join(
        (
            head,
            "### What it must show",
            markdown_table(("aim", "found", "met"), rows),
            "![Attacks caught by class](risk-evaluation-recall.svg)",
            report(figures),
        )
    )


def publish(figures: Figures, docs: Path = DOCS) -> None:
    """Write the page's figures and the plots.

    Raises:
        ValueError: The page has lost its markers.
    """
    page = docs / PAGE
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has lost its markers.")
    page.write_text(f"{before}{BEGIN}\n\n{text(figures)}\n\n{END}{after}", encoding="utf-8")
    (docs / "risk-evaluation-recall.svg").write_text(recall_plot(figures), encoding="utf-8")
    (docs / "risk-evaluation-history.svg").write_text(history_plot(figures), encoding="utf-8")
