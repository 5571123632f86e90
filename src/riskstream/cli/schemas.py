"""``riskstream schemas``: the published wire contract and its checker."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.options import BootstrapServers, FormatOption, input_file, settings_for
from riskstream.cli.output import Format, note, show, table, write_json
from riskstream.errors import CheckFailedError, ConfigError

if TYPE_CHECKING:
    from riskstream.contract.check import Fault

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="List, show, export and apply the published JSON Schemas."
)

MAX_SHOWN = 100
"""Faults printed; the count goes on."""

Checked = tuple[str, "list[Fault]"]
"""Where the document stood, and what is wrong with it."""


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

    [bold]Example:[/bold]  riskstream schemas show scored
    """
    from riskstream.contract.registry import load

    write_json(load(name))


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Made when it is not there.")],
) -> None:
    """Copy the schemas and their examples into a directory."""
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

    [bold]Examples:[/bold]

    riskstream score events.json | riskstream schemas check -

    riskstream schemas check --schema policy my-policy.json

    riskstream schemas check --topic iam.scored.users.v1 --limit 1000
    """
    if bool(files) == bool(topic):
        raise ConfigError("Name files to check, or a topic with --topic; one of the two.")
    if topic:
        checked, faulty = _check_topic(topic, schema, limit, bootstrap_servers)
    else:
        checked, faulty = _check_files(files or [], schema, limit)
    _report(checked, faulty, output)
    if faulty:
        raise CheckFailedError(f"{len(faulty)} of {checked} documents are not valid.")
    if not checked:
        raise CheckFailedError("There was nothing to check.")


def _check_files(
    files: Iterable[str], schema: str | None, limit: int | None
) -> tuple[int, list[Checked]]:
    from riskstream.contract.check import check_document, check_line, validator

    if schema:
        validator(schema)
    checked, faulty = 0, []
    for place, document in islice(_documents(files), limit):
        checked += 1
        faults = check_document(schema, document) if schema else check_line(document)
        if faults:
            faulty.append((place, faults))
    return checked, faulty


def _documents(files: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Each line of NDJSON, or the one document of a file that is one over many lines."""
    for name in files:
        if name == "-":
            yield from _lines(name, sys.stdin.buffer)
            continue
        path = input_file(Path(name))
        try:
            with path.open("rb") as lines:
                whole = not _is_json(next(lines, b"{}"))
            if whole:
                yield name, json.loads(path.read_bytes())
                continue
        except ValueError as fault:
            raise CheckFailedError(f"{name} is not JSON: {fault}") from fault
        with path.open("rb") as lines:
            yield from _lines(name, lines)


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"{name}:{number}", json.loads(line)
            except ValueError as fault:
                raise CheckFailedError(f"{name}:{number} is not JSON: {fault}") from fault


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _check_topic(
    topic: str, schema: str | None, limit: int | None, bootstrap_servers: str | None
) -> tuple[int, list[Checked]]:
    from riskstream.cli.kafka import run
    from riskstream.contract.check import check_document, header_texts, validator
    from riskstream.contract.registry import TOPIC_SCHEMAS
    from riskstream.streaming.reader import read

    name = schema or TOPIC_SCHEMAS.get(topic)
    if name is None:
        raise ConfigError(f"No schema is for topic {topic}; name one with --schema.")
    validator(name)
    of_headers = name.startswith("dead_letter")
    settings = settings_for(bootstrap_servers)

    async def work() -> tuple[int, list[Checked]]:
        checked, faulty = 0, []
        async with aclosing(read(settings, [topic])) as records:
            async for record in records:
                if record.value is None:
                    continue  # a tombstone says that a row is gone
                checked += 1
                place = f"{topic}:{record.partition}:{record.offset}"
                try:
                    document = (
                        header_texts(record.headers) if of_headers else json.loads(record.value)
                    )
                    faults = check_document(name, document)
                except ValueError as fault:
                    faults = [_not_json(name, fault)]
                if faults:
                    faulty.append((place, faults))
                if checked == limit:
                    break
        return checked, faulty

    return run(work())


def _not_json(schema: str, fault: ValueError) -> "Fault":
    from riskstream.contract.check import Fault

    return Fault(schema, "", f"not JSON: {fault}")


def _report(checked: int, faulty: list[Checked], output: Format) -> None:
    rows = [
        {"document": place, "schema": fault.schema, "place": fault.place, "message": fault.message}
        for place, faults in faulty
        for fault in faults
    ]
    if output is Format.JSON:
        write_json({"checked": checked, "invalid": len(faulty), "faults": rows[:MAX_SHOWN]})
        return
    if rows:
        shown = [tuple(row.values()) for row in rows[:MAX_SHOWN]]
        show(table(["document", "schema", "place", "message"], shown))
    note(f"{checked} checked, {len(faulty)} not valid.")
