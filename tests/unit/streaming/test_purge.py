"""The purge: what it asks of the broker, how often, and when it gives up."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka.errors import KafkaError, PolicyViolationError, RequestTimedOutError

from riskstream.config import KafkaSettings, Settings
from riskstream.errors import KafkaFaultError
from riskstream.streaming import purge
from riskstream.streaming.purge import Purger


class Broker:
    """Takes the place of ``delete_records``; answers with these faults, then with none."""

    def __init__(self, *faults: type[KafkaError]) -> None:
        self.faults = list(faults)
        self.asked: list[dict[int, int]] = []

    async def __call__(self, kafka: KafkaSettings, topic: str, before: Mapping[int, int]) -> None:
        self.asked.append(dict(before))
        if self.faults:
            raise KafkaFaultError("refused") from self.faults.pop(0)()


def purger(monkeypatch: pytest.MonkeyPatch, broker: Broker, *spare: dict[int, int]) -> Purger:
    """That is told these offsets one after another, and the last of them for ever."""
    told = list(spare)
    monkeypatch.setattr(purge, "delete_records", broker)
    return Purger(Settings().kafka, "log", lambda: told.pop(0) if len(told) > 1 else told[0])


async def test_only_what_has_moved_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing at all when nothing may go."""
    broker = Broker()
    subject = purger(monkeypatch, broker, {}, {0: 0}, {0: 5, 1: 3}, {0: 5, 1: 4}, {0: 5, 1: 4})
    assert [await subject.purge() for _ in range(5)] == [True] * 5

    assert broker.asked == [{0: 5, 1: 3}, {1: 4}]


async def test_a_passing_fault_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not deleted is asked for once more."""
    broker = Broker(RequestTimedOutError)
    subject = purger(monkeypatch, broker, {0: 5})

    assert [await subject.purge() for _ in range(3)] == [True] * 3
    assert broker.asked == [{0: 5}, {0: 5}]


async def test_a_refusal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker goes on, and the broker is left alone."""
    broker = Broker(PolicyViolationError)

    async with asyncio.timeout(5):
        await purger(monkeypatch, broker, {0: 5}).run()
    assert broker.asked == [{0: 5}]


async def test_it_waits_for_the_first_assignment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking costs nothing, so it looks often until there is something to delete."""
    broker = Broker(RequestTimedOutError, PolicyViolationError)
    monkeypatch.setattr(purge, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(purge, "EVERY_SECONDS", 0.0)
    subject = purger(monkeypatch, broker, {}, {}, {0: 5})

    async with asyncio.timeout(5):
        await subject.run()
    assert broker.asked == [{0: 5}, {0: 5}]
