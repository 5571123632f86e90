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

    embedded = EmbeddedBroker(port or None, data_dir)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        embedded.start()
        typer.echo(embedded.bootstrap_servers)
        note(f"Data: {embedded.data_dir}. Stop it with Ctrl-C.")
        code = embedded.wait()
    except _StopError:
        return
    finally:
        embedded.stop()
    raise KafkaFaultError(f"The embedded broker ended by itself with code {code}.")


class _StopError(Exception):
    """Somebody asked us to end, which ends with exit code 0."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the broker stops in peace
    raise _StopError
