"""``riskstream schemas``: the published wire contract and its checker."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, show, table, write_json
from riskstream.errors import CheckFailedError, ConfigError

if TYPE_CHECKING:
    from riskstream.cli.schema_check import Report

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="List, show, export and apply the published JSON Schemas."
)

MAX_SHOWN = 100
"""Faults printed; the count goes on."""


@app.command("list")
def list_schemas(*, output: FormatOption = Format.TABLE) -> None:
    """List the schemas and the topics that each is for."""
    from riskstream.contract.registry import TOPIC_SCHEMAS, load, names

    topics = {name: [t for t, of in TOPIC_SCHEMAS.items() if of == name] for name in names()}
    titles = {name: str(load(name).get("title", "")) for name in topics}
    if output is Format.JSON:
        write_json(
            [
                {"name": name, "id": load(name).get("$id"), "title": titles[name], "topics": of}
                for name, of in topics.items()
            ]
        )
        return
    rows = [(name, titles[name], topic) for name, of in topics.items() for topic in of or [""]]
    show(table(["schema", "title", "topic"], rows))


@app.command("show")
def show_schema(
    name: Annotated[str, typer.Argument(help="Such as scored.v1; .v1 may be left out.")],
) -> None:
    """Print one schema: a JSON document.

    **Example:**  riskstream schemas show scored
    """
    from riskstream.contract.registry import load

    write_json(load(name))


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of all topics; it refers to the schemas beside it.

    **Example:**  riskstream schemas export contract && ls contract/asyncapi.json
    """
    from riskstream.contract.asyncapi import asyncapi as document

    write_json(document())


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Made when it is not there.")],
) -> None:
    """Copy the schemas, their examples and the AsyncAPI document into a directory."""
    from riskstream.contract.registry import names, schemas_dir

    try:
        shutil.copytree(schemas_dir(), directory, dirs_exist_ok=True)
    except OSError as fault:
        raise ConfigError(f"The schemas cannot be written to {directory}: {fault}") from fault
    note(f"{len(names())} schemas and their examples are in {directory}.")


@app.command()
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE|-]…", help="JSON or NDJSON; - is standard input."),
    ] = None,
    *,
    schema: Annotated[
        str | None, typer.Option(help="Check every document against this one schema.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Check the records of this topic.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="Check so many documents at most.", min=1)
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Check files or a topic against the schemas; exit 1 when anything is not valid.

    Without --schema a file holds output lines of `riskstream score`, and each line is
    checked against the schema of its topic.

    **Examples:**

    riskstream score events.json | riskstream schemas check -

    riskstream schemas check --schema policy my-policy.json

    riskstream schemas check --topic iam.scored.users.v1 --limit 1000
    """
    if bool(files) == bool(topic):
        raise ConfigError("Name files to check, or a topic with --topic; one of the two.")
    from riskstream.cli.kafka import run
    from riskstream.cli.schema_check import check_files, check_topic

    if topic:
        report = run(check_topic(settings_for(bootstrap_servers), topic, schema, limit))
    else:
        report = check_files(files or [], schema, limit)
    _show_report(report, output)
    if report.faulty:
        raise CheckFailedError(f"{len(report.faulty)} of {report.checked} documents are not valid.")
    if not report.checked:
        raise CheckFailedError("There was nothing to check.")


def _show_report(report: "Report", output: Format) -> None:
    rows = [
        {"document": place, "schema": fault.schema, "place": fault.place, "message": fault.message}
        for place, faults in report.faulty
        for fault in faults
    ]
    counts = {"checked": report.checked, "invalid": len(report.faulty)}
    if output is Format.JSON:
        write_json({**counts, "faults": rows[:MAX_SHOWN]})
        return
    if rows:
        shown = [tuple(row.values()) for row in rows[:MAX_SHOWN]]
        show(table(["document", "schema", "place", "message"], shown))
    note(f"{report.checked} checked, {len(report.faulty)} not valid.")
