"""One worker process: one role, from the first check to a clean end."""

import asyncio
import gc
import os
import signal
import threading
from typing import Any

import uvloop
from aiokafka.errors import KafkaError
from structlog import get_logger

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError, RiskstreamError
from riskstream.observability.http import HealthServer
from riskstream.observability.metrics import Metrics
from riskstream.streaming.apps import HopApp, Role, create_app
from riskstream.streaming.preflight import check_before_start

__all__ = ["run_worker"]

PARENT_SECONDS = 1.0
HARD_DEADLINE_SECONDS = 5.0
"""Beyond the shutdown timeout: then the process ends whatever it is doing."""

log = get_logger(__name__)


def run_worker(role: Role, settings: Settings, member: str, port: int) -> None:
    """Run one role until a signal or a fault.

    Args:
        role: Which hop.
        settings: All settings.
        member: Stable name of this process in the consumer group.
        port: Of metrics and health; 0 takes any free one.

    Raises:
        ConfigError: Something is set up wrong; nothing was started.
        KafkaFaultError: Kafka is not there, or a fault ended the work. What was committed is
            whole; the worker goes on from there when it is started again.
    """
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with asyncio.Runner() as runner:
        runner.run(_run(role, settings, member, port))


async def _run(role: Role, settings: Settings, member: str, port: int) -> None:
    stop = _stop_signal(settings.worker.shutdown_timeout_seconds)
    settings = await check_before_start(settings, role)
    app, metrics = create_app(role, settings, member)
    health = _health(app, metrics)
    await health.start(settings.http.host, port)
    log.info(
        "worker_started",
        role=role,
        member=member,
        metrics=f"http://{settings.http.host}:{health.port}/metrics",
    )
    gc.freeze()
    orphaned = asyncio.create_task(_watch_parent(stop))
    try:
        await _serve(app, metrics, stop)
    finally:
        orphaned.cancel()
        await health.stop()
    log.info("worker_stopped", role=role, member=member)


async def _serve(app: HopApp, metrics: Metrics, stop: asyncio.Event) -> None:
    """Run the app until it is told to stop, or cannot go on."""
    app.finalize()
    app.hop.attach(app.consumer)
    started = asyncio.create_task(app.start())
    stopped = asyncio.create_task(stop.wait())
    crashed = asyncio.create_task(_crash(app))
    try:
        ends: set[asyncio.Future[Any]] = {app.hop.fatal, stopped, crashed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        metrics.ready.set(0)
        await _end(app, started)
        for task in (stopped, crashed):
            task.cancel()
    fault = _fault(app, started)
    if fault is not None:
        raise fault


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop when whoever started us is gone, so that no worker outlives its supervisor."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  (the kernel offers no event for it)
        await asyncio.sleep(PARENT_SECONDS)
    log.warning("parent_gone", parent=parent)
    stop.set()


async def _crash(app: HopApp) -> None:
    """Return when Faust says that it cannot go on."""
    while not app.crashed and not app.should_stop:  # noqa: ASYNC110  (mode offers no event)
        await asyncio.sleep(0.1)


async def _end(app: HopApp, started: asyncio.Task[Any]) -> None:
    """Finish the units in flight, then leave."""
    app.consumer.stop_flow()
    await app.hop.release()
    if not started.done():
        started.cancel()
    await asyncio.gather(started, return_exceptions=True)
    await app.shared.stop()
    await app.stop()


def _fault(app: HopApp, started: asyncio.Task[Any]) -> RiskstreamError | None:
    """The one message that says why the work ended; None when it was asked to end."""
    cause: BaseException | None = None
    if app.hop.fatal.done():
        cause = app.hop.fatal.result()
    elif app.crashed:
        cause = app.crash_reason
    elif started.done() and not started.cancelled():
        cause = started.exception()
    if cause is None or isinstance(cause, RiskstreamError):
        return cause
    what = "Kafka" if isinstance(cause, KafkaError | TimeoutError | OSError) else "A fault"
    return KafkaFaultError(
        f"{what} ended the work of this process: {cause!r}. What was committed is whole; "
        "the worker goes on from there when it is started again."
    )


def _stop_signal(timeout: float) -> asyncio.Event:
    """An event set by SIGTERM or SIGINT, with a hard deadline behind it."""
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            return
        log.info("stopping", signal=signal.Signals(number).name, deadline_seconds=timeout)
        stop.set()
        timer = threading.Timer(timeout + HARD_DEADLINE_SECONDS, _give_up)
        timer.daemon = True
        timer.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


def _give_up() -> None:
    log.error("shutdown_deadline_passed", note="open transactions are aborted by Kafka")
    os._exit(KafkaFaultError.exit_code)


def _health(app: HopApp, metrics: Metrics) -> HealthServer:
    def live() -> tuple[bool, dict[str, Any]]:
        good = not app.hop.fatal.done() and not app.crashed
        return good, {"live": good}

    def ready() -> tuple[bool, dict[str, Any]]:
        rebalancing = bool(app.rebalancing)
        braked = [tp.partition for tp, lane in app.hop.lanes.items() if lane.brake.engaged]
        good = app.tables.actives_ready and not rebalancing and not braked
        metrics.ready.set(int(good))
        return good, {
            "ready": good,
            "rebalancing": rebalancing,
            "partitions": sorted(tp.partition for tp in app.hop.lanes),
            "braked_partitions": sorted(braked),
        }

    def release(partition: int | None) -> list[int]:
        released = []
        for tp, lane in app.hop.lanes.items():
            if lane.brake.engaged and partition in {None, tp.partition}:
                lane.release_brake()
                released.append(tp.partition)
        return sorted(released)

    return HealthServer(metrics, live=live, ready=ready, release=release)
