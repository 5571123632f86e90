"""``riskstream export``: scored events in the schema of somebody else."""

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import (
    CLOCK_SLACK_MS,
    BootstrapServers,
    CategoriesOption,
    FollowOption,
    LevelsOption,
    SinceOption,
    moment,
    opened_file,
    settings_for,
)
from riskstream.cli.output import note
from riskstream.errors import CheckFailedError, ConfigError
from riskstream.events.vocabulary import View

if TYPE_CHECKING:
    from riskstream.cli.exporting import Exporter
    from riskstream.config import Settings
    from riskstream.streaming.reader import Start

__all__ = ["export"]

MOST_FAULTS = 10
"""Told one by one; the number of all is told at the end."""


def export(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-]",
            help="Scored events as NDJSON: output of `riskstream score`, or values of scored "
            "records. Without it the scored topics are read.",
        ),
    ] = None,
    *,
    view: Annotated[
        View, typer.Option("--as", metavar="ocsf|ecs|cef", help="Which schema.", show_default=False)
    ],
    follow: FollowOption = False,
    since: SinceOption = None,
    risk: LevelsOption = None,
    category: CategoriesOption = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Write scored events as OCSF 1.8, ECS or CEF, one a line, oldest first in each partition.

    OCSF and ECS are NDJSON. From topics, committed records alone are read, and no consumer group
    is used. A worker can write the same to topics of their own: set views.topics.

    **Examples:**

    riskstream export --as ecs --since 1h --risk high

    riskstream export --as cef --follow | nc -q0 collector 514

    riskstream score events.json | riskstream export - --as ocsf
    """
    from riskstream.cli.exporting import Exporter, Wanted

    since_ms = None if since is None else moment(since, "--since")
    exporter = Exporter(view, Wanted(since_ms, frozenset(risk or ()), frozenset(category or ())))
    if file is None:
        run(_from_topics(settings_for(bootstrap_servers), exporter, follow=follow))
    elif follow:
        raise ConfigError("--follow reads the scored topics; leave it out, or the file.")
    else:
        with opened_file(file) as (lines, _):
            exporter.lines(lines, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    for fault in exporter.faults[:MOST_FAULTS]:
        note(f"riskstream: {fault}")
    if exporter.faults:
        raise CheckFailedError(
            f"{len(exporter.faults)} of {exporter.seen} are no scored events; the others were "
            "exported."
        )
    if file is not None and not exporter.written:
        note("No scored events." if not exporter.seen else "No such events.")


async def _from_topics(settings: "Settings", exporter: "Exporter", *, follow: bool) -> None:
    from riskstream.events.topics import SCORED
    from riskstream.streaming.reader import read

    wanted = exporter.wanted
    topics = [
        name for each, name in SCORED.items() if not wanted.categories or each in wanted.categories
    ]
    start = _start(wanted.since_ms, follow=follow)
    async with aclosing(read(settings, topics, follow=follow, start=start)) as records:
        async for record in records:
            if record.value is None:
                continue
            place = f"{record.topic}, partition {record.partition}, offset {record.offset}"
            exporter.value(record.value, place, sys.stdout.buffer)
            if follow:
                sys.stdout.buffer.flush()


def _start(since_ms: int | None, *, follow: bool) -> "Start | None":
    """As late a place to begin at as surely holds everything asked for."""
    from riskstream.streaming.reader import Since, Tail

    if since_ms is not None:
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        return Since(min(since_ms, now_ms) - CLOCK_SLACK_MS)
    return Tail(0) if follow else None
