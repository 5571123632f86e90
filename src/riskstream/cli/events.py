"""``riskstream events``: OneLogin's Events page at the terminal, with risk."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import (
    CLOCK_SLACK_MS,
    BootstrapServers,
    CategoriesOption,
    FollowOption,
    LevelsOption,
    SinceOption,
    StreamFormatOption,
    moment,
    settings_for,
)
from riskstream.cli.output import Format, note, show, write_json, write_line
from riskstream.errors import CheckFailedError
from riskstream.events.vocabulary import EventOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from riskstream.cli.event_query import EventQuery
    from riskstream.config import Settings
    from riskstream.streaming.reader import Start

__all__ = ["events", "selected"]

TAIL_FACTOR = 4
"""Without filters so many times ``--limit`` offsets are read from each partition's end: events are
not quite in order of time, and control records take offsets too."""
TAIL_LEAST = 200


def events(
    *,
    user: Annotated[
        str, typer.Option(help="Id or name of the user or the actor, or a subject's key.")
    ] = "",
    event_type: Annotated[
        str, typer.Option("--type", help="Event type: id or API name.", metavar="ID|API_NAME")
    ] = "",
    status: Annotated[
        EventOutcome | None,
        typer.Option(metavar="OUTCOME", help="success, failure or unknown."),
    ] = None,
    risk: LevelsOption = None,
    category: CategoriesOption = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100_000)] = 50,
    follow: FollowOption = False,
    event_id: Annotated[
        str, typer.Option("--id", help="Show this one event in full.", metavar="EVENT_ID")
    ] = "",
    bootstrap_servers: BootstrapServers = None,
    output: StreamFormatOption = Format.TABLE,
) -> None:
    """Show scored events, the newest first.

    Reads the scored topics, committed records only, and disturbs nobody who does the same.
    With --id the JSON is one document, else NDJSON of the records' values.

    **Examples:**

    riskstream events --risk high --risk medium --since 1h

    riskstream events --user 7 --status failure

    riskstream events --id 1234:45192178366

    riskstream events --follow --risk high --format json
    """
    from riskstream.cli.event_query import EventQuery

    settings = settings_for(bootstrap_servers)
    query = EventQuery(
        user=user,
        event_type=event_type,
        status=status or "",
        levels=frozenset(risk or ()),
        categories=frozenset(category or ()),
        since_ms=None if since is None else moment(since, "--since"),
        event_id=event_id,
    )
    if event_id:
        _show_one(settings, query, output)
    elif follow:
        run(_follow(settings, query, output))
    else:
        _show_newest(settings, query, limit, output)


def _show_one(settings: "Settings", query: "EventQuery", output: Format) -> None:
    from riskstream.cli.event_view import full_event

    async def find() -> dict[str, Any] | None:
        async with aclosing(selected(settings, query, _start(query, 0))) as found:
            async for event in found:
                return event
        return None

    event = run(find())
    if event is None:
        raise CheckFailedError(f"No scored topic holds an event with the id {query.event_id}.")
    if output is Format.JSON:
        write_json(event)
    else:
        show(*full_event(event))


def _show_newest(settings: "Settings", query: "EventQuery", limit: int, output: Format) -> None:
    from riskstream.cli.event_query import Newest
    from riskstream.cli.event_view import events_table

    newest = Newest(limit)

    async def collect() -> None:
        async with aclosing(selected(settings, query, _start(query, limit))) as found:
            async for event in found:
                newest.add(event)

    run(collect())
    found = newest.newest_first()
    if output is Format.JSON:
        for event in found:
            write_line(event)
        return
    show(events_table(found))
    note(f"{len(found)} events." if found else "No such events.")


async def _follow(settings: "Settings", query: "EventQuery", output: Format) -> None:
    import sys

    from riskstream.cli.event_view import one_line
    from riskstream.streaming.reader import Tail

    start = Tail(0) if query.since_ms is None else _start(query, 0)
    async with aclosing(selected(settings, query, start, follow=True)) as found:
        async for event in found:
            if output is Format.JSON:
                write_line(event)
                sys.stdout.buffer.flush()
            else:
                show(one_line(event))


def _start(query: "EventQuery", limit: int) -> "Start | None":
    """As late a place to begin at as surely holds everything asked for."""
    from riskstream.streaming.reader import Since, Tail

    if query.since_ms is not None:
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        return Since(min(query.since_ms, now_ms) - CLOCK_SLACK_MS)
    if query.filters:
        return None
    return Tail(max(limit * TAIL_FACTOR, TAIL_LEAST))


async def selected(
    settings: "Settings", query: "EventQuery", start: "Start | None", *, follow: bool = False
) -> "AsyncGenerator[dict[str, Any], None]":
    """The scored events that a query lets pass, from the scored topics."""
    from riskstream.events.topics import SCORED
    from riskstream.streaming.reader import read

    topics = [
        name
        for category, name in SCORED.items()
        if not query.categories or category in query.categories
    ]
    async with aclosing(read(settings, topics, follow=follow, start=start)) as records:
        async for record in records:
            if record.value is None:
                continue
            event = query.select(record.headers, record.value)
            if event is not None:
                yield event
