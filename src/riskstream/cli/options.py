"""Options that several commands share, and the settings they end in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from riskstream.cli.output import Format
from riskstream.errors import ConfigError
from riskstream.events.vocabulary import Category
from riskstream.risk.levels import Level

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = [
    "CLOCK_SLACK_MS",
    "BootstrapServers",
    "CategoriesOption",
    "FollowOption",
    "FormatOption",
    "LevelsOption",
    "SinceOption",
    "StreamFormatOption",
    "duration",
    "input_file",
    "moment",
    "opened_file",
    "settings_for",
]

BootstrapServers = Annotated[
    str | None,
    typer.Option(
        "--bootstrap-servers",
        "-b",
        metavar="HOST:PORT[,…]",
        help="Kafka's address. Without it RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS, "
        "then kafka.bootstrap_servers of riskstream.toml.",
        show_default=False,
    ),
]

FormatOption = Annotated[
    Format, typer.Option("--format", metavar="table|json", help="json is one JSON document.")
]

StreamFormatOption = Annotated[
    Format,
    typer.Option("--format", metavar="table|json", help="json is NDJSON: one JSON object a line."),
]

SinceOption = Annotated[
    str | None, typer.Option(metavar="1h|TIME", help="Events at or after this time.")
]
CLOCK_SLACK_MS = 600_000
"""A record may be appended this much before its event's time, where clocks differ."""

FollowOption = Annotated[
    bool,
    typer.Option("--follow", "-f", help="Wait for new events; with --since those from then on."),
]

LevelsOption = Annotated[
    list[Level] | None,
    typer.Option(metavar="LEVEL", help="no, low, medium or high; several times if need be."),
]

CategoriesOption = Annotated[
    list[Category] | None,
    typer.Option(
        metavar="CATEGORY",
        help="apps, users, onelogin, provisioning or uncataloged; several times if need be.",
    ),
]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def settings_for(bootstrap_servers: str | None = None, **sections: dict[str, Any]) -> "Settings":
    """The settings with this command's options over them; None in a section is left out.

    Raises:
        ConfigError: The settings have faults.
    """
    from riskstream.config import load_settings

    wanted = dict(sections)
    if bootstrap_servers is not None:
        wanted["kafka"] = {**wanted.get("kafka", {}), "bootstrap_servers": bootstrap_servers}
    given = {
        name: {key: value for key, value in section.items() if value is not None}
        for name, section in wanted.items()
    }
    return load_settings(**{name: section for name, section in given.items() if section})


def moment(text: str, option: str) -> int:
    """Epoch milliseconds of ``90s``, ``15m``, ``1h``, ``2d``, ``1w`` (ago) or an ISO 8601 time.

    A time without an offset is UTC, as everywhere in riskstream.

    Raises:
        ConfigError: In neither form.
    """
    number, unit = text[:-1], text[-1:]
    try:
        if unit in _UNITS and number.isdecimal():
            then = datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
        else:
            then = datetime.fromisoformat(text)
            then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return int(then.timestamp() * 1000)
    except (ValueError, OverflowError) as fault:
        raise ConfigError(
            f"{option} takes a time span such as 15m, 1h or 2d, "
            f"or a time such as 2026-11-23T13:00:00Z; {text!r} is neither."
        ) from fault


def duration(text: str, option: str) -> int:
    """Milliseconds of ``90s``, ``15m``, ``1h``, ``2d`` or ``1w``.

    Raises:
        ConfigError: In no such form.
    """
    number, unit = text[:-1], text[-1:]
    try:
        if unit in _UNITS and number.isdecimal():
            return int(timedelta(**{_UNITS[unit]: int(number)}).total_seconds() * 1000)
    except OverflowError:
        pass
    raise ConfigError(f"{option} takes a time span such as 15m, 1h or 2d; {text!r} is none.")


def input_file(path: Path) -> Path:
    """The path, if a file can be read there.

    Raises:
        ConfigError: There is none, or it is a directory.
    """
    if not path.exists():
        raise ConfigError(f"There is no file {path}.")
    if path.is_dir():
        raise ConfigError(f"{path} is a directory; name a file, or - for standard input.")
    return path


@contextmanager
def opened_file(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The bytes of a file, or of standard input for ``-``; and how many, where that is known.

    Raises:
        ConfigError: It cannot be read.
    """
    if name == "-":
        yield sys.stdin.buffer, None
        return
    path = input_file(Path(name))
    try:
        file = path.open("rb")
    except OSError as fault:
        raise ConfigError(f"{name} cannot be read: {fault.strerror}.") from fault
    with file:
        yield file, path.stat().st_size or None
