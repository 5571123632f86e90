"""``riskstream source webhook`` as a process: uvicorn around the application, health, signals."""

import asyncio
import signal
import socket
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from structlog import get_logger

from riskstream import __version__
from riskstream.config import Settings, WebhookSettings
from riskstream.errors import ConfigError
from riskstream.observability.http import HealthServer
from riskstream.observability.metrics import WebhookMetrics
from riskstream.sources.secret_files import AcceptedSecrets
from riskstream.sources.webhook import Webhook
from riskstream.streaming.raw_sink import RawSink

__all__ = ["run_webhook"]

DRAIN_SECONDS = 5.0
BACKLOG = 2048
"""Connections that may wait to be accepted."""

log = get_logger(__name__)


def run_webhook(settings: Settings) -> None:
    """Serve until a signal; then finish the deliveries in flight.

    Raises:
        ConfigError: Something is set up wrong, or the address cannot be used.
        KafkaFaultError: Kafka is not there at the start.
    """
    # uvicorn takes both signals while it serves, and raises them again afterwards.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_stopped)
    asyncio.run(_run(settings))


def _already_stopped(_number: int, _frame: FrameType | None) -> None:
    """The server has ended in good order when the signal is raised again."""


async def _run(settings: Settings) -> None:
    hook = settings.webhook
    metrics = WebhookMetrics(version=__version__)
    secrets = AcceptedSecrets((hook.secret, hook.previous_secret), hook.secret_file)
    sink = RawSink(settings.kafka, hook.max_body_bytes)
    webhook = Webhook(hook, secrets, sink, metrics)
    server = uvicorn.Server(_server_config(hook, webhook))
    health = HealthServer(
        metrics,
        live=lambda: (True, {"live": True}),
        ready=lambda: _ready(server, sink, webhook, hook),
    )
    try:
        await sink.start()
        await health.start(settings.http)
        await _serve(server, hook, f"http://{settings.http.host}:{health.port}/metrics")
    finally:
        await health.stop()
        await asyncio.wait({asyncio.create_task(webhook.drain())}, timeout=DRAIN_SECONDS)
        await sink.stop()
    log.info("webhook_stopped", unacknowledged_bytes=webhook.pending_bytes)


async def _serve(server: uvicorn.Server, hook: WebhookSettings, metrics: str) -> None:
    listener = _listen(hook)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn has no event)
        await asyncio.sleep(0.01)
    scheme = "https" if hook.tls_certificate else "http"
    url = f"{scheme}://{hook.host}:{listener.getsockname()[1]}{hook.path}"
    log.info("webhook_started", url=url, metrics=metrics)
    if scheme == "http" and not _is_loopback(hook.host):
        note = "the secret comes in clear text unless a proxy in front ends TLS"
        log.warning("webhook_without_tls", note=note)
    await serving


def _listen(hook: WebhookSettings) -> socket.socket:
    """Our own socket, since uvicorn exits where it cannot have one."""
    try:
        found = socket.getaddrinfo(hook.host, hook.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as fault:
        raise ConfigError(
            f"The webhook's address {hook.host}:{hook.port} cannot be used ({fault.strerror}). "
            "Choose another with RISKSTREAM_WEBHOOK__HOST and RISKSTREAM_WEBHOOK__PORT."
        ) from fault


def _server_config(hook: WebhookSettings, webhook: Webhook) -> uvicorn.Config:
    if (hook.tls_certificate is None) != (hook.tls_key is None):
        raise ConfigError("Give webhook.tls_certificate and webhook.tls_key together.")
    for path in (hook.tls_certificate, hook.tls_key):
        if path is not None and not Path(path).is_file():
            raise ConfigError(f"There is no TLS file {path}.")
    config = uvicorn.Config(
        webhook.app,
        host=hook.host,
        port=hook.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        http="httptools",
        timeout_graceful_shutdown=max(int(hook.shutdown_timeout_seconds), 1),
        ssl_certfile=hook.tls_certificate,
        ssl_keyfile=hook.tls_key,
    )
    try:
        config.load()
    except OSError as fault:  # ssl.SSLError is one
        raise ConfigError(f"The TLS files cannot be used: {fault}") from fault
    return config


def _ready(
    server: uvicorn.Server, sink: RawSink, webhook: Webhook, hook: WebhookSettings
) -> tuple[bool, dict[str, Any]]:
    waiting = sink.oldest_seconds
    good = server.started and not server.should_exit and waiting < hook.ack_timeout_seconds
    return good, {
        "ready": good,
        "pending_bytes": webhook.pending_bytes,
        "oldest_pending_seconds": round(waiting, 3),
    }


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
