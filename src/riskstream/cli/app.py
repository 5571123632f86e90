"""The ``riskstream`` command: every command is registered here and nowhere else."""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from riskstream.cli.faults import FaultGroup

__all__ = ["app"]

app = typer.Typer(
    name="riskstream",
    cls=FaultGroup,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 the check failed, 2 wrong usage or configuration, "
    "3 Kafka not reachable or a fault on the way.",
)

_COMMANDS: tuple[tuple[str, str], ...] = (
    ("demo", "demo"),
    ("demo", "feed"),
    ("worker", "worker"),
    ("source", "app"),
    ("score", "score"),
    ("events", "events"),
    ("export", "export"),
    ("explain", "explain"),
    ("console", "console"),
    ("tables", "tables"),
    ("context", "app"),
    ("notify", "notify"),
    ("dlq", "app"),
    ("replay", "replay"),
    ("doctor", "doctor"),
    ("topics", "app"),
    ("schemas", "app"),
    ("catalog", "app"),
    ("policy", "app"),
    ("warm_up", "warm_up"),
    ("broker", "broker"),
)
"""Module of ``riskstream.cli`` and the function or ``Typer`` in it, in the order of the help."""


def _print_version(wanted: bool) -> None:
    if wanted:
        from riskstream import __version__

        typer.echo(f"riskstream {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
) -> None:
    """OneLogin identity events in Kafka: classified, risk-scored and explained.

    Try it without Kafka:  riskstream score events.json

    See it whole:  riskstream demo
    """


def _register() -> None:
    for module_name, attribute in _COMMANDS:
        name = f"riskstream.cli.{module_name}"
        if find_spec(name) is None:
            continue
        command = getattr(import_module(name), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=module_name)
        else:
            app.command(attribute.replace("_", "-"))(command)


_register()
