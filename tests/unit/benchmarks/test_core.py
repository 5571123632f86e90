"""What the stock engines run is the same core."""

from itertools import islice

import pytest

from benchmarks.contenders.programs.core import AssessOne, new_assess, new_ingest
from benchmarks.workload import single_records
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.pipeline.state import PartitionState

EVENTS = 400


@pytest.fixture(name="classified")
def classified_fixture() -> list[InputRecord]:
    """Classified records of a small tenant."""
    raw = [
        InputRecord(RAW, 0, offset, 1_795_000_000_000, record.key, record.value)
        for offset, record in enumerate(islice(single_records(5, 20), EVENTS))
    ]
    return [
        InputRecord(CLASSIFIED, 0, offset, output.timestamp, output.key, output.value)
        for offset, output in enumerate(new_ingest()(raw).outputs)
    ]


def test_one_at_a_time_over_a_store_gives_the_same_bytes(classified: list[InputRecord]) -> None:
    """The rows survive their way through an engine's store of bytes: every output is the same."""
    stores: tuple[dict[str, bytes], ...] = ({}, {}, {}, {})
    assess_one = AssessOne(new_assess(), *stores)

    outputs = [output for record in classified for output in assess_one(record)]

    expected = new_assess()(classified, PartitionState())
    assert outputs == expected.outputs
    assert [set(store) for store in stores] == [
        set(expected.changes.failures),
        set(expected.changes.lockouts),
        set(expected.changes.standings),
        set(expected.changes.profiles),
    ]
