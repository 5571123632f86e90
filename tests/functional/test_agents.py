"""The two Faust agents, with the real pipeline and without a broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from unittest.mock import patch

from faust.types import TP

from riskstream.config import Settings
from riskstream.events import topics
from riskstream.events.record import InputRecord, Output
from riskstream.events.vocabulary import Category
from riskstream.pipeline.state import PartitionState
from riskstream.streaming.apps import HopApp, Role, create_app
from riskstream.streaming.chunk import Chunk
from riskstream.streaming.hop import Hop
from tests.support.events import rest_event
from tests.support.streaming import FakeConsumer, FakeThread, RecordingUnit


@asynccontextmanager
async def running(role: Role) -> AsyncIterator[tuple[HopApp, RecordingUnit]]:
    """The app of a role with one partition assigned; what it commits is kept."""
    app, metrics = create_app(role, Settings(), "member")
    unit = RecordingUnit()
    stage = app.hop.stage
    app.hop = Hop(stage, settings=Settings(), metrics=metrics, new_unit=lambda _: unit)
    tp = TP(stage.source, 0)
    app.hop.attach(FakeConsumer(FakeThread({tp: 0}, (0, 0))))  # type: ignore[arg-type]
    with patch("riskstream.streaming.stages.replay", no_changelog):
        await app.hop.assign({tp})
    try:
        yield app, unit
    finally:
        await app.hop.release()


async def no_changelog(
    _: object, states: Mapping[int, PartitionState], __: object
) -> dict[int, dict[str, int]]:
    """Without a broker there is nothing to read."""
    return {number: {} for number in states}


async def deliver(app: HopApp, unit: RecordingUnit, records: list[InputRecord]) -> None:
    """Put one chunk into the agent's stream and wait for its commit."""
    source = app.hop.stage.source
    chunk = Chunk(0, 0, len(records), records, app.hop.consumer.epoch)
    (agent,) = [agent for agent in app.agents.values() if source in agent.name]
    async with agent.test_context() as running_agent:
        message = running_agent.to_message(None, b"", partition=0)
        message.topic, message.tp = source, TP(source, 0)
        event = app.create_event(None, chunk, None, message)
        await running_agent.channel.put(event)
        async with asyncio.timeout(5):
            while not unit.commits:
                await asyncio.sleep(0)


def classified(records: list[Output]) -> list[InputRecord]:
    """Outputs of ingest as records of the classified topic."""
    return [
        InputRecord(topics.CLASSIFIED, 0, offset, output.timestamp, output.key, output.value)
        for offset, output in enumerate(records)
    ]


def raw(*values: bytes) -> list[InputRecord]:
    """Raw records with these values."""
    return [
        InputRecord(topics.RAW, 0, offset, 1_795_438_860_000, b"k", value)
        for offset, value in enumerate(values)
    ]


async def test_ingest_commits_classified_events_and_dead_letters_together() -> None:
    """One chunk, one unit: the good event, the bad one, and the offset after both."""
    good = json.dumps(rest_event()).encode()

    async with running("ingest") as (app, unit):
        await deliver(app, unit, raw(good, b'{"cut'))

    assert unit.commits == [(2, 2)]
    assert [output.topic for output in unit.written] == [topics.CLASSIFIED, topics.DEAD_LETTER]
    assert unit.written[1].value == b'{"cut'


async def test_assess_commits_scored_events_with_the_rows_and_then_shows_them() -> None:
    """The table's row goes with the event's output, and is read through the Faust table."""
    async with running("ingest") as (app, unit):
        await deliver(app, unit, raw(json.dumps(rest_event()).encode()))
    events = classified(unit.written)

    async with running("assess") as (app, unit):
        await deliver(app, unit, events)
        rows = app.tables["failures"]
        shown = {subject: rows[subject].offset for subject in rows.keys()}  # noqa: SIM118

    assert [output.topic for output in unit.written] == [
        topics.SCORED[Category.USERS],
        topics.FAILURES,
        topics.PROFILES,
    ]
    assert shown == {"1234:7": 0}
