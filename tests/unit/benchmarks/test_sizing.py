"""The sizing guide's tables follow from the published figures."""

from pathlib import Path

import pytest

from benchmarks.publish import fill
from benchmarks.results import Results, Turn, load_results
from benchmarks.sizing import figures_of, sizing_tables

DOCS = Path(__file__).resolve().parents[3] / "docs"


def _results(cpu_seconds: float, seconds: float = 1.0) -> Results:
    turn = Turn("riskstream-eo", 1, 1000, 1000, 1000, seconds, 0.1, cpu_seconds, 0.1, 2**29)
    return Results({"cores": 2, "memory_gib": 8}, {}, {}, [turn])


def test_the_guide_has_what_the_published_figures_say() -> None:
    """`python -m benchmarks publish` writes both."""
    page = (DOCS / "sizing.md").read_text(encoding="utf-8")
    tables = sizing_tables(load_results(DOCS / "benchmarks.json"))
    assert fill(page, tables) == page


def test_figures_are_medians_and_what_the_documents_say_where_nothing_was_measured() -> None:
    """CPU and rate of the contest; memory by its own measurement where there is one."""
    results = _results(0.2, 0.5)
    figures = figures_of(results)
    assert figures.cpu_us == pytest.approx(200)
    assert figures.rate == pytest.approx(2000)
    assert figures.bytes_per_user == 400
    results.measures["memory"] = [
        {"users": 1000, "bytes_per_user": 500},
        {"users": 9000, "bytes_per_user": 300},
    ]
    assert figures_of(results).bytes_per_user == 300


def test_slower_processes_make_more_of_them_and_more_partitions() -> None:
    """Twice as many partitions as processes of a role, whatever the figures."""

    def largest(cpu_seconds: float) -> tuple[int, int]:
        last = sizing_tables(_results(cpu_seconds)).splitlines()[-1].split("|")
        return int(last[4]), int(last[5])

    assert largest(0.1) == (2, 12)
    processes, partitions = largest(1.0)
    assert processes > 2
    assert partitions >= 2 * processes
