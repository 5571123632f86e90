"""A span of raw records through the pure pipeline, and what it says against what was said."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskstream.cli.comparison import Comparison, Sayings
from riskstream.cli.context_changes import by_id
from riskstream.cli.context_file import UserId
from riskstream.cli.output import progress
from riskstream.cli.scoring import Summary, new_scorer, output_line
from riskstream.cli.table_rows import read_context_rows
from riskstream.contract.acls import Operation
from riskstream.errors import ConfigError
from riskstream.events.context import UserContext
from riskstream.events.record import Output
from riskstream.events.topics import CONTEXT, RAW, SCORED
from riskstream.pipeline.duplicates import DuplicateFilter
from riskstream.streaming.admin import describe_topics, require_topics
from riskstream.streaming.reader import Since, read
from riskstream.streaming.timespan import TimeSpan, read_span
from riskstream.streaming.trial import trial_topics

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["Plan", "Replayed", "what_if"]

MS_PER_MINUTE: Final = 60_000
CHUNK_RECORDS: Final = 1000
SCORED_TOPICS: Final = frozenset(SCORED.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay, and where it goes."""

    span: TimeSpan
    """Of the records whose outputs count, by Kafka's timestamp."""
    warm_up_ms: int = 0
    """Records so long before the span are folded, and their outputs left out."""
    against_policy: bool = False
    """Compare with what the policy of the settings says of the same records, in place of what
    the scored topics hold."""
    prefix: str | None = None
    """Of topics to write the outputs to."""
    output: Path | None = None
    """A file for the outputs; ``-`` is stdout."""
    keep: int = 20
    """Changes to name in the summary."""


@dataclass(slots=True)
class Replayed:
    """What came of it."""

    comparison: Comparison
    summary: Summary = field(default_factory=Summary)
    warm_up: Summary = field(default_factory=Summary)
    written: int = 0
    """Records written to topics."""


async def what_if(now: "Settings", then: "Settings", plan: Plan) -> Replayed:
    """Replay by the settings ``now``, and compare with ``then`` or with the scored topics.

    Raises:
        ConfigError: A policy, an overlay or a prefix has faults, or a trial's topic is not empty.
        KafkaFaultError: Kafka cannot be reached or lacks a topic.
    """
    scorer = new_scorer(now)
    former = new_scorer(then) if plan.against_policy else None
    scorer.duplicates = await _duplicates(now)
    if former is not None:
        former.duplicates = await _duplicates(now)
    users = await _known(now)
    for each in (scorer, former):
        if each is not None:
            each.know(users)
    said = Sayings() if former else await _said(now, plan.span.from_ms)
    done = Replayed(Comparison(plan.keep))
    whole = TimeSpan(plan.span.from_ms - plan.warm_up_ms, plan.span.to_ms)
    async with (
        _sink(now, plan, done) as take,
        aclosing(read_span(now, RAW, whole, CHUNK_RECORDS)) as chunks,
    ):
        async for chunk in chunks:
            for warm, records in _runs(chunk, plan.span.from_ms):
                scorer.summary = done.warm_up if warm else done.summary
                outputs = list(scorer.score(records))
                if former is not None:
                    said = _sayings(former.score(records))
                if not warm:
                    await take(outputs, said)
    return done


@asynccontextmanager
async def _sink(
    settings: "Settings", plan: Plan, done: Replayed
) -> AsyncIterator[Callable[[list[Output], Sayings], Awaitable[None]]]:
    """Compares outputs and writes them where the plan says."""
    async with AsyncExitStack() as stack:
        trial = None
        if plan.prefix is not None:
            trial = await stack.enter_async_context(trial_topics(settings, plan.prefix))
        write = stack.enter_context(_writer(plan.output))
        beside = plan.output == Path("-")
        advance = stack.enter_context(progress("events replayed", beside_stdout=beside))

        async def take(outputs: list[Output], said: Sayings) -> None:
            for output in outputs:
                if output.topic in SCORED_TOPICS:
                    done.comparison.add(output, said)
                write(output)
            if trial is not None:
                done.written += await trial.write(outputs)
            advance(len(outputs))

        yield take


def _runs(chunk: list[Any], from_ms: int) -> Iterator[tuple[bool, list[Any]]]:
    """The records in their order, cut where the warm-up ends (and where it comes again)."""
    for warm, run in groupby(chunk, lambda record: bool(record.timestamp < from_ms)):
        yield warm, list(run)


async def _known(settings: "Settings") -> dict[UserId, UserContext]:
    """What the workers know of users by now; nothing where that topic is not there yet."""
    if CONTEXT not in await describe_topics(settings.kafka, {CONTEXT}):
        return {}
    rows = await read_context_rows(settings)
    return {UserId(*by_id(subject)): row.context for subject, row in rows.items()}


async def _duplicates(settings: "Settings") -> DuplicateFilter | None:
    """One filter for what the workers' filters hold together."""
    duplicates = settings.duplicates
    if not duplicates.enabled:
        return None
    found = await require_topics(settings.kafka, [RAW], Operation.READ)
    most = duplicates.max_ids_per_partition * found[RAW].partitions
    return DuplicateFilter(duplicates.window_minutes * MS_PER_MINUTE, most)


async def _said(settings: "Settings", from_ms: int) -> Sayings:
    """What the scored topics hold of events that came since then: by the headers alone."""
    said = Sayings()
    records = read(settings, list(SCORED_TOPICS), start=Since(from_ms))
    async with aclosing(records) as found:
        with progress("scored records read") as advance:
            async for record in found:
                said.add(dict(record.headers))
                advance(1)
    return said


def _sayings(outputs: Iterable[Output]) -> Sayings:
    said = Sayings()
    for output in outputs:
        if output.topic in SCORED_TOPICS:
            said.add(dict(output.headers))
    return said


@contextmanager
def _writer(place: Path | None) -> Iterator[Callable[[Output], None]]:
    """Writes outputs as NDJSON, as ``riskstream score`` does."""
    if place is None:
        yield lambda _output: None
    elif place == Path("-"):
        yield lambda output: _write(sys.stdout.buffer, output)
        sys.stdout.buffer.flush()
    else:
        try:
            file = place.open("wb")
        except OSError as fault:
            raise ConfigError(f"{place} cannot be written: {fault.strerror}.") from fault
        with file:
            yield lambda output: _write(file, output)


def _write(file: Any, output: Output) -> None:
    file.write(output_line(output) + b"\n")
