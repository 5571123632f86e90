"""Merging partitions by time."""

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.record import InputRecord
from riskstream.streaming.timespan import TimeMerge

PARTITIONS = 3
LOGS = st.lists(st.lists(st.integers(0, 20), max_size=12), min_size=1, max_size=PARTITIONS)


def _log(number: int, times: list[int]) -> list[InputRecord]:
    """A partition's records; Kafka's own stamps never fall."""
    return [
        InputRecord("t", number, offset, time, None, b"")
        for offset, time in enumerate(sorted(times))
    ]


@given(LOGS, st.data())
def test_the_order_is_that_of_time_however_the_records_come(
    times: list[list[int]], data: st.DataObject
) -> None:
    """Cut into any batches that come in any order, all leave, sorted."""
    logs = {TopicPartition("t", n): _log(n, one) for n, one in enumerate(times)}
    merge = TimeMerge(dict.fromkeys(logs, 0))
    left = {place: list(log) for place, log in logs.items()}
    taken: list[InputRecord] = []
    while left:
        place = data.draw(st.sampled_from(sorted(left)))
        size = data.draw(st.integers(0, 5))
        merge.put(place, left[place][:size])  # type: ignore[arg-type]
        left[place] = left[place][size:]
        if not left[place]:
            merge.end(place)
            del left[place]
        while chunk := merge.take(data.draw(st.integers(1, 4))):
            taken += chunk  # type: ignore[arg-type]
    expected = [record for log in logs.values() for record in log]
    assert taken == sorted(expected, key=lambda one: (one.timestamp, one.partition, one.offset))
    assert not merge.unfinished


def test_nothing_leaves_before_all_have_spoken() -> None:
    """The next record of a partition that is silent may be older."""
    first, second = TopicPartition("t", 0), TopicPartition("t", 1)
    merge = TimeMerge({first: 1, second: 1})
    merge.put(first, _log(0, [5, 6]))  # type: ignore[arg-type]
    assert merge.take(10) == []
    assert merge.held(first) == 2
    merge.put(second, _log(1, [4]))  # type: ignore[arg-type]
    assert [record.timestamp for record in merge.take(10)] == [4]
    merge.end(second)
    assert [record.timestamp for record in merge.take(10)] == [5, 6]
    assert merge.unfinished
    merge.end(first)
    assert not merge.unfinished
