"""``riskstream console``."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from riskstream.cli.options import BootstrapServers, settings_for
from riskstream.cli.output import note
from riskstream.errors import ConfigError

__all__ = ["console"]

INSTALL = "The console needs more packages: pip install 'riskstream[console]'"


def console(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="To listen on; 0 takes any free one.", show_default="8470"
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; other than loopback needs a login.",
            show_default="127.0.0.1",
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="90d", help="How long events are kept after their time.", show_default="90d"
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Of the store.", show_default="riskstream-console"),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Serve the Events page: every scored event, searchable, as it comes in.

    Follows the scored topics, the alerts, the tables, the dead letters and the feedback, committed
    records only, and keeps them in a database of its own. Killed at any time, it goes on where it
    was.
    On loopback there is no login; docs/console.md says how to let others in.

    **Examples:**

    riskstream console

    riskstream console --port 8080 --retention 30d --bootstrap-servers kafka:9092
    """
    try:
        from riskstream.console.serve import serve
    except ModuleNotFoundError as fault:
        raise ConfigError(f"{INSTALL} ({fault.name} is missing).") from fault
    from riskstream.observability.logging import configure_logging

    given = {
        "port": port,
        "host": host,
        "directory": directory,
        "retention_days": None if retention is None else days(retention),
    }
    settings = settings_for(bootstrap_servers, console=given)
    configure_logging(settings.log)
    serve(settings, lambda address: note(f"The Events page is at {address}  (Ctrl-C stops it)"))


def days(text: str) -> int:
    """Whole days of ``90d``, ``12w`` or ``2y``.

    Raises:
        ConfigError: In no such form.
    """
    found = re.fullmatch(r"([0-9]{1,4})([dwy])", text)
    if not found:
        raise ConfigError(
            f"--retention takes days, weeks or years such as 90d, 12w, 2y; not {text!r}."
        )
    return timedelta(days=int(found[1]) * {"d": 1, "w": 7, "y": 365}[found[2]]).days
