"""The receiver as an ASGI application, with a double of Kafka."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import Message

from riskstream.config import WebhookSettings
from riskstream.observability.metrics import WebhookMetrics
from riskstream.sources.secret_files import AcceptedSecrets
from riskstream.sources.webhook import ANSWERS, Result, Webhook
from riskstream.streaming.raw_sink import Taken

SECRET = "a-secret-of-the-tests"
SETTINGS = WebhookSettings(
    max_body_bytes=2000,
    max_pending_bytes=5000,
    ack_timeout_seconds=30,
    body_timeout_seconds=30,
    retry_after_seconds=7,
)
AUTHORIZED = (("authorization", f"Bearer {SECRET}"),)


class Answer(NamedTuple):
    """What a sender sees."""

    status: int
    headers: dict[str, str]
    body: bytes


class FakeKafka:
    """Keeps what it takes; waits at ``gate`` where there is one."""

    def __init__(self, taken: Taken = Taken.WRITTEN, gate: asyncio.Event | None = None) -> None:
        self.taken, self.gate = taken, gate
        self.values: list[tuple[bytes, bytes]] = []

    async def put(self, key: bytes, value: bytes) -> Taken:
        """Write one record."""
        if self.gate is not None:
            await self.gate.wait()
        if self.taken is Taken.WRITTEN:
            self.values.append((key, value))
        return self.taken


def make(kafka: FakeKafka, **settings: Any) -> Webhook:
    """A webhook over this double."""
    chosen = SETTINGS.model_copy(update=settings)
    secrets = AcceptedSecrets((SecretStr(SECRET),), None)
    return Webhook(chosen, secrets, kafka, WebhookMetrics(version="0"))


async def post(
    webhook: Webhook,
    *parts: bytes | None,
    headers: Sequence[tuple[str, str]] = AUTHORIZED,
    method: str = "POST",
    path: str = "/onelogin/events",
) -> Answer:
    """Send a request in these parts; None ends the connection, nothing more leaves it waiting."""
    sent: list[Message] = []
    messages = [
        {"type": "http.disconnect"}
        if part is None
        else {"type": "http.request", "body": part, "more_body": True}
        for part in parts
    ]
    if parts and parts[-1] is not None:
        messages[-1]["more_body"] = False
    coming = iter(messages)

    async def receive() -> Message:
        message = next(coming, None)
        if message is None:
            await asyncio.Event().wait()
        return message or {}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    await webhook.app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], told, b"".join(m.get("body", b"") for m in sent[1:]))


def counted(webhook: Webhook, result: Result) -> float:
    """Deliveries with this result."""
    registry = webhook._metrics.registry
    name = "riskstream_webhook_requests_total"
    return registry.get_sample_value(name, {"result": result.value}) or 0.0


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_a_body_is_kept_byte_for_byte(parts: list[bytes]) -> None:
    """Whatever it is, and however it comes in; nothing is left pending."""
    kafka = FakeKafka()
    webhook = make(kafka)
    answer = asyncio.run(post(webhook, *parts))
    body = b"".join(parts)
    assert answer.status == 200
    assert kafka.values == ([(b"onelogin-webhook", body)] if body else [])
    assert webhook.pending_bytes == 0


async def test_it_answers_only_after_kafka() -> None:
    """Until then the delivery is open."""
    gate = asyncio.Event()
    kafka = FakeKafka(gate=gate)
    webhook = make(kafka)
    asking = asyncio.create_task(post(webhook, b"[]"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asking.done()
    assert webhook.pending_bytes == 2
    gate.set()
    assert (await asking).status == 200
    assert webhook.pending_bytes == 0


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer wrong"),),
        (("authorization", SECRET + "x"),),
        (("authorization", "\xff"),),
        (*AUTHORIZED, *AUTHORIZED),
        (("x-secret", SECRET),),
    ],
)
async def test_without_the_secret_nothing_is_read(headers: Sequence[tuple[str, str]]) -> None:
    """The body is not even waited for."""
    webhook = make(FakeKafka())
    answer = await post(webhook, headers=headers)
    assert answer.status == 401
    assert counted(webhook, Result.UNAUTHORIZED) == 1


async def test_the_header_is_of_your_choice() -> None:
    """With or without Bearer."""
    webhook = make(FakeKafka(), header="X-Secret")
    assert (await post(webhook, b"[]", headers=(("x-secret", SECRET),))).status == 200
    assert (await post(webhook, b"[]", headers=AUTHORIZED)).status == 401


async def test_what_is_too_large_is_refused_by_its_head_or_while_it_comes() -> None:
    """A length that was declared is enough; one that was not is counted."""
    webhook = make(FakeKafka())
    declared = (*AUTHORIZED, ("content-length", "2001"))
    assert (await post(webhook, headers=declared)).status == 413
    assert (await post(webhook, b"x" * 1500, b"x" * 501, b"")).status == 413
    assert (await post(webhook, b"x" * 1500, b"x" * 500)).status == 200
    assert webhook.pending_bytes == 0


async def test_kafka_may_find_it_too_large() -> None:
    """Then coming again is of no use."""
    assert (await post(make(FakeKafka(Taken.TOO_LARGE)), b"x")).status == 413


async def test_what_was_not_stored_is_to_come_again() -> None:
    """With how long to wait."""
    answer = await post(make(FakeKafka(Taken.FAILED)), b"x")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "7"


async def test_what_kafka_does_not_acknowledge_in_time_stays_pending() -> None:
    """The sender is told to come again; the bytes count until Kafka has them or refuses."""
    gate = asyncio.Event()
    kafka = FakeKafka(gate=gate)
    webhook = make(kafka, ack_timeout_seconds=0.01)
    assert (await post(webhook, b"x" * 1000)).status == 503
    assert webhook.pending_bytes == 1000
    gate.set()
    await webhook.drain()
    assert webhook.pending_bytes == 0
    assert kafka.values == [(b"onelogin-webhook", b"x" * 1000)]


async def test_more_than_memory_should_hold_is_turned_away() -> None:
    """By its head, or while it comes; what is taken in stays."""
    gate = asyncio.Event()
    kafka = FakeKafka(gate=gate)
    webhook = make(kafka)
    waiting = [asyncio.create_task(post(webhook, b"x" * 2000)) for _ in range(2)]
    while webhook.pending_bytes < 4000:
        await asyncio.sleep(0)
    declared = (*AUTHORIZED, ("content-length", "1001"))
    answers = [await post(webhook, headers=declared), await post(webhook, b"x" * 1001)]
    assert [answer.status for answer in answers] == [503, 503]
    assert {answer.headers["retry-after"] for answer in answers} == {"7"}
    assert (webhook.pending_bytes, counted(webhook, Result.OVERLOADED)) == (4000, 2)
    gate.set()
    assert [(await one).status for one in waiting] == [200, 200]
    assert len(kafka.values) == 2


async def test_a_sender_that_stops_is_not_waited_for() -> None:
    """Neither one that is slow nor one that is gone; nothing of it is kept."""
    kafka = FakeKafka()
    webhook = make(kafka, body_timeout_seconds=0.01)
    head = (*AUTHORIZED, ("content-length", "100"))
    assert (await post(webhook, headers=head)).status == 408
    assert (await post(webhook, b"half", None)).status == 400
    assert (webhook.pending_bytes, kafka.values) == (0, [])


async def test_a_body_that_was_packed_is_refused() -> None:
    """It would be dead-lettered, and unpacking invites bombs."""
    packed = (*AUTHORIZED, ("content-encoding", "gzip"))
    assert (await post(make(FakeKafka()), b"x", headers=packed)).status == 415


async def test_other_methods_and_paths_are_not_served() -> None:
    """One path, and POST alone."""
    webhook = make(FakeKafka())
    assert (await post(webhook, b"", method="GET")).status == 405
    assert (await post(webhook, b"", path="/")).status == 404


def test_every_result_has_an_answer() -> None:
    """Success is said of what is stored alone, or of nothing."""
    assert set(ANSWERS) == set(Result)
    good = {result for result, (status, _) in ANSWERS.items() if status == 200}
    assert good == {Result.ACCEPTED, Result.EMPTY}
