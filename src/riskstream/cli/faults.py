"""How a command ends when something goes wrong: one message on stderr and an exit code."""

import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from riskstream.errors import RiskstreamError

__all__ = ["EXIT_CHECK_FAILED", "EXIT_FAULT", "EXIT_INTERRUPTED", "EXIT_PIPE", "FaultGroup"]

EXIT_CHECK_FAILED = 1
EXIT_FAULT = 3
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as a shell reports it."""
EXIT_PIPE = 141
"""128 + SIGPIPE: the reader of our output left, as ``head`` does. What every filter ends with."""


class FaultGroup(TyperGroup):
    """The root group: turns exceptions of any command into a message and an exit code.

    A ``RiskstreamError`` prints its own text; anything else is a bug and says so.
    ``--debug`` adds the traceback to either.
    """

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            _drop_stdout()
            raise typer.Exit(EXIT_PIPE) from None
        except RiskstreamError as fault:
            if ctx.params.get("debug"):
                traceback.print_exc()
            _say(str(fault))
            raise typer.Exit(fault.exit_code) from fault
        except Exception as fault:
            if hasattr(fault, "format_message"):
                raise  # a usage error, which typer prints with the usage line
            if ctx.params.get("debug"):
                traceback.print_exc()
            _say(_unexpected(fault))
            raise typer.Exit(EXIT_FAULT) from fault


def _unexpected(fault: Exception) -> str:
    text = f"{type(fault).__name__}: {fault}".strip().rstrip(":")
    return f"Unexpected fault: {text}\nRun it again as `riskstream --debug …` for the traceback."


def _say(text: str) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    typer.echo(f"riskstream: {text}", err=True)


def _drop_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush stays silent."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
