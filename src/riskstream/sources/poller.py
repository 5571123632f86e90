"""The poller's loop: page after page, each committed with the checkpoint that follows it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from structlog import get_logger

from riskstream.config import PollSettings
from riskstream.errors import ConfigError, KafkaFaultError, SourceError
from riskstream.events.times import format_time
from riskstream.observability.metrics import PollMetrics
from riskstream.sources.answers import Calls, Page, Refusal, Trouble
from riskstream.sources.paging import (
    Checkpoint,
    PollPlan,
    after_page,
    next_sweep,
    read_checkpoint,
)
from riskstream.sources.waiting import RecentIds, backoff_seconds

__all__ = ["Api", "Poller", "Ports", "Sink"]

SAME_CURSOR_TRIES = 3
"""A cursor that answers with itself so often is taken for the end of the sweep."""
UNAUTHORIZED_TRIES = 2
REPORT_SECONDS = 10.0

log = get_logger(__name__)


class Api(Protocol):
    """Where pages come from."""

    @property
    def calls(self) -> Calls:
        """What is left of the account's calls."""

    def now_ms(self) -> int:
        """The API's clock."""

    def forget_token(self) -> None:
        """The token was refused."""

    async def page(self, at: Checkpoint) -> Page | Refusal:
        """One page."""


class Sink(Protocol):
    """Where raw records and checkpoints go, together or not at all."""

    async def open(self) -> bytes | None:
        """Take over from any former owner; the last checkpoint, if there is one."""

    async def write(self, values: list[bytes], checkpoint: bytes) -> None:
        """Write all of it, or raise."""

    async def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a poller works with."""

    api: Api
    """Where pages come from."""
    sink: Sink
    """Where they go."""
    metrics: PollMetrics
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits so many seconds."""
    draw: Callable[[], float] = random.random
    """A number from 0 to 1."""


class Poller:
    """Follows OneLogin's events into the raw topic.

    Args:
        settings: Of the poller.
        plan: What decides the sweeps.
        since_ms: Where to begin where there is no checkpoint.
        ports: What it works with.
    """

    def __init__(self, settings: PollSettings, plan: PollPlan, since_ms: int, ports: Ports) -> None:
        self._settings, self._plan, self._since_ms = settings, plan, since_ms
        self._api, self._sink, self._metrics = ports.api, ports.sink, ports.metrics
        self._sleep, self._draw = ports.sleep, ports.draw
        self._recent = RecentIds(settings.max_known_ids)
        self._reported = 0.0
        self._sent = self._repeated = 0
        self.at: Checkpoint | None = None
        """How far it is; None before Kafka told."""
        self.trouble: str | None = None
        """What keeps it from going on at the moment."""

    async def run(self) -> None:
        """Poll until cancelled, or until the plan's end is reached.

        Raises:
            SourceError: OneLogin refuses, and asking again will not help.
            SourceFencedError: Another poller of this name has taken over.
            KafkaFaultError: Kafka could not be reached at the start; later it is tried again.
        """
        attempt, opened = 0, False
        while True:
            try:
                at = await self._open()
                opened, attempt = True, 0
                await self._follow(at)
            except KafkaFaultError as fault:
                if not opened:
                    raise
                await self._stand_back("kafka", str(fault), attempt)
                attempt += 1
            else:
                return
            finally:
                await self._sink.close()

    async def _open(self) -> Checkpoint:
        stored = await self._sink.open()
        if stored is None:
            at = Checkpoint(self._since_ms)
        else:
            try:
                at = read_checkpoint(stored)
            except ValueError as fault:
                raise ConfigError(
                    f"The checkpoint of {self._settings.name} cannot be read: {fault}. "
                    "Start with another poll.name and --since."
                ) from fault
        self._moved(at)
        log.info(
            "poll_started",
            source=self._settings.name,
            since=format_time(at.since_ms),
            resumed=stored is not None,
            mid_sweep=at.sweeping,
        )
        return at

    async def _follow(self, at: Checkpoint) -> None:
        while True:
            at = next_sweep(at, self._api.now_ms(), self._plan)
            until = at.until_ms or at.since_ms
            page = await self._page(at)
            if page is None:
                at = at.restarted(self._plan)
                continue
            at = after_page(at, page.cursor, self._api.now_ms(), self._plan)
            await self._write(page, at)
            await self._spare_calls()
            self._report()
            if at.sweeping:
                continue
            self._metrics.sweeps.inc()
            caught_up = self._api.now_ms() - until < self._settings.interval_seconds * 1000
            if caught_up and self._plan.once:
                return
            if self._plan.end_ms is not None and until >= self._plan.end_ms:
                return
            if caught_up:
                await self._sleep(self._settings.interval_seconds)

    async def _page(self, at: Checkpoint) -> Page | None:
        """The page, however long it takes; None where the sweep must begin again.

        Raises:
            SourceError: Asking again will not help.
        """
        attempt = unauthorized = same = 0
        while True:
            answer = await self._api.page(at)
            if isinstance(answer, Page):
                if answer.cursor is None or answer.cursor != at.cursor:
                    return self._good(answer)
                same += 1
                if same == SAME_CURSOR_TRIES:
                    log.warning("cursor_repeats", source=self._settings.name)
                    return self._good(answer._replace(cursor=None))
                answer = Refusal(Trouble.BAD_ANSWER, "the next page's cursor is this page's")
            self._metrics.requests.labels(answer.trouble.value).inc()
            match answer.trouble:
                case Trouble.REFUSED:
                    raise self._refused(answer)
                case Trouble.UNAUTHORIZED:
                    unauthorized += 1
                    if unauthorized == UNAUTHORIZED_TRIES:
                        raise self._refused(answer)
                    self._api.forget_token()
                    continue
                case Trouble.BAD_CURSOR:
                    log.warning("cursor_refused", source=self._settings.name, detail=answer.detail)
                    return None
                case _:
                    pass
            await self._stand_back(
                answer.trouble.value, answer.detail, attempt, answer.wait_seconds or 0.0
            )
            attempt += 1

    def _good(self, page: Page) -> Page:
        self.trouble = None
        self._metrics.requests.labels("page").inc()
        self._metrics.last_page.set(time.time())
        return page

    def _refused(self, answer: Refusal) -> SourceError:
        return SourceError(
            f"OneLogin refuses to give events ({answer.detail}). The API credentials need a scope "
            "that may read events, Read All for one, and must belong to this account."
        )

    async def _write(self, page: Page, at: Checkpoint) -> None:
        """Commit what is new of a page together with where to go on."""
        fresh = self._recent.fresh(page.events)
        await self._sink.write([self._value(event) for event in fresh.values()], at.encode())
        self._recent.enter(fresh)
        self._sent += len(fresh)
        self._repeated += len(page.events) - len(fresh)
        self._metrics.events.inc(len(fresh))
        self._metrics.repeated.inc(len(page.events) - len(fresh))
        self._moved(at)

    def _value(self, event: bytes) -> bytes:
        """The event as received; of one too large for Kafka a note, which will be a dead letter."""
        if len(event) <= self._plan.max_event_bytes:
            return event
        log.error("event_too_large", source=self._settings.name, bytes=len(event))
        text = f"sha256={sha256(event).hexdigest()} bytes={len(event)} origin={self._settings.name}"
        return text.encode()

    def _moved(self, at: Checkpoint) -> None:
        self.at = at
        self._metrics.position.set(at.since_ms / 1000)

    async def _spare_calls(self) -> None:
        """Leave the rest of the hour's calls to others who use the account's API."""
        left, reset = self._api.calls
        if left is not None:
            self._metrics.calls_left.set(left)
        if left is None or reset is None or left > self._settings.reserve_calls:
            return
        await self._stand_back("reserve", f"{left} calls left", 0, reset)

    async def _stand_back(self, why: str, detail: str, attempt: int, least: float = 0.0) -> None:
        wait = backoff_seconds(
            attempt,
            self._settings.backoff_seconds,
            self._settings.backoff_max_seconds,
            self._draw(),
        )
        wait = max(wait, least)
        self.trouble = why
        log.warning(
            "poll_waits",
            source=self._settings.name,
            why=why,
            detail=detail,
            seconds=round(wait, 1),
            attempt=attempt + 1,
        )
        await self._sleep(wait)

    def _report(self) -> None:
        """Say how far it is, now and then; a quiet account says nothing at info."""
        now = time.monotonic()
        due = now - self._reported >= REPORT_SECONDS
        if not (self._sent or self._repeated) or not due:
            return
        log.info("poll_progress", **self.progress(), new=self._sent, repeated=self._repeated)
        self._reported, self._sent, self._repeated = now, 0, 0

    def progress(self) -> Mapping[str, Any]:
        """For the log and readiness."""
        at = self.at
        return {
            "source": self._settings.name,
            "since": None if at is None else format_time(at.since_ms),
            "behind_seconds": None
            if at is None
            else max((self._api.now_ms() - at.since_ms - self._plan.overlap_ms) // 1000, 0),
            "trouble": self.trouble,
        }
