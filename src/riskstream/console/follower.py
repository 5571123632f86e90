"""Filling the store from Kafka: a process of its own, so that pages do not wait for it."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from structlog import get_logger

from riskstream.config import Settings
from riskstream.console.store.retention import Retention
from riskstream.console.store.writer import Writer
from riskstream.errors import RiskstreamError
from riskstream.events.topics import (
    ALERTS,
    DEAD_LETTER,
    FAILURES,
    FEEDBACK,
    LOCKOUTS,
    SCORED,
    USERS,
)
from riskstream.observability.logging import configure_logging
from riskstream.streaming.follow import Fetched, follow_from

__all__ = ["FOLLOWED", "REQUIRED", "Following", "run_follower"]

REQUIRED: Final = (*SCORED.values(), DEAD_LETTER, FAILURES, LOCKOUTS, FEEDBACK)
"""Without these riskstream has not been set up."""
FOLLOWED: Final = (*REQUIRED, USERS, ALERTS)
"""In no order. A worker from before standings has no topics for them; once they are made, they are
followed, too. Rows of a table stand in the store by topic and key: another table needs only its
name here."""
RETENTION_SECONDS: Final = 60.0
TELL_SECONDS: Final = 0.5
DAY_MS: Final = 86_400_000
ORPHANED: Final = 1

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Following:
    """How far the store is."""

    state: str = "starting"
    """``starting``, ``following``, ``waiting`` for Kafka, ``stopped``."""
    lag: int = 0
    """Records that Kafka has and the store does not."""
    at: float = field(default_factory=time.time)
    fault: str = ""
    used_bytes: int = 0


def run_follower(settings: Settings, directory: Path, tell: Connection) -> None:
    """Body of the process: follow until SIGTERM, or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(settings.log)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        asyncio.run(_follow(settings, directory, tell))
    except RiskstreamError as fault:
        with contextlib.suppress(OSError):
            tell.send(Following("waiting", fault=str(fault)))
        log.warning("follower_stopped", fault=str(fault))
        raise SystemExit(fault.exit_code) from fault


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(ORPHANED)


async def _follow(settings: Settings, directory: Path, tell: Connection) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    writer = Writer(directory)
    console = settings.console
    retention = Retention(writer, console.retention_days * DAY_MS, console.max_bytes)
    retention.raise_floor(int(time.time() * 1000))
    work = _Work(writer, retention, tell)
    fetching = follow_from(settings, FOLLOWED, writer.positions(), required=REQUIRED)
    async with aclosing(fetching) as stream:
        async for fetched in stream:
            await asyncio.to_thread(work.take, fetched)
            if stopped.is_set():
                break
    writer.close()


class _Work:
    """What is done with each look."""

    def __init__(self, writer: Writer, retention: Retention, tell: Connection) -> None:
        self._writer = writer
        self._retention = retention
        self._tell = tell
        self._retained = self._told = time.monotonic()

    def take(self, fetched: Fetched) -> None:
        if fetched.after:
            self._writer.take(fetched.records, fetched.before, fetched.after)
        now = time.monotonic()
        if now - self._retained > RETENTION_SECONDS:
            self._retained = now
            self._retention.raise_floor(int(time.time() * 1000))
        if not fetched.lag:
            self._retention.remove_some()
        if now - self._told > TELL_SECONDS:
            self._told = now
            used = self._retention.used_bytes()
            with contextlib.suppress(OSError):
                self._tell.send(Following("following", fetched.lag, used_bytes=used))
