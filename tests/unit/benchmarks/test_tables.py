"""What is printed and published of a run."""

from pathlib import Path

import pytest

from benchmarks.contenders.contender import Contender, Job
from benchmarks.publish import BEGIN, END, fill
from benchmarks.results import Results, Turn, load_results, save_results
from benchmarks.standings import ratios_of, standings
from benchmarks.tables import contest_tables, markdown_table, measure_table


def contender(name: str, job: Job = Job.TWO_HOPS) -> Contender:
    """One that is never run."""
    return Contender(name, name.title(), job, 2, "exactly once", lambda _: [])


def turn(name: str, number: int, seconds: float, outputs: int = 1000) -> Turn:
    """A turn of 1,000 events."""
    return Turn(name, number, 1000, outputs, outputs, seconds, 0.1, 0.2, 0.1, 2**20)


def results(*turns: Turn) -> Results:
    """Results of a small machine."""
    return Results({"cores": 2, "memory_gib": 8}, {"rounds": 3}, {"Python": "3.11.0"}, list(turns))


ONE, OTHER = contender("riskstream-eo"), contender("faust")


def test_medians_over_rounds() -> None:
    """One slow round does not move the figure; the extremes are told."""
    found = standings(
        results(
            turn("riskstream-eo", 1, 1.0),
            turn("riskstream-eo", 2, 10.0),
            turn("riskstream-eo", 3, 2.0),
        ),
        [ONE],
    )

    assert [(one.rate, one.lowest, one.highest) for one in found] == [(500, 100, 1000)]
    assert found[0].cpu_us == pytest.approx(200)
    assert found[0].complete


def test_a_ratio_needs_both_sides() -> None:
    """The stated ratios are those between contenders that took part."""
    alone = standings(results(turn("riskstream-eo", 1, 1.0)), [ONE, OTHER])
    both = standings(results(turn("riskstream-eo", 1, 1.0), turn("faust", 1, 30.0)), [ONE, OTHER])

    assert ratios_of(alone) == []
    assert [(told.stated.other, round(told.rate)) for told in ratios_of(both)] == [("faust", 30)]
    assert ratios_of(both)[0].cpu == pytest.approx(1.0)


def test_tables_name_who_was_incomplete_and_who_was_absent() -> None:
    """A lost output and a contender that could not run both show."""
    run = results(turn("riskstream-eo", 1, 1.0, outputs=999))
    run.unavailable["quix"] = "no environment"
    run.failed["faust"] = "it ended:\nlong log"

    text = contest_tables(run, [ONE])

    assert text.splitlines()[2].endswith("|  no |") or text.splitlines()[2].rstrip("| ").endswith(
        "no"
    )
    assert "- quix: no environment" in text
    assert "- faust: it ended:" in text
    assert "long log" not in text


def test_the_reduced_job_is_apart() -> None:
    """Contenders of another job stand in a table of their own."""
    run = results(turn("riskstream-eo", 1, 1.0), turn("reduced", 1, 1.0))

    text = contest_tables(run, [ONE, contender("reduced", Job.REDUCED)])

    assert text.index("Riskstream-Eo") < text.index("a class of its own") < text.index("| Reduced")


def test_markdown_is_aligned() -> None:
    """Every line of a table has the same width."""
    text = markdown_table(("name", "value"), [("a", "1"), ("longer", "12,345")])

    assert len({len(line) for line in text.splitlines()}) == 1
    assert text.splitlines()[1] == "| ------ | -----: |"


def test_rows_of_measurements() -> None:
    """Columns are the rows' own, in their order; what a row lacks stays empty."""
    text = measure_table([{"users": 1000, "p99_ms": 1.25}, {"users": 20, "kept_up": True}])

    assert text.splitlines()[0] == "| users | p99 ms | kept up |"
    assert text.splitlines()[2].split("|")[1:4] == [" 1,000 ", "    1.2 ", "         "]
    assert "yes" in text.splitlines()[3]


def test_results_survive_the_file(tmp_path: Path) -> None:
    """What is written is read back the same; anything else is refused."""
    run = results(turn("riskstream-eo", 1, 1.0))
    path = tmp_path / "deep" / "results.json"
    save_results(run, path)

    assert load_results(path) == run
    path.write_text('{"turns": [], "other": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match="holds no results"):
        load_results(path)


def test_filling_the_page_keeps_the_rest() -> None:
    """Only the text between the markers is replaced, however often."""
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    once = fill(page, "new")

    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert fill(once, "new") == once
    with pytest.raises(ValueError, match="markers"):
        fill("no markers", "new")
