"""``riskstream source``: how OneLogin's events get into Kafka."""

from importlib.util import find_spec
from typing import Annotated

import typer

from riskstream.cli.options import BootstrapServers, moment, settings_for
from riskstream.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Bring OneLogin's events to the raw topic: by its webhook, or by polling its API.",
)

HttpPort = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="Port of /metrics and /health. Without it http.port."),
]


@app.command()
def webhook(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. Without it webhook.host: loopback.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Without it webhook.port; 0 takes any free one."),
    ] = None,
    http_port: HttpPort = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Receive what OneLogin's event broadcaster sends, in either of its formats, until stopped.

    A delivery is answered with 200 once Kafka has it on all in-sync replicas; with 503 and
    Retry-After when it cannot be stored. Needs a secret that OneLogin sends in a header: see
    webhook.secret_file.

    **Example:**

    openssl rand -hex 32 > webhook-secret

    RISKSTREAM_WEBHOOK__SECRET_FILE=webhook-secret riskstream source webhook --port 8088
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"The webhook needs {' and '.join(missing)}: pip install 'riskstream[webhook]'"
        )
    from riskstream.observability.logging import configure_logging
    from riskstream.sources.run_webhook import run_webhook

    settings = settings_for(
        bootstrap_servers, webhook={"host": host, "port": port}, http={"port": http_port}
    )
    configure_logging(settings.log)
    run_webhook(settings)


@app.command()
def poll(
    *,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Where to begin the first time: 90s, 1h, 2d, or a time. Later runs go on where "
            "the last one was, whatever this says.",
        ),
    ] = "1h",
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Stop when everything before this time was read."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when everything up to now was read.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(help="Of the source. Without it poll.name. Each has a checkpoint of its own."),
    ] = None,
    http_port: HttpPort = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Read OneLogin's events API, and go on where the last run was, until stopped.

    What was read and how far it is go to Kafka in one transaction, so killing it at any time
    loses nothing. A second poller of the same name takes over from the first.

    **Examples:**

    export RISKSTREAM_POLL__SUBDOMAIN=example RISKSTREAM_POLL__CLIENT_ID=…

    RISKSTREAM_POLL__CLIENT_SECRET_FILE=client-secret riskstream source poll --since 2d

    riskstream source poll --name backfill --since 2026-09-01 --until 2026-11-01
    """
    from riskstream.observability.logging import configure_logging
    from riskstream.sources.run_poll import run_poll

    if once and until is not None:
        raise ConfigError("Give --once or --until, not both.")
    settings = settings_for(bootstrap_servers, poll={"name": name}, http={"port": http_port})
    since_ms = moment(since, "--since")
    until_ms = None if until is None else moment(until, "--until")
    if until_ms is not None and until_ms <= since_ms:
        raise ConfigError("--until must be later than --since.")
    configure_logging(settings.log)
    run_poll(settings, since_ms=since_ms, until_ms=until_ms, once=once)
