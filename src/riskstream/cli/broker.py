"""``riskstream broker``: the embedded broker in the foreground."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from riskstream.cli.output import note

__all__ = ["broker"]


def broker(
    *,
    port: Annotated[
        int, typer.Option(help="Loopback port; 0 takes any free one.", min=0, max=65_535)
    ] = 9092,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Keep the data here. Without it a temporary directory, removed at the end."
        ),
    ] = None,
) -> None:
    """Run the embedded Kafka broker in the foreground, on loopback, until Ctrl-C or SIGTERM.

    For trying things out; it is not Apache Kafka.
    Its address is the one line on stdout.

    **Example:**  riskstream broker --port 9092 --data-dir .kafka
    """
    from riskstream.demo.broker import EmbeddedBroker
    from riskstream.errors import KafkaFaultError

    with EmbeddedBroker(port or None, data_dir) as running:
        stopped = _Stop()
        typer.echo(running.bootstrap_servers)
        note(f"Data: {data_dir or running.data_dir}. Stop it with Ctrl-C.")
        try:
            code = running.wait()
        except _StopError:
            return
        finally:
            stopped.ignore()
        raise KafkaFaultError(f"The embedded broker ended by itself with code {code}.")


class _StopError(Exception):
    """Somebody asked us to end."""


class _Stop:
    """SIGINT and SIGTERM end the wait, in good order and with exit code 0."""

    def __init__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._raise)

    def ignore(self) -> None:
        """Let the broker stop in peace."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _raise(self, _number: int, _frame: FrameType | None) -> None:
        raise _StopError
