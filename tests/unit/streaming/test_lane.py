"""A lane commits chunk after chunk, refuses gaps, and stops for the brake."""

import asyncio
from collections.abc import Callable

import pytest
from aiokafka import TopicPartition

from riskstream.config import BrakeSettings, Settings, WorkerSettings
from riskstream.errors import KafkaFaultError
from riskstream.observability.metrics import Metrics
from riskstream.streaming import lane as lane_module
from riskstream.streaming.lane import Lane
from riskstream.streaming.unit import UnitOfWork
from tests.support.streaming import SOURCE, CountingStage, RecordingUnit, make_chunk


def make_lane(
    unit: UnitOfWork,
    stage: CountingStage | None = None,
    *,
    settings: Settings | None = None,
    on_flow: Callable[[TopicPartition, bool], None] = lambda *_: None,
    turn: asyncio.Lock | None = None,
) -> tuple[Lane, Metrics]:
    """A lane at position 0 with fresh metrics."""
    metrics = Metrics(role="ingest", version="0", policy="none")
    lane = Lane(
        SOURCE,
        0,
        unit=unit,
        stage=stage or CountingStage(),
        settings=settings or Settings(),
        metrics=metrics,
        on_flow=on_flow,
        turn=turn or asyncio.Lock(),
    )
    return lane, metrics


async def run_until(lane: Lane, done: Callable[[], bool]) -> None:
    """Run the lane until something holds; a fault of the lane is raised."""
    task = asyncio.create_task(lane.run())
    try:
        async with asyncio.timeout(5):
            while not done() and not task.done():
                await asyncio.sleep(0)
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_chunks_are_committed_in_order_with_their_end_position() -> None:
    """The committed offset is the position after the chunk, control records included."""
    unit, stage = RecordingUnit(), CountingStage()
    lane, metrics = make_lane(unit, stage)
    lane.put(make_chunk(0, 3))
    await run_until(lane, lambda: len(unit.commits) == 1)
    lane.put(make_chunk(3, 9, offsets=[4, 7]))
    await run_until(lane, lambda: len(unit.commits) == 2)

    assert unit.commits == [(3, 3), (2, 9)]
    assert stage.applied == [3, 9]
    assert lane.position == 9
    assert b"riskstream_received_events_total 5.0" in metrics.exposition()


async def test_chunks_that_wait_make_one_unit() -> None:
    """Under load a transaction for each small fetch would cost more than the work in it."""
    unit, stage = RecordingUnit(), CountingStage()
    lane, _ = make_lane(unit, stage)
    lane.put(make_chunk(0, 3))
    lane.put(make_chunk(3, 5, offsets=[]))
    lane.put(make_chunk(5, 7))

    await run_until(lane, lambda: bool(unit.commits))

    assert unit.commits == [(5, 7)]
    assert stage.applied == [7]


async def test_what_comes_while_a_lane_rests_makes_one_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a commit a lane with little to do lets records gather, and never for long."""
    monkeypatch.setattr(lane_module, "REST", 1e9)
    unit = RecordingUnit()
    lane, _ = make_lane(unit)
    task = asyncio.create_task(lane.run())
    lane.put(make_chunk(0, 3))
    while not unit.commits:
        await asyncio.sleep(0)
    for start in (3, 5):
        lane.put(make_chunk(start, start + 2))
        for _ in range(5):
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while lane.position < 7:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert unit.commits == [(3, 3), (4, 7)]


async def test_a_lane_with_much_to_do_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Throughput comes first once a slice waits."""
    monkeypatch.setattr(lane_module, "REST", 1e9)
    monkeypatch.setattr(lane_module, "MOST_REST_SECONDS", 1e9)
    monkeypatch.setattr(lane_module, "SLICE_BYTES", 1)
    unit = RecordingUnit()
    lane, _ = make_lane(unit, settings=Settings(worker=WorkerSettings(chunk_records=100)))
    for start in range(0, 300, 100):
        lane.put(make_chunk(start, start + 100))

    await run_until(lane, lambda: len(unit.commits) == 3)


async def test_a_chunk_that_does_not_continue_the_offset_is_refused() -> None:
    """Records between would be lost; the lane stops before it processes anything."""
    unit, stage = RecordingUnit(), CountingStage()
    lane, _ = make_lane(unit, stage)
    lane.put(make_chunk(5, 8))

    with pytest.raises(
        KafkaFaultError, match="begins at position 5, but the committed offset is 0"
    ):
        await run_until(lane, lambda: False)

    assert (unit.commits, stage.applied) == ([], [])


async def test_a_chunk_read_twice_is_refused() -> None:
    """The same records again would be routed twice."""
    unit = RecordingUnit()
    lane, _ = make_lane(unit)
    lane.put(make_chunk(0, 3))
    lane.put(make_chunk(0, 3))

    with pytest.raises(KafkaFaultError, match="begins at position 0"):
        await run_until(lane, lambda: False)

    assert unit.commits == [(3, 3)]


async def test_a_failed_commit_applies_and_counts_nothing() -> None:
    """State and counters move after the commit and never before."""
    unit, stage = RecordingUnit(fault=ConnectionError("gone")), CountingStage()
    lane, metrics = make_lane(unit, stage)
    lane.put(make_chunk(0, 3))

    with pytest.raises(ConnectionError):
        await run_until(lane, lambda: False)

    assert (stage.applied, lane.position) == ([], 0)
    assert b"riskstream_received_events_total 0.0" in metrics.exposition()


async def test_an_empty_chunk_moves_the_position_without_a_commit() -> None:
    """There is nothing to write for control records."""
    unit = RecordingUnit()
    lane, _ = make_lane(unit)
    lane.put(make_chunk(0, 2, offsets=[]))
    lane.put(make_chunk(2, 3))

    await run_until(lane, lambda: bool(unit.commits))

    assert unit.commits == [(1, 3)]


async def test_large_chunks_become_several_units() -> None:
    """No unit has more records than the setting says."""
    unit = RecordingUnit()
    lane, _ = make_lane(unit, settings=Settings(worker={"chunk_records": 4}))
    lane.put(make_chunk(0, 10))

    await run_until(lane, lambda: len(unit.commits) == 3)

    assert unit.commits == [(4, 4), (4, 8), (2, 10)]


async def test_a_unit_ends_once_it_has_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of many events must not make a unit that the next hop waits for."""
    monkeypatch.setattr(lane_module, "UNIT_BYTES", 6)
    unit = RecordingUnit()
    lane, _ = make_lane(unit)
    lane.put(make_chunk(0, 5))  # of two bytes each

    await run_until(lane, lambda: len(unit.commits) == 2)

    assert unit.commits == [(3, 3), (2, 5)]


async def test_others_get_a_turn_while_a_lane_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit is worked on in slices, or the commits of the other lanes would wait for all of it."""
    monkeypatch.setattr(lane_module, "SLICE_RECORDS", 2)
    unit, stage = RecordingUnit(), CountingStage()
    lane, _ = make_lane(unit, stage)
    lane.put(make_chunk(0, 5))
    seen: list[int] = []

    def look() -> bool:
        seen.append(len(stage.fed))
        return bool(unit.commits)

    await run_until(lane, look)

    assert stage.fed == [2, 2, 1]
    assert {1, 2, 3} <= set(seen)
    assert unit.commits == [(5, 5)]


async def test_one_lane_works_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first unit is ready, and commits, before the second is worked on."""
    monkeypatch.setattr(lane_module, "SLICE_RECORDS", 1)
    turn, stage = asyncio.Lock(), CountingStage()
    first, second = RecordingUnit(), RecordingUnit()
    lanes = [make_lane(unit, stage, turn=turn)[0] for unit in (first, second)]
    fed_at_first_commit: list[int] = []
    for lane in lanes:
        lane.put(make_chunk(0, 3))
    tasks = [asyncio.create_task(lane.run()) for lane in lanes]

    async with asyncio.timeout(5):
        while not second.commits:
            if first.commits and not fed_at_first_commit:
                fed_at_first_commit.append(len(stage.fed))
            await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert fed_at_first_commit[0] < 6
    assert first.commits == second.commits == [(3, 3)]


async def test_fetching_pauses_while_enough_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow commit must not fill the memory."""
    monkeypatch.setattr(lane_module, "UNIT_BYTES", 6)
    steered: list[bool] = []
    gate = asyncio.Event()
    unit = RecordingUnit(gate=gate)
    lane, _ = make_lane(unit, on_flow=lambda _, fetch: steered.append(fetch))
    for start in range(2):
        lane.put(make_chunk(start, start + 1))
    assert steered == []
    lane.put(make_chunk(2, 4))
    assert steered == [False]

    gate.set()
    await run_until(lane, lambda: bool(unit.commits))

    assert steered == [False, True]


async def test_drain_waits_for_the_unit_in_flight_and_starts_no_other() -> None:
    """At a revocation the unit in flight ends, and what waits is read again by the next owner."""
    gate = asyncio.Event()
    unit = RecordingUnit(gate=gate)
    lane, _ = make_lane(unit)
    lane.put(make_chunk(0, 1))
    running = asyncio.create_task(lane.run())
    await asyncio.sleep(0.01)
    lane.put(make_chunk(1, 2))

    draining = asyncio.create_task(lane.drain())
    await asyncio.sleep(0.01)
    assert not draining.done()
    gate.set()
    await draining
    await running

    assert unit.commits == [(1, 1)]


async def test_the_brake_stops_a_partition_until_it_is_released() -> None:
    """The chunk that engages it is committed; the next waits."""
    steered: list[bool] = []
    unit = RecordingUnit()
    settings = Settings(brake=BrakeSettings(max_run=10, window=1000))
    lane, metrics = make_lane(
        unit, CountingStage(dead=True), settings=settings, on_flow=lambda _, go: steered.append(go)
    )
    lane.put(make_chunk(0, 10))
    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(5):
        while not lane.brake.engaged:
            await asyncio.sleep(0)
    lane.put(make_chunk(10, 12))
    for _ in range(20):
        await asyncio.sleep(0)
    braked = list(unit.commits)
    assert b'riskstream_brake_engaged{partition="0"} 1.0' in metrics.exposition()

    lane.release_brake()
    async with asyncio.timeout(5):
        while len(unit.commits) < 2:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert braked == [(10, 10)]
    assert unit.commits == [(10, 10), (2, 12)]
    assert b'riskstream_brake_engaged{partition="0"} 0.0' in metrics.exposition()
    assert steered[-1] is True
