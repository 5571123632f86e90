"""How the demo counts, notices that something is missing, and gives up."""

import asyncio
from collections import Counter
from typing import cast

import pytest

from riskstream.demo import run
from riskstream.demo.outcomes import Outcomes
from riskstream.demo.run import DemoPlan, DemoResult
from riskstream.demo.schedule import DAY_MS, LEAD_MS, workdays
from riskstream.demo.stack import Stack, free_ports
from riskstream.errors import KafkaFaultError

NOW_MS = 1_795_438_800_847


class FakeStack:
    """A stack whose worker has met some events and filtered some of them."""

    def __init__(self, *, received: int, filtered: int) -> None:
        self._received = received
        self._filtered = filtered

    def check_worker(self) -> None:
        """It runs."""

    def worker_log(self) -> str:
        """As the real one."""
        return "Its log ends with:\nthe last line"

    async def scrape(self) -> Counter[str]:
        """As the real one."""
        return Counter(
            riskstream_received_events_total=self._received,
            riskstream_filtered_events_total=self._filtered,
        )


class Silent:
    """Nobody watches."""

    def step(self, text: str) -> None:
        """As ``Progress``."""

    def advance(self, sent: int, found: int) -> None:
        """As ``Progress``."""


def _result(*, routed: int, events: int = 10, filtered: int = 0, received: int = 10) -> DemoResult:
    result = DemoResult(DemoPlan(events, 7, NOW_MS), Outcomes(routed=routed))
    result.events, result.filtered, result.received = events, filtered, received
    return result


async def _watch(result: DemoResult, stack: FakeStack) -> None:
    async def nothing() -> None:
        """Fed and read."""

    feeding, reading = asyncio.create_task(nothing()), asyncio.create_task(asyncio.Event().wait())
    try:
        await run._watch(
            cast("Stack", stack), result, Silent(), feeding, cast("asyncio.Task[None]", reading)
        )
    finally:
        reading.cancel()


async def test_it_is_over_when_every_event_has_ended() -> None:
    """What is filtered is known from the worker's metrics alone, and counts as ended."""
    result = _result(routed=8)
    await _watch(result, FakeStack(received=10, filtered=2))
    assert result.found == 10
    run._check(result)


async def test_a_standstill_ends_it_with_the_worker_s_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a new outcome for too long it says how far it came and what the worker said."""
    monkeypatch.setattr(run, "STALL_SECONDS", -1.0)
    monkeypatch.setattr(run, "LOOK_SECONDS", 0.0)
    with pytest.raises(KafkaFaultError, match=r"9 of 10 events have ended(.|\n)*the last line"):
        await _watch(_result(routed=9), FakeStack(received=10, filtered=0))


@pytest.mark.parametrize(
    "result",
    [
        _result(routed=11),
        _result(routed=9),
        _result(routed=10, received=11),
        _result(routed=10, filtered=1),
    ],
    ids=["one too many", "one too few", "met more than sent", "filtered and routed"],
)
def test_an_uneven_count_is_a_fault(result: DemoResult) -> None:
    """Sent, met and ended must be equally many; else the exit code is 3, and the text has all."""
    with pytest.raises(KafkaFaultError, match="does not come out even") as fault:
        run._check(result)
    assert fault.value.exit_code == 3


def test_the_summary_adds_up() -> None:
    """The document that ``--summary`` writes."""
    result = _result(routed=8, filtered=1)
    result.outcomes.dead_letters["missing_field"] = 1
    result.seconds = 2.0
    summary = result.summary()
    assert summary["events"] == 10
    assert (summary["routed"], summary["dead_lettered"], summary["filtered"]) == (8, 1, 1)
    assert summary["events_per_second"] == 5
    assert summary["by_level"] == {"no": 0, "low": 0, "medium": 0, "high": 0}
    assert summary["dead_letters_by_reason"] == {"missing_field": 1}
    assert summary["seed"] == 7


def test_the_generated_days_end_before_now() -> None:
    """Whole days before this minute, with room for what goes on after midnight."""
    assert NOW_MS - 2 * DAY_MS < DemoPlan(5000, 7, NOW_MS).base_time_ms < NOW_MS - DAY_MS
    assert DemoPlan(5001, 7, NOW_MS).base_time_ms == DemoPlan(5000, 7, NOW_MS).base_time_ms - DAY_MS


def test_a_day_spreads_from_midnight_to_midnight() -> None:
    """Moments rise with progress, most of them in office hours; a story's lead fits in a day."""
    day = next(iter(workdays(0).days()))
    moments = [day.moment(step / 1000) for step in range(1001)]
    assert moments == sorted(moments)
    assert (moments[0], moments[-1]) == (0, DAY_MS)
    office = [at for at in moments if 8 <= at / 3_600_000 < 18]
    assert len(office) > 700
    assert day.moment(0.4) + LEAD_MS < DAY_MS


def test_ports_in_a_row_are_free() -> None:
    """As many as asked for, all of them valid."""
    first = free_ports(3)
    assert 1024 <= first <= 65_533
