"""``riskstream source poll`` as a process: poller, health, signals."""

import asyncio
import signal
from typing import Any

from structlog import get_logger

from riskstream import __version__
from riskstream.config import Settings
from riskstream.errors import ConfigError
from riskstream.observability.http import HealthServer
from riskstream.observability.metrics import PollMetrics
from riskstream.sources.address import api_address
from riskstream.sources.api import OneLoginApi
from riskstream.sources.paging import PollPlan
from riskstream.sources.poller import Poller, Ports
from riskstream.sources.secret_files import client_secret
from riskstream.streaming.checkpointed import CheckpointedSink

__all__ = ["run_poll"]

log = get_logger(__name__)


def run_poll(settings: Settings, *, since_ms: int, until_ms: int | None, once: bool) -> None:
    """Poll until a signal, a fault that asking again does not cure, or the end asked for.

    Args:
        settings: All settings.
        since_ms: Where to begin where Kafka has no checkpoint of this source.
        until_ms: Stop when everything before this time was read; None goes on for ever.
        once: Stop when everything up to now was read.

    Raises:
        ConfigError: Something is set up wrong; nothing was started.
        KafkaFaultError: Kafka is not there at the start.
        SourceError: OneLogin refuses.
        SourceFencedError: Another process polls under the same name.
    """
    asyncio.run(_run(settings, since_ms, _plan(settings, until_ms, once=once)))


async def _run(settings: Settings, since_ms: int, plan: PollPlan) -> None:
    poll = settings.poll
    if not poll.client_id:
        raise ConfigError(
            "The poller needs the client id of its API credentials: RISKSTREAM_POLL__CLIENT_ID."
        )
    metrics = PollMetrics(version=__version__)
    async with OneLoginApi(
        poll, api_address(poll), client_secret(poll.client_secret, poll.client_secret_file)
    ) as api:
        poller = Poller(
            poll,
            plan,
            since_ms,
            Ports(api, CheckpointedSink(settings, poll.name), metrics),
        )
        health = HealthServer(
            metrics, live=lambda: (True, {"live": True}), ready=lambda: _ready(poller)
        )
        await health.start(settings.http)
        log.info("poll_serves", metrics=f"http://{settings.http.host}:{health.port}/metrics")
        try:
            await _until_told(poller)
        finally:
            await health.stop()
    log.info("poll_stopped", **poller.progress())


def _plan(settings: Settings, until_ms: int | None, *, once: bool) -> PollPlan:
    poll = settings.poll
    try:
        return PollPlan(
            poll.overlap_seconds * 1000,
            poll.slice_hours * 3_600_000,
            until_ms,
            once,
            settings.limits.max_record_bytes,
        )
    except ValueError as fault:
        raise ConfigError(
            "poll.overlap_seconds must be less than poll.slice_hours, or no sweep gets further."
        ) from fault


def _ready(poller: Poller) -> tuple[bool, dict[str, Any]]:
    good = poller.at is not None and poller.trouble is None
    return good, {"ready": good, **poller.progress()}


async def _until_told(poller: Poller) -> None:
    """Run it; a signal ends it at once, since a page is committed whole or not at all."""
    work = asyncio.create_task(poller.run())
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await work
    except asyncio.CancelledError:
        if not work.cancelled():
            raise
