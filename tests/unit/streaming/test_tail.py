"""The duplicate filters of a process: whose they are, what they stand for, what may be purged."""

from riskstream.config import Settings
from riskstream.events.topics import CLASSIFIED
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.duplicates import DuplicateFilter, Sightings
from riskstream.streaming.tail import SeenIds

HOUR = 3_600_000
NOON = 1_795_435_200_000


class Unread(SeenIds):
    """Remembers which partitions it would have read up to which offset."""

    def __init__(self, *, enabled: bool = True) -> None:
        metrics = Metrics(role="assess", version="0", policy="p")
        new = (lambda: DuplicateFilter(HOUR, 300)) if enabled else None
        super().__init__(Settings().kafka, CLASSIFIED, metrics, new)
        self.read: list[dict[int, int]] = []

    async def _fill(self, filters: object, committed: object, new_filter: object) -> None:
        assert isinstance(committed, dict)
        self.read.append(dict(committed))

    def commit(self, partition: int, offset: int, *numbers: int) -> None:
        """A chunk that has seen these ids is committed at this offset."""
        self.apply(partition, offset, self.look(partition, offset, *numbers))

    def look(self, partition: int, offset: int, *numbers: int) -> Sightings:
        """A chunk that has seen these ids."""
        held = self.of(partition)
        assert held is not None
        seen = held.look()
        for place, number in enumerate(numbers):
            seen.add(number, NOON, offset - len(numbers) + place)
        return seen


async def test_a_partition_that_stays_keeps_its_ids() -> None:
    """Only those whose offset is another, and those that are new, are read again."""
    seen = Unread()
    await seen.recover({0: 5, 1: None})
    seen.commit(0, 10, 7)
    seen.commit(1, 3, 8)
    await seen.recover({0: 10, 1: 4, 2: 9})

    assert seen.read == [{0: 5, 1: 0}, {1: 4, 2: 9}]
    assert seen.counts() == {"0": 1.0, "1": 0.0, "2": 0.0}


async def test_partitions_that_went_are_let_go() -> None:
    """Whoever has them next reads their log; so do we, when they come back."""
    seen = Unread()
    await seen.recover({0: 5, 1: 6})
    seen.retain([1])
    assert (seen.of(0) is None, seen.spare()) == (True, {1: 6})

    await seen.recover({0: 5, 1: 6})
    assert seen.read == [{0: 5, 1: 6}, {0: 5}]
    await seen.recover({1: 6})
    assert seen.counts() == {"1": 0.0}


async def test_a_filter_that_may_be_wrong_is_filled_again() -> None:
    """And until then it takes over nothing."""
    seen = Unread()
    await seen.recover({0: 5})
    chunk = seen.look(0, 10, 7)
    seen.forget(0)
    seen.apply(0, 10, chunk)
    await seen.recover({0: 10})

    assert seen.read == [{0: 5}, {0: 10}]
    assert seen.counts() == {"0": 0.0}


async def test_the_log_is_spare_below_what_the_filter_looks_back_on() -> None:
    """Nothing is while all of it lies in the window; never more than what is committed."""
    seen = Unread()
    await seen.recover({0: None, 1: 50, 2: None})
    seen.commit(0, 20, 1, 2, 3)
    seen.commit(2, 5_000, 1)

    assert seen.spare() == {0: 17, 1: 50, 2: 4_999}


async def test_without_a_filter_all_that_is_committed_is_spare() -> None:
    """And nothing is read."""
    seen = Unread(enabled=False)
    await seen.recover({0: 5, 1: None})
    seen.apply(0, 9, None)

    assert (seen.of(0), seen.read, seen.counts()) == (None, [], {})
    assert seen.spare() == {0: 9, 1: 0}
