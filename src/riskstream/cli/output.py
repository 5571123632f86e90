"""What the commands print: data to stdout, everything else to stderr."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import override

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "LEVEL_STYLES",
    "Format",
    "json_bytes",
    "note",
    "printable",
    "progress",
    "show",
    "styled",
    "table",
    "write_json",
    "write_line",
]


class Format(StrEnum):
    """``--format``."""

    TABLE = "table"
    JSON = "json"


LEVEL_STYLES = {"no": "dim", "low": "green", "medium": "yellow", "high": "bold red"}
"""Of risk levels; the word stands beside the colour, so nothing is said by colour alone."""

PIPE_WIDTH = 10_000
"""Columns where stdout is no terminal: nothing is wrapped or cut for whoever reads the pipe."""


def printable(text: str) -> str:
    """The text with everything that could steer a terminal shown as an escape.

    Event fields are the attacker's to choose: escape sequences, line breaks and direction
    overrides must not reach the screen.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def console() -> "Console":
    """A console on stdout; as wide as it needs to be where that is no terminal."""
    from rich.console import Console

    class PipedConsole(Console):
        """Leaves a broken pipe to ``cli.faults``, as for output that is not rich's."""

        @override
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return PipedConsole(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> "Table":
    """A plain table. Columns whose name starts with ``#`` hold numbers and align right.

    Cells are made printable; a ``Text`` is taken as it is.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in columns:
        numbers = name.startswith("#")
        made.add_column(name.removeprefix("#"), justify="right" if numbers else "left")
    for row in rows:
        made.add_row(*[cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row])
    return made


def styled(text: str, style: str) -> "Text":
    """A cell in a style, made printable."""
    from rich.text import Text

    return Text(printable(text), style=style)


def show(*renderables: Any) -> None:
    """Print tables and texts to stdout; plain strings are made printable line by line."""
    out = console()
    for item in renderables:
        if isinstance(item, str):
            out.print("\n".join(printable(line) for line in item.split("\n")), soft_wrap=True)
        else:
            out.print(item)


def write_json(document: Any) -> None:
    """Print one JSON document, indented."""
    sys.stdout.buffer.write(json_bytes(document))
    sys.stdout.buffer.flush()


def json_bytes(document: Any) -> bytes:
    """One JSON document, indented, with a line end."""
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_line(document: Any) -> None:
    """Print one line of NDJSON; bytes are taken as JSON already."""
    import orjson

    line = document if isinstance(document, bytes) else orjson.dumps(document)
    sys.stdout.buffer.write(line + b"\n")


def note(text: str) -> None:
    """Say something on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def progress(
    what: str, total: int | None = None, *, beside_stdout: bool = False
) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where that is a terminal; call what is given with each step's size.

    Args:
        what: Stands before the bar, or after the count where there is no total.
        total: Sum of all steps, where that is known.
        beside_stdout: Data goes to stdout meanwhile: then no bar where both are one terminal.
    """
    if not sys.stderr.isatty() or (beside_stdout and sys.stdout.isatty()):
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    counting = (SpinnerColumn(), TextColumn("{task.completed} {task.description}"))
    columns = counting if total is None else Progress.get_default_columns()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))
