"""A broker that answers empty fetches at once is not asked at once."""

import asyncio
from types import SimpleNamespace

import aiokafka.consumer.consumer
import pytest
from aiokafka.consumer.fetcher import Fetcher

from riskstream.streaming import client, pacing
from riskstream.streaming.pacing import LEAST_SECONDS, PacedFetcher


async def pauses(
    monkeypatch: pytest.MonkeyPatch, *, found: bool, active: bool = True
) -> list[float]:
    """How long a fetcher slept after a fetch that found something, or nothing."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def answer(*_: object) -> bool:
        return found

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(Fetcher, "_proc_fetch_request", answer)
    fetcher = object.__new__(PacedFetcher)
    assert await fetcher._proc_fetch_request(SimpleNamespace(active=active), 1, None) is found
    return slept


async def test_an_empty_answer_that_came_early_is_followed_by_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An idle worker must not take a core."""
    (slept,) = await pauses(monkeypatch, found=False)
    assert 0 < slept <= LEAST_SECONDS


async def test_what_was_found_is_passed_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause is no latency of records."""
    assert await pauses(monkeypatch, found=True) == []


async def test_a_partition_that_is_taken_away_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rebalance ends every fetch under way."""
    assert await pauses(monkeypatch, found=False, active=False) == []


async def test_a_pause_that_is_cancelled_ends_without_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fetches are cancelled when a consumer is closed, and then awaited."""

    async def answer(*_: object) -> bool:
        return False

    monkeypatch.setattr(Fetcher, "_proc_fetch_request", answer)
    monkeypatch.setattr(pacing, "LEAST_SECONDS", 60.0)
    fetcher = object.__new__(PacedFetcher)
    fetch = fetcher._proc_fetch_request(SimpleNamespace(active=True), 1, None)
    task = asyncio.create_task(fetch)
    await asyncio.sleep(0)
    task.cancel()
    assert await task is False


def test_every_consumer_has_it() -> None:
    """Whoever makes a consumer asks for ``client_options``."""
    assert client.client_options
    assert aiokafka.consumer.consumer.Fetcher is PacedFetcher
