"""``riskstream explain``: why an event scores what it scores."""

import json
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, printable, write_line
from riskstream.errors import CheckFailedError, ConfigError

if TYPE_CHECKING:
    from riskstream.risk.explanation import Explanation

__all__ = ["explain"]

_LEVEL_NAMES = {"no": "No", "low": "Low", "medium": "Medium", "high": "High"}


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE",
            help="An event's id, looked up in Kafka; or a file of scored events, - for stdin.",
        ),
    ],
    *,
    event_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Of a file, this event alone.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Tell why an event scores what it scores, and what would have changed its level.

    A file has scored events as lines of JSON, as `riskstream score` and
    `riskstream events --format json` write them.

    **Examples:**

    riskstream explain 1234:45192178366

    riskstream score events.json | riskstream explain - --id 1234:45192178366
    """
    from msgspec import to_builtins

    from riskstream.risk.explanation import explain as explained

    told = 0
    for event in _events(what, event_id, bootstrap_servers):
        try:
            explanation = explained(event["risk"])
        except ValueError as fault:
            raise ConfigError(
                f"The event {event.get('id')} is no scored event: {fault}."
            ) from fault
        told += 1
        if output is Format.JSON:
            write_line({"id": event.get("id"), **to_builtins(explanation)})
        else:
            typer.echo(("" if told == 1 else "\n") + printable_lines(_text(event, explanation)))
    if not told:
        raise CheckFailedError(f"There is no scored event {event_id or 'in ' + what}.")


def printable_lines(lines: Iterable[str]) -> str:
    """Lines without anything that a terminal would obey."""
    return "\n".join(map(printable, lines))


def _events(what: str, event_id: str | None, servers: str | None) -> Iterator[dict[str, Any]]:
    if what == "-" or Path(what).is_file():
        return _of_file(what, event_id)
    if ":" not in what:
        raise ConfigError(
            f"{what} is neither a file nor an event's id, which has the form account:id."
        )
    return iter([_of_kafka(what, servers)])


def _of_file(name: str, event_id: str | None) -> Iterator[dict[str, Any]]:
    import click

    with click.open_file(name, "r", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                document = json.loads(line)
            except ValueError as fault:
                raise ConfigError(f"Line {number} of {name} is no JSON: {fault}.") from fault
            event = document.get("value", document) if isinstance(document, dict) else None
            if not isinstance(event, dict) or "risk" not in event:
                continue
            if event_id is None or event.get("id") == event_id:
                yield event


def _of_kafka(event_id: str, servers: str | None) -> dict[str, Any]:
    from riskstream.cli.event_query import EventQuery
    from riskstream.cli.events import selected

    settings, query = settings_for(servers), EventQuery(event_id=event_id)

    async def find() -> dict[str, Any] | None:
        async with aclosing(selected(settings, query, None)) as found:
            async for event in found:
                return event
        return None

    event = run(find())
    if event is None:
        raise CheckFailedError(f"No scored topic holds an event with the id {event_id}.")
    note(f"Found in category {event['category']}.")
    return event


def _text(event: dict[str, Any], told: "Explanation") -> Iterator[str]:
    yield f"{event.get('time', '')}  {event.get('message', '')}  ({event.get('id', '')})"
    level = _LEVEL_NAMES[told.level.value]
    subject, policy = event.get("subject", ""), event["risk"].get("policy", "")
    yield f"Risk {told.score}, {level}, of {subject}, by policy {policy}"
    yield ""
    yield f"  {told.prior:>4}  what an event of this kind scores alone"
    for id_, points, detail in (*told.raised, *told.lowered):
        yield f"  {points:>+4}  {detail}  [{id_}]"
    yield f"  {told.score:>4}  {level}"
    yield ""
    yield "Usual: " + ("; ".join(each[2] for each in told.lowered) or "nothing is known to be")
    yield "Not usual: " + ("; ".join(each[2] for each in told.raised) or "nothing")
    if told.lower is not None:
        named = " and ".join(told.lower.without)
        lower = _LEVEL_NAMES[told.lower.level.value]
        yield f"Without {named} it would score {told.lower.score}, {lower}."
    elif told.raised:
        yield "No signal by itself, nor all of them, made the level: the kind of event did."
    if told.higher is not None:
        following, missing = told.higher
        yield f"{_LEVEL_NAMES[following.value]} begins {missing:.2f} of evidence above this."
    if told.under_attack:
        yield "The subject is under attack: logins fail from places that are not its own."
    if told.without:
        yield f"Not known, so not judged: {', '.join(told.without)} (reference data)."
