"""``riskstream tables``: failures, lockouts and standings, read from their topics."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, StreamFormatOption, moment, settings_for
from riskstream.cli.output import Format, note, show, write_line
from riskstream.errors import CheckFailedError

__all__ = ["tables"]


class TableName(StrEnum):
    """The public tables."""

    FAILURES = "failures"
    LOCKOUTS = "lockouts"
    USERS = "users"


def tables(
    name: Annotated[TableName, typer.Argument(help="Which table.")],
    *,
    key: Annotated[
        str | None, typer.Option(help="One subject's row, such as 1234:7.", metavar="SUBJECT")
    ] = None,
    top: Annotated[int, typer.Option(help="The subjects with the most; 0 shows all.", min=0)] = 20,
    at: Annotated[
        str | None, typer.Option(metavar="1h|TIME", help="As of this time; without it now.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    output: StreamFormatOption = Format.TABLE,
) -> None:
    """Show the rows of a table, the subjects with the most first.

    failures and lockouts count what happened; users has how bad things are with each subject, from
    0 to 100, fading since its events, and what that comes from.

    Reads the table's compacted topic to its end; the last value of a key is its row.
    The table shows how things stand now (or --at), the JSON the rows as the topic has them.

    **Examples:**

    riskstream tables users --top 10

    riskstream tables failures --at 1h

    riskstream tables lockouts --key 1234:7 --format json
    """
    from riskstream.cli.table_rows import read_rows
    from riskstream.cli.table_view import TABLES

    settings = settings_for(bootstrap_servers)
    now = int(datetime.now(UTC).timestamp() * 1000) if at is None else moment(at, "--at")
    view = TABLES[name]
    rows = run(read_rows(settings, view.topic, key))
    if key is not None and not rows:
        raise CheckFailedError(f"The table of {name} has no row for {key}.")
    chosen = view.ranked(rows.values(), now)
    shown = chosen[:top] if top else chosen
    if output is Format.JSON:
        for row in shown:
            write_line(row.stored)
        return
    show(view.render(shown, now))
    note(f"{len(shown)} of {len(rows)} rows.")
