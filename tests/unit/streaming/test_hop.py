"""Where a hop begins to read, and what it refuses."""

import asyncio

import pytest
from faust.types import TP

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.events import topics
from riskstream.observability.metrics import Metrics
from riskstream.streaming.hop import Hop
from tests.support.streaming import (
    CountingStage,
    FakeConsumer,
    FakeThread,
    RecordingUnit,
    make_chunk,
)

ONE, TWO = TP(topics.RAW, 0), TP(topics.RAW, 1)


def make_hop(
    committed: dict[TP, int | None],
    bounds: tuple[int, int] = (0, 100),
    *,
    settings: Settings | None = None,
    unit_order: list[str] | None = None,
) -> tuple[Hop, CountingStage, list[RecordingUnit]]:
    """A hop over fakes; the units it opens are kept."""
    thread, stage, units = FakeThread(committed, bounds), CountingStage(), []
    if unit_order is not None:
        thread.order = unit_order

    class Unit(RecordingUnit):
        async def open(self) -> None:
            await super().open()
            thread.order.append("open")

    def new_unit(_: int) -> RecordingUnit:
        units.append(Unit())
        return units[-1]

    hop = Hop(
        stage,
        settings=settings or Settings(),
        metrics=Metrics(role="ingest", version="0", policy="none"),
        new_unit=new_unit,
    )
    hop.attach(FakeConsumer(thread))  # type: ignore[arg-type]  # a double of the three calls
    return hop, stage, units


async def test_offsets_are_read_after_the_producers_are_fenced() -> None:
    """Read before, a committed offset may be stale."""
    order: list[str] = []
    hop, stage, _ = make_hop({ONE: 7, TWO: None}, unit_order=order)

    await hop.assign({ONE, TWO, TP(topics.FAILURES, 0)})

    assert order == ["stop_fetching 1", "open", "open", "committed"]
    assert stage.recovered == [{0: 7, 1: None}]
    assert hop.positions() == {ONE: 7, TWO: 0}
    await hop.release()


async def test_every_assignment_opens_the_units_anew() -> None:
    """For partitions that stay, too: the former unit is closed and another fences it."""
    hop, _, units = make_hop({ONE: 7})
    await hop.assign({ONE})
    await hop.assign({ONE})

    assert [(unit.opened, unit.closed) for unit in units] == [(1, 1), (1, 0)]
    await hop.release()
    assert units[1].closed == 1


async def test_a_committed_offset_below_the_log_is_never_reset() -> None:
    """Records were deleted before they were read: the worker says so and stops."""
    hop, _, units = make_hop({ONE: 7}, bounds=(50, 100))

    with pytest.raises(KafkaFaultError, match=r"Offsets 7 to 49 .* were deleted"):
        await hop.assign({ONE})

    assert units[0].closed == 1


async def test_lost_offsets_are_skipped_when_the_operator_says_so() -> None:
    """A setting, used once, goes on from the oldest record that is left."""
    hop, _, _ = make_hop(
        {ONE: 7}, bounds=(50, 100), settings=Settings(worker={"lost_offsets": "skip"})
    )

    await hop.assign({ONE})

    assert hop.positions() == {ONE: 50}
    await hop.release()


async def test_a_committed_offset_beyond_the_log_is_refused() -> None:
    """The topic was made anew under the group's feet."""
    hop, _, _ = make_hop({ONE: 700}, bounds=(0, 100))

    with pytest.raises(KafkaFaultError, match="beyond the end of the log"):
        await hop.assign({ONE})


async def test_chunks_of_an_earlier_flow_are_dropped() -> None:
    """They are read again, from the position that was sought."""
    hop, _, units = make_hop({ONE: 0})
    await hop.assign({ONE})
    hop.consumer.epoch = 2  # a rebalance has come and gone since the chunk was fetched

    hop.submit(ONE, make_chunk(0, 5))
    await asyncio.sleep(0.01)

    assert units[0].commits == []
    await hop.release()


async def test_a_fault_in_a_unit_ends_the_process_and_forgets_the_state() -> None:
    """Nothing of a failed unit may be relied on."""
    hop, stage, units = make_hop({ONE: 0})
    await hop.assign({ONE})
    units[0].fault = ConnectionError("gone")

    hop.submit(ONE, make_chunk(0, 5))
    fault = await asyncio.wait_for(hop.fatal, 5)

    assert isinstance(fault, ConnectionError)
    assert stage.forgotten == [0]
    await hop.release()


async def test_lag_is_counted_to_the_last_stable_offset() -> None:
    """Per partition, from where the lane stands."""
    hop, _, _ = make_hop({ONE: 7})
    await hop.assign({ONE})

    assert hop.consumer_lag() == {"0": 93.0}
    await hop.release()
