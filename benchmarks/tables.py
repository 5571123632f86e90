"""Markdown tables of a run's results."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.contenders.contender import Contender, Job
from benchmarks.results import Results
from benchmarks.standings import Standing, ratios_of, standings

__all__ = ["contest_tables", "markdown_table", "measure_table", "summary"]

MEBIBYTE: Final = 1024 * 1024


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned for readers of the source; the first to the left, others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join((first, *rest)) + " |"

    rule = "| " + " | ".join(
        "-" * width if not column else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join((line(head), rule + " |", *(line(row) for row in rows)))


def contest_tables(results: Results, contenders: Sequence[Contender]) -> str:
    """Standings of the direct contest, the ratios, and the reduced job apart from them."""
    found = standings(results, contenders)
    main = [standing for standing in found if standing.contender.job is not Job.REDUCED]
    reduced = [standing for standing in found if standing.contender.job is Job.REDUCED]
    parts = []
    if main:
        parts.append(_standings_table(main))
    if reduced:
        parts.append("The reduced job, a class of its own:\n\n" + _standings_table(reduced))
    told = ratios_of(found)
    if told:
        rows = [
            (
                stated.what,
                f"{rate:.2f}",
                "" if stated.aim is None else f"{stated.aim:g}",
                "" if cpu is None else f"{cpu:.2f}",
            )
            for stated, rate, cpu in told
        ]
        parts.append(
            "Ratios of the medians:\n\n"
            + markdown_table(("ratio", "by rate", "aim", "by CPU per event"), rows)
        )
    absent = {**results.unavailable, **results.failed}
    if absent:
        lines = [f"- {name}: {reason.splitlines()[0]}" for name, reason in absent.items()]
        parts.append("Took no part:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def measure_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one further measurement, as they are."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in head] for row in rows]
    return markdown_table([name.replace("_", " ") for name in head], cells)


def summary(results: Results, contenders: Sequence[Contender]) -> str:
    """Everything there is, for the terminal and for the documents."""
    parts = [contest_tables(results, contenders)] if results.turns or results.failed else []
    parts += [
        f"{name.capitalize()}:\n\n{measure_table(rows)}"
        for name, rows in results.measures.items()
        if rows
    ]
    return "\n\n".join(parts)


def _standings_table(found: Sequence[Standing]) -> str:
    head = (
        "contender",
        "job",
        "processes",
        "guarantee",
        "events/s",
        "lowest to highest",
        "CPU µs/event",
        "broker CPU µs/event",
        "peak MiB",
        "each event once",
    )
    rows = [
        (
            standing.contender.title,
            standing.contender.job.value,
            str(standing.contender.processes),
            standing.contender.guarantee,
            f"{standing.rate:,.0f}",
            f"{standing.lowest:,.0f} to {standing.highest:,.0f}",
            f"{standing.cpu_us:.0f}",
            f"{standing.broker_cpu_us:.0f}",
            f"{standing.peak_rss_bytes / MEBIBYTE:.0f}",
            "yes" if standing.complete else "no",
        )
        for standing in found
    ]
    return markdown_table(head, rows)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case _:
            return str(value)
