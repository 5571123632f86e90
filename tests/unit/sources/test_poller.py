"""The poller's loop with doubles at its edges: what is written, waited for, and what ends it."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from riskstream.config import PollSettings
from riskstream.errors import ConfigError, KafkaFaultError, SourceError, SourceFencedError
from riskstream.observability.metrics import PollMetrics
from riskstream.sources.answers import Calls, Page, Refusal, Trouble
from riskstream.sources.paging import Checkpoint, PollPlan, read_checkpoint
from riskstream.sources.poller import Poller, Ports

NOW = 1_795_438_800_000
PLAN = PollPlan(overlap_ms=600_000, slice_ms=86_400_000, once=True)
SETTINGS = PollSettings(overlap_seconds=600)


def event(number: int) -> bytes:
    """An event of this id."""
    return b'{"id": %d}' % number


def page(*numbers: int, cursor: str | None = None) -> Page:
    """A page of events."""
    return Page(tuple(map(event, numbers)), cursor)


class ScriptedApi:
    """Answers as told, then with empty pages."""

    def __init__(self, *answers: Page | Refusal) -> None:
        self._answers = iter(answers)
        self.asked: list[Checkpoint] = []
        self.tokens_forgotten = 0
        self.calls = Calls(None, None)

    def now_ms(self) -> int:
        """A clock that stands still."""
        return NOW

    def forget_token(self) -> None:
        """Count it."""
        self.tokens_forgotten += 1

    async def page(self, at: Checkpoint) -> Page | Refusal:
        """The next answer."""
        self.asked.append(at)
        return next(self._answers, page())


class MemorySink:
    """Keeps what is committed; fails where told to."""

    def __init__(
        self, stored: bytes | None = None, faults: Iterable[Exception | None] = ()
    ) -> None:
        self.stored = stored
        self.values: list[bytes] = []
        self._faults = iter(faults)
        self.opened = self.closed = 0

    async def open(self) -> bytes | None:
        """Count it."""
        self.opened += 1
        return self.stored

    async def write(self, values: list[bytes], checkpoint: bytes) -> None:
        """All or nothing."""
        fault = next(self._faults, None)
        if fault is not None:
            raise fault
        self.values += values
        self.stored = checkpoint

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


class Harness:
    """A poller with doubles, and how long it waited."""

    def __init__(
        self, api: ScriptedApi, sink: MemorySink, plan: PollPlan = PLAN, **settings: Any
    ) -> None:
        self.api, self.sink = api, sink
        self.waits: list[float] = []
        self.metrics = PollMetrics(version="0")

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        ports = Ports(api, sink, self.metrics, sleep=sleep, draw=lambda: 1.0)
        chosen = SETTINGS.model_copy(update=settings)
        self.poller = Poller(chosen, plan, NOW - 3_600_000, ports)

    def counted(self, result: str) -> float:
        """Calls with this result."""
        value = self.metrics.registry.get_sample_value(
            "riskstream_poll_requests_total", {"result": result}
        )
        return value or 0.0


async def test_pages_are_written_with_where_to_go_on() -> None:
    """In order, once each; at the end the next sweep begins an overlap before this one's end."""
    api = ScriptedApi(page(1, 2, cursor="a"), page(2, 3, 3, cursor="b"), page(4))
    harness = Harness(api, MemorySink())
    await harness.poller.run()

    assert harness.sink.values == [event(number) for number in (1, 2, 3, 4)]
    assert [at.cursor for at in api.asked] == [None, "a", "b"]
    assert {(at.since_ms, at.until_ms) for at in api.asked} == {(NOW - 3_600_000, NOW)}
    assert read_checkpoint(harness.sink.stored or b"") == Checkpoint(NOW - 600_000)
    assert harness.waits == []
    assert harness.sink.closed == 1


async def test_it_goes_on_where_the_last_run_was() -> None:
    """In the middle of a sweep, by its cursor; --since says nothing then."""
    at = Checkpoint(NOW - 7_200_000, NOW - 60_000, "c")
    api = ScriptedApi(page(5))
    await Harness(api, MemorySink(at.encode())).poller.run()
    assert api.asked[0] == at


async def test_sweeps_that_overlap_send_an_event_once() -> None:
    """The second sweep has the overlap's events again, and one that came late."""
    plan = PollPlan(PLAN.overlap_ms, PLAN.slice_ms, end_ms=NOW)
    stored = Checkpoint(NOW - PLAN.slice_ms - 7_200_000).encode()
    api = ScriptedApi(page(1, 2), page(0, 2, 1, 3))
    harness = Harness(api, MemorySink(stored), plan)
    await harness.poller.run()
    assert harness.sink.values == [event(number) for number in (1, 2, 0, 3)]
    assert harness.metrics.registry.get_sample_value("riskstream_poll_repeated_events_total") == 2


@pytest.mark.parametrize(
    "trouble",
    [Trouble.RATE_LIMITED, Trouble.SERVER_ERROR, Trouble.NETWORK, Trouble.BAD_ANSWER],
)
async def test_what_may_pass_is_tried_again_ever_more_slowly(trouble: Trouble) -> None:
    """At least as long as the server says."""
    answers = [Refusal(trouble, "x"), Refusal(trouble, "x", 7.0), Refusal(trouble, "x"), page(1)]
    harness = Harness(ScriptedApi(*answers), MemorySink())
    await harness.poller.run()
    assert harness.waits == [1.0, 7.0, 4.0]
    assert harness.sink.values == [event(1)]
    assert harness.counted(trouble.value) == 3
    assert harness.poller.trouble is None


async def test_a_token_that_ended_is_replaced_at_once() -> None:
    """Without a wait; a new one that is refused as well ends it."""
    expired = Refusal(Trouble.UNAUTHORIZED, "401")
    harness = Harness(ScriptedApi(expired, page(1)), MemorySink())
    await harness.poller.run()
    assert harness.api.tokens_forgotten == 1
    assert harness.waits == []

    with pytest.raises(SourceError, match="scope"):
        await Harness(ScriptedApi(expired, expired), MemorySink()).poller.run()


async def test_a_cursor_that_ran_out_begins_the_sweep_again() -> None:
    """In two halves; what was sent already is left out."""
    api = ScriptedApi(page(1, 2, cursor="a"), Refusal(Trouble.BAD_CURSOR, "400"), page(1, 2, 3))
    harness = Harness(api, MemorySink())
    await harness.poller.run()
    assert [at.cursor for at in api.asked] == [None, "a", None, None]
    assert [(at.until_ms or 0) - NOW for at in api.asked] == [0, 0, -1_800_000, 0]
    assert harness.sink.values == [event(number) for number in (1, 2, 3)]


async def test_a_page_that_leads_to_itself_is_asked_for_again() -> None:
    """A stale answer of a cache; what stays so is taken for the end."""
    stale = page(1, 2, cursor="a")
    harness = Harness(ScriptedApi(page(1, 2, cursor="a"), stale, page(3)), MemorySink())
    await harness.poller.run()
    assert harness.sink.values == [event(1), event(2), event(3)]

    harness = Harness(ScriptedApi(page(1, 2, cursor="a"), stale, stale, stale), MemorySink())
    await harness.poller.run()
    assert harness.sink.values == [event(1), event(2)]


async def test_what_will_not_pass_ends_it() -> None:
    """With what to do; nothing is written."""
    harness = Harness(ScriptedApi(Refusal(Trouble.REFUSED, "403 no scope")), MemorySink())
    with pytest.raises(SourceError, match="403 no scope"):
        await harness.poller.run()
    assert harness.sink.values == []
    assert harness.sink.closed == 1


async def test_kafka_may_come_back() -> None:
    """It opens again and goes on from what Kafka says, since a commit may or may not have been."""
    faults = [None, KafkaFaultError("gone"), KafkaFaultError("gone")]
    api = ScriptedApi(page(1, cursor="a"), page(2, cursor="b"), page(2, cursor="b"), page(2))
    harness = Harness(api, MemorySink(faults=faults))
    await harness.poller.run()
    assert harness.sink.values == [event(1), event(2)]
    assert [at.cursor for at in api.asked] == [None, "a", "a", "a"]
    assert harness.sink.opened == harness.sink.closed == 3


async def test_kafka_must_be_there_at_the_start() -> None:
    """Then the address is wrong, more likely than not."""

    class Missing(MemorySink):
        async def open(self) -> bytes | None:
            raise KafkaFaultError("nobody there")

    with pytest.raises(KafkaFaultError, match="nobody there"):
        await Harness(ScriptedApi(), Missing()).poller.run()


async def test_who_was_fenced_does_not_fight() -> None:
    """It ends, and leaves the source to the other."""
    harness = Harness(ScriptedApi(page(1)), MemorySink(faults=[SourceFencedError("other")]))
    with pytest.raises(SourceFencedError):
        await harness.poller.run()
    assert harness.sink.opened == 1


async def test_a_checkpoint_that_cannot_be_read_is_not_passed_over() -> None:
    """It says so instead of beginning anywhere."""
    with pytest.raises(ConfigError, match=r"poll\.name"):
        await Harness(ScriptedApi(), MemorySink(b"?")).poller.run()


async def test_the_rest_of_the_calls_is_left_to_others() -> None:
    """It waits for the hour's end when few are left."""
    api = ScriptedApi(page(1, cursor="a"), page(2))
    api.calls = Calls(500, 832.0)
    harness = Harness(api, MemorySink())
    await harness.poller.run()
    assert harness.waits == [832.0, 832.0]
    api = ScriptedApi(page(1))
    api.calls = Calls(501, 832.0)
    harness = Harness(api, MemorySink())
    await harness.poller.run()
    assert harness.waits == []


async def test_between_sweeps_it_waits_unless_it_is_behind() -> None:
    """Slices of a backlog follow each other at once."""
    start = NOW - 3 * PLAN.slice_ms
    api = ScriptedApi(*(page(number) for number in range(1, 5)), Refusal(Trouble.REFUSED, "end"))
    forever = PollPlan(PLAN.overlap_ms, PLAN.slice_ms)
    harness = Harness(api, MemorySink(Checkpoint(start).encode()), forever)
    with pytest.raises(SourceError):
        await harness.poller.run()
    spans = [(at.since_ms - start, (at.until_ms or 0) - start) for at in api.asked[:4]]
    day, back = PLAN.slice_ms, PLAN.overlap_ms
    steps = list(itertools.accumulate([day - back] * 3, initial=0))
    assert spans == [(step, min(step + day, 3 * day)) for step in steps]
    assert harness.waits == [30.0]


async def test_an_event_too_large_for_kafka_leaves_a_note() -> None:
    """It does not hold up the others, and ends as a dead letter that says which it was."""
    large = b'{"id": 1, "notes": "' + b"x" * 2000 + b'"}'
    plan = PollPlan(PLAN.overlap_ms, PLAN.slice_ms, once=True, max_event_bytes=1000)
    harness = Harness(ScriptedApi(Page((large, event(2)), None)), MemorySink(), plan)
    await harness.poller.run()
    note, small = harness.sink.values
    assert small == event(2)
    assert note.startswith(b"sha256=")
    assert b"bytes=2022 origin=onelogin" in note
