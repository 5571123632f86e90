"""One worker process: one role, from the first check to a clean end."""

import asyncio
import gc
import os
import signal
import threading
from typing import Any, NamedTuple

import uvloop
from aiokafka.errors import KafkaError
from structlog import get_logger

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError, RiskstreamError
from riskstream.observability.gate import Gate, is_loopback
from riskstream.observability.http import WorkerServer
from riskstream.observability.metrics import Metrics
from riskstream.streaming.apps import HopApp, Role, create_app
from riskstream.streaming.preflight import check_before_start, needed_rights
from riskstream.streaming.rights import check_rights, is_denial
from riskstream.streaming.state_api import StateApi, own_url

__all__ = ["History", "run_worker"]

PARENT_SECONDS = 1.0
GC_ALLOCATIONS = 50_000
"""Net allocations between two collections. Events make hardly any cycles, and at Python's own 700
the collector took a seventh of ingest's time."""
HARD_DEADLINE_SECONDS = 5.0
"""Beyond the shutdown timeout: then the process ends whatever it is doing."""
LEAVE_SECONDS = 5.0
"""For Faust to take itself apart once all units have ended."""

log = get_logger(__name__)


class History(NamedTuple):
    """What this process cannot know of those that ran in its place before."""

    restarts: int = 0
    failures: int | None = None
    """Descriptor of the file that notes their failed units."""


def run_worker(
    role: Role, settings: Settings, member: str, port: int, history: History | None = None
) -> None:
    """Run one role until a signal or a fault.

    Args:
        role: Which hop.
        settings: All settings.
        member: Stable name of this process in the consumer group.
        port: Of metrics and health; 0 takes any free one.
        history: What came before, where a supervisor knows it.

    Raises:
        ConfigError: Something is set up wrong; nothing was started.
        KafkaFaultError: Kafka is not there, or a fault ended the work. What was committed is
            whole; the worker goes on from there when it is started again.
    """
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with asyncio.Runner() as runner:
        runner.run(_run(role, settings, member, port, history or History()))


async def _run(role: Role, settings: Settings, member: str, port: int, history: History) -> None:
    stop = _stop_signal(settings.worker.shutdown_timeout_seconds)
    settings = await check_before_start(settings, role)
    app, metrics = create_app(role, settings, member)
    metrics.restarts.inc(history.restarts)
    metrics.carry_failures(history.failures)
    server = _server(app, metrics, settings)
    await server.start(settings.http.model_copy(update={"port": port}))
    app.conf.canonical_url = own_url(settings.http, server.port)
    log.info(
        "worker_started",
        role=role,
        member=member,
        metrics=f"http://{settings.http.host}:{server.port}/metrics",
    )
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    orphaned = asyncio.create_task(_watch_parent(stop))
    try:
        await _serve(app, metrics, stop, settings.worker.shutdown_timeout_seconds)
    except KafkaFaultError as fault:
        if is_denial(fault):  # a right was taken from us: say which
            await check_rights(settings.kafka, needed_rights(settings, role))
        raise
    finally:
        orphaned.cancel()
        await server.stop()
    log.info("worker_stopped", role=role, member=member)


async def _serve(app: HopApp, metrics: Metrics, stop: asyncio.Event, patience: float) -> None:
    """Run the app until it is told to stop, or cannot go on."""
    app.finalize()
    app.hop.attach(app.consumer)
    started = asyncio.create_task(app.start())
    stopped = asyncio.create_task(stop.wait())
    crashed = asyncio.create_task(_crash(app, started))
    purging = asyncio.create_task(app.purger.run()) if app.purger else None
    fault: BaseException | None = None
    try:
        ends: set[asyncio.Future[Any]] = {app.hop.fatal, stopped, crashed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        # Asked before the end: what falls over while it is taken apart is no fault.
        fault = None if stop.is_set() else _cause(app, started)
    finally:
        metrics.ready.set_function(lambda: 0)
        _set_deadline(patience + HARD_DEADLINE_SECONDS)
        if fault is not None:
            log.error("work_ended", error=repr(fault))
        if purging is not None:
            purging.cancel()
        await _end(app, started)
        for task in (stopped, crashed):
            task.cancel()
    if fault is None and app.hop.fatal.done():
        fault = app.hop.fatal.result()  # the last unit failed
    if fault is not None:
        raise _told(fault) from fault


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop when whoever started us is gone, so that no worker outlives its supervisor."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  (the kernel offers no event for it)
        await asyncio.sleep(PARENT_SECONDS)
    log.warning("parent_gone", parent=parent)
    stop.set()


async def _crash(app: HopApp, started: asyncio.Task[Any]) -> None:
    """Return when Faust says that it cannot go on, or could not even start."""
    while not app.crashed and not app.should_stop:
        if started.done() and (started.cancelled() or started.exception() is not None):
            return  # Faust raises this, and does not call itself crashed
        await asyncio.sleep(0.1)


async def _end(app: HopApp, started: asyncio.Task[Any]) -> None:
    """Finish the units in flight, then leave."""
    app.consumer.stop_flow()
    await app.hop.release()
    app.hop.stage.retain(())
    # Nothing is at stake any more, and Faust waits for ever for a consumer that lost its broker.
    _set_deadline(LEAVE_SECONDS)
    if not started.done():
        started.cancel()
    await asyncio.gather(started, return_exceptions=True)
    await app.shared.stop()
    await app.stop()


def _cause(app: HopApp, started: asyncio.Task[Any]) -> BaseException:
    """Why the work ended by itself."""
    if app.hop.fatal.done():
        return app.hop.fatal.result()
    if app.crashed and app.crash_reason is not None:
        return app.crash_reason
    if started.done() and not started.cancelled():
        return started.exception() or RuntimeError("Faust stopped by itself")
    return RuntimeError("Faust stopped by itself")


def _told(cause: BaseException) -> RiskstreamError:
    """The one message that says why the work ended."""
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, RiskstreamError):
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
        _set_deadline(timeout + HARD_DEADLINE_SECONDS)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


def _set_deadline(seconds: float) -> None:
    """However it ends, asked or by a fault, it ends: a hung broker must not hold it."""
    timer = threading.Timer(seconds, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    log.error("shutdown_deadline_passed", note="open transactions are aborted by Kafka")
    os._exit(KafkaFaultError.exit_code)


def _server(app: HopApp, metrics: Metrics, settings: Settings) -> WorkerServer:
    def live() -> tuple[bool, dict[str, Any]]:
        good = not app.hop.fatal.done() and not app.crashed
        return good, {"live": good}

    def ready() -> tuple[bool, dict[str, Any]]:
        rebalancing = bool(app.rebalancing)
        braked = [tp.partition for tp, lane in app.hop.lanes.items() if lane.brake.engaged]
        good = app.tables.actives_ready and not rebalancing and not braked
        return good, {
            "ready": good,
            "rebalancing": rebalancing,
            "partitions": sorted(tp.partition for tp in app.hop.lanes),
            "braked_partitions": sorted(braked),
            "recovery": app.hop.stage.recovery,
        }

    def release(partition: int | None) -> list[int]:
        released = []
        for tp, lane in app.hop.lanes.items():
            if lane.brake.engaged and partition in {None, tp.partition}:
                lane.release_brake()
                released.append(tp.partition)
        return sorted(released)

    metrics.ready.set_function(lambda: int(ready()[0]))
    return WorkerServer(
        metrics,
        live=live,
        ready=ready,
        gate=Gate.of(settings.http),
        open_brake=is_loopback(settings.http.host),
        release=release,
        read_state=StateApi(app, settings.kafka.partitions).read,
    )
