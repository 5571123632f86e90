"""The demo: generated events through a real broker and a real worker, every outcome counted."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from riskstream.demo.channels import RawMessage
from riskstream.demo.generator import generate
from riskstream.demo.outcomes import Outcomes
from riskstream.demo.schedule import DAY_MS, days_for
from riskstream.demo.stack import Stack
from riskstream.errors import KafkaFaultError
from riskstream.events.topics import ALERTS, DEAD_LETTER, LOCKOUTS, SCORED
from riskstream.streaming.admin import create_topics
from riskstream.streaming.producer import feed
from riskstream.streaming.reader import read

__all__ = ["DemoPlan", "DemoResult", "Progress", "run_demo"]

STALL_SECONDS = 60.0
"""Without a new outcome for so long, the demo gives up."""
LOOK_SECONDS = 0.2
SETTLE_SECONDS = 0.5
"""After the last expected outcome: time for one too many to show."""
MINUTE_MS = 60_000
OVERHANG_MS = 5 * 3_600_000
"""What began late on the last day goes on into the next, at most so long."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to run."""

    events: int
    seed: int
    now_ms: int
    """The generated days end here, epoch milliseconds; the draws do not depend on it."""

    @property
    def base_time_ms(self) -> int:
        """Where the generated days begin: so that nothing of them lies in the future."""
        days_ms = days_for(self.events) * DAY_MS
        return self.now_ms // MINUTE_MS * MINUTE_MS - days_ms - OVERHANG_MS


@dataclass(slots=True)
class DemoResult:
    """What came of it."""

    plan: DemoPlan
    outcomes: Outcomes
    records: int = 0
    """Raw records sent."""
    events: int = 0
    """Outcomes that the sent records must have."""
    filtered: int = 0
    received: int = 0
    """Events that ingest says it met."""
    seconds: float = 0.0
    """From the first record sent to the last outcome read."""

    @property
    def found(self) -> int:
        """Outcomes so far."""
        return self.outcomes.routed + self.outcomes.dead_lettered + self.filtered

    def summary(self) -> dict[str, object]:
        """One JSON object; ``events = routed + dead_lettered + filtered``."""
        outcomes = self.outcomes
        return {
            "records": self.records,
            "events": self.events,
            "routed": outcomes.routed,
            "dead_lettered": outcomes.dead_lettered,
            "filtered": self.filtered,
            "by_topic": dict(sorted(outcomes.by_topic.items())),
            "by_level": {level: outcomes.by_level[level] for level in LEVELS},
            "dead_letters_by_reason": dict(sorted(outcomes.dead_letters.items())),
            "alerts": len(outcomes.alerts),
            "lockouts": len(outcomes.lockouts()),
            "seconds": round(self.seconds, 1),
            "events_per_second": round(self.events / self.seconds) if self.seconds else 0,
            "seed": self.plan.seed,
        }


LEVELS = ("no", "low", "medium", "high")


class Progress(Protocol):
    """Whoever watches."""

    def step(self, text: str) -> None:
        """Something new begins."""

    def advance(self, sent: int, found: int) -> None:
        """So many events were sent and so many outcomes found by now."""


async def run_demo(stack: Stack, plan: DemoPlan, progress: Progress) -> DemoResult:
    """Run it on a stack whose broker is up; the worker is started here and left running.

    Raises:
        KafkaFaultError: A part failed, outcomes stopped coming, or they are not as many as
            events were sent.
    """
    settings = stack.settings
    progress.step(f"broker at {settings.kafka.bootstrap_servers}, creating topics")
    await create_topics(settings.kafka)
    progress.step("starting a worker")
    stack.start_worker()
    await _wait_until_ready(stack)
    progress.step("feeding it")
    result = DemoResult(plan, Outcomes())
    started = time.monotonic()
    feeding = asyncio.create_task(_feed(stack, result))
    reading = asyncio.create_task(_read(stack, result))
    try:
        await _watch(stack, result, progress, feeding, reading)
        result.seconds = time.monotonic() - started
        await _settle(stack, result, progress)
    finally:
        for task in (feeding, reading):
            task.cancel()
        await asyncio.gather(feeding, reading, return_exceptions=True)
    _check(result)
    return result


async def _wait_until_ready(stack: Stack) -> None:
    deadline = time.monotonic() + STALL_SECONDS
    while not await stack.ready():
        stack.check_worker()
        if time.monotonic() > deadline:
            raise KafkaFaultError(
                f"The worker was not ready within {STALL_SECONDS:.0f} s. {stack.worker_log()}"
            )
        await asyncio.sleep(LOOK_SECONDS)


async def _feed(stack: Stack, result: DemoResult) -> None:
    def on_sent(message: RawMessage) -> None:
        result.records += 1
        result.events += message.events

    def messages() -> Iterator[RawMessage]:
        plan = result.plan
        for message in generate(plan.events, plan.seed, plan.base_time_ms):
            result.outcomes.expect(message.stories)
            yield message

    await feed(stack.settings.kafka, messages(), on_sent=on_sent)


async def _read(stack: Stack, result: DemoResult) -> None:
    topics = [*SCORED.values(), DEAD_LETTER, ALERTS, LOCKOUTS]
    async with aclosing(read(stack.settings, topics, follow=True)) as records:
        async for record in records:
            result.outcomes.add(record)


async def _watch(
    stack: Stack,
    result: DemoResult,
    progress: Progress,
    feeding: asyncio.Task[None],
    reading: asyncio.Task[None],
) -> None:
    """Return when every outcome is there."""
    found, heard = 0, time.monotonic()
    while not (feeding.done() and result.found >= result.events):
        await asyncio.sleep(LOOK_SECONDS)
        stack.check_worker()
        for task in (feeding, reading):
            if task.done():
                task.result()
        await _look_at_metrics(stack, result)
        progress.advance(result.events, result.found)
        if result.found != found:
            found, heard = result.found, time.monotonic()
        elif time.monotonic() - heard > STALL_SECONDS:
            raise KafkaFaultError(_stalled(stack, result))


async def _settle(stack: Stack, result: DemoResult, progress: Progress) -> None:
    await asyncio.sleep(SETTLE_SECONDS)
    await _look_at_metrics(stack, result)
    progress.advance(result.events, result.found)


async def _look_at_metrics(stack: Stack, result: DemoResult) -> None:
    """What is filtered reaches no topic; only the worker knows of it."""
    sums = await stack.scrape()
    if sums is not None:
        result.filtered = int(sums["riskstream_filtered_events_total"])
        result.received = int(sums["riskstream_received_events_total"])


def _stalled(stack: Stack, result: DemoResult) -> str:
    return (
        f"No outcome came for {STALL_SECONDS:.0f} s: {result.found} of {result.events} events "
        f"have ended ({result.outcomes.routed} routed, {result.outcomes.dead_lettered} dead "
        f"letters, {result.filtered} filtered). {stack.worker_log()}"
    )


def _check(result: DemoResult) -> None:
    """Every event ends as exactly one of routed, dead-lettered and filtered."""
    if result.found != result.events or result.received != result.events:
        raise KafkaFaultError(
            f"The count does not come out even: {result.events} events were sent, the worker met "
            f"{result.received}, and {result.outcomes.routed} were routed, "
            f"{result.outcomes.dead_lettered} dead-lettered and {result.filtered} filtered. "
            "This is a bug of riskstream; please report it with the seed and the number of events."
        )
