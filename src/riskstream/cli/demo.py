"""``riskstream demo`` and ``riskstream feed``."""

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, write_json
from riskstream.errors import ConfigError

if TYPE_CHECKING:
    from riskstream.demo.run import DemoResult
    from riskstream.demo.stack import Stack

__all__ = ["demo", "feed"]

LOOK_SECONDS = 0.5
PEOPLE = 300
MOST_PEOPLE = 20_000
EVENTS_A_DAY = 17
"""Of one user, roughly: a feed's tenant has as many users as its rate asks for."""
DAY_SECONDS = 86_400


def demo(
    *,
    events: Annotated[int, typer.Option(help="Events to send.", min=1)] = 5000,
    seed: Annotated[int, typer.Option(help="Of everything that is generated.")] = 7,
    partitions: Annotated[int, typer.Option(help="Of every topic.", min=1, max=64)] = 4,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave broker and worker running until Ctrl-C."),
    ] = False,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the counts there: a JSON object.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """See it whole: a broker, a worker and a simulated OneLogin tenant, then what came of it.

    Starts an embedded Kafka broker on free ports in a temporary directory, creates the topics,
    starts a worker, sends some days of events in every shape that OneLogin delivers
    (with attacks and broken records among them), counts every outcome and sums up.
    Nothing is left behind.

    **Examples:**

    riskstream demo

    riskstream demo --events 20000 --seed 7 --summary counts.json

    riskstream demo --keep
    """
    if summary is not None and not summary.parent.is_dir():
        raise ConfigError(f"There is no directory {summary.parent} to write the summary in.")
    from riskstream.cli.demo_view import progress, show_result
    from riskstream.demo.run import DemoPlan, run_demo
    from riskstream.demo.stack import Stack

    plan = DemoPlan(events, seed, int(time.time() * 1000))
    with _stopped_by_sigterm(), Stack(partitions) as stack:
        with progress(events) as watcher:
            result = run(run_demo(stack, plan, watcher))
        if summary is not None:
            _write(summary, result)
        if output is Format.JSON:
            write_json(result.summary())
        else:
            show_result(result)
        if keep:
            _stay(stack)


def feed(
    *,
    rate: Annotated[float, typer.Option(help="Events per second.", min=0.01, max=10_000)] = 20.0,
    events: Annotated[
        int | None, typer.Option(help="Stop after so many; without it goes on for ever.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is generated.")] = 7,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send a simulated tenant's events to the raw topic of your own Kafka, in real time.

    For trying riskstream out, on a Kafka where made-up events do no harm.
    Events carry the time at which they are sent. Ends on Ctrl-C or SIGTERM.

    **Example:**  riskstream feed --rate 50 --bootstrap-servers 127.0.0.1:9092
    """
    from riskstream.demo.channels import RawMessage
    from riskstream.demo.generator import generate
    from riskstream.demo.schedule import steady
    from riskstream.streaming.producer import feed as send

    kafka = settings_for(bootstrap_servers).kafka
    now_ms = int(time.time() * 1000)
    size = min(max(PEOPLE, int(rate * DAY_SECONDS / EVENTS_A_DAY)), MOST_PEOPLE)
    sent = {"records": 0, "events": 0}

    def count(message: RawMessage) -> None:
        sent["records"] += 1
        sent["events"] += message.events

    how_long = "until stopped" if events is None else f"{events} in all"
    note(f"Sending {rate:g} events a second to {kafka.bootstrap_servers}, {how_long}.")
    with _stopped_by_sigterm(), contextlib.suppress(KeyboardInterrupt):
        messages = generate(events, seed, schedule=steady(now_ms, rate), size=size)
        run(send(kafka, messages, in_real_time=True, on_sent=count))
    note(f"Sent {sent['events']} events in {sent['records']} records.")


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that everything is taken down in order.

    A shell starts what it puts into the background with SIGINT ignored; SIGTERM ends it all the
    same.
    """

    def stop(*_: object) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(path: Path, result: "DemoResult") -> None:
    import orjson

    try:
        path.write_bytes(orjson.dumps(result.summary(), option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as fault:
        raise ConfigError(f"The summary cannot be written to {path}: {fault}") from fault


def _console(stack: "Stack") -> None:
    """Start the Events page where its extra is installed, and say where it is."""
    address = stack.start_console()
    if address is None:
        note("The Events page needs more packages: pip install 'riskstream[console]'")
    else:
        note(f"The Events page is at {address}")


def _stay(stack: "Stack") -> None:
    """Say where everything is and wait for Ctrl-C."""
    broker = stack.settings.kafka.bootstrap_servers
    note(f"\nStill running. Kafka is at {broker}; Ctrl-C stops everything.")
    for role, address in stack.metrics_addresses.items():
        note(f"  {role:<7} {address}")
    _console(stack)
    note("In another terminal:")
    note(f"  export RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS={broker}")
    for command in ("events --risk high", "tables lockouts", "dlq list", "feed --rate 50"):
        note(f"  riskstream {command}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(LOOK_SECONDS)
            stack.check_worker()
    note("Stopping.")
