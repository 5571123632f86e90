"""One message per subject and reason, tried until it is taken, kept when it never is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from pydantic import SecretStr

from riskstream.config import NotifySettings
from riskstream.errors import ConfigError
from riskstream.events.record import InputRecord
from riskstream.events.topics import ALERTS
from riskstream.notify import webhook as webhook_module
from riskstream.notify.notices import MemoryLedger, Notices, Notified
from riskstream.notify.selection import Selection
from riskstream.notify.template import load_templates
from riskstream.notify.webhook import StoppedError, Webhook, webhook_address
from tests.support.receiver import Receiver
from tests.unit.notify.test_payloads import HEADERS, alert, event

MINUTE = 60_000


def record(at_minute: float, subject: str = "1234:7") -> InputRecord:
    value = orjson.dumps(event(subject=subject))
    return InputRecord("t", 0, 0, int(at_minute * MINUTE), b"k", value, HEADERS)


async def test_one_message_per_subject_and_reason_within_the_window() -> None:
    """Counted from the one that was sent, by the records' own times."""
    sent: list[bytes] = []

    async def deliver(payload: bytes) -> None:
        sent.append(payload)

    notices = _notices(deliver, MemoryLedger())
    minutes = [0, 1, 59.9, 60, 61, 119.9, 120, 500]
    outcomes = [await notices.handle(record(minute)) for minute in minutes]
    delivered = [m for m, o in zip(minutes, outcomes, strict=True) if o is Notified.DELIVERED]
    assert delivered == [0, 60, 120, 500]
    assert await notices.handle(record(501, "1234:8")) is Notified.DELIVERED
    assert await notices.handle(InputRecord("t", 0, 0, 0, b"k", b"{}")) is Notified.IGNORED
    assert len(sent) == 5


async def test_a_refused_record_is_kept_and_the_next_is_tried() -> None:
    """A message that was not delivered suppresses nothing."""
    ledger = MemoryLedger()
    verdicts: list[str | None] = ["HTTP 400 (try 1)", None]

    async def deliver(_: bytes) -> str | None:
        return verdicts.pop(0)

    notices = _notices(deliver, ledger)
    assert await notices.handle(record(0)) is Notified.DEAD_LETTERED
    assert await notices.handle(record(1)) is Notified.DELIVERED
    assert [why for _, why in ledger.dead] == ["HTTP 400 (try 1)"]


async def test_an_alert_is_told_once_whenever_it_comes_again() -> None:
    """By its id and beyond the window; a later one of the same subject is told, too."""
    sent: list[bytes] = []

    async def deliver(payload: bytes) -> None:
        sent.append(payload)

    notices = _notices(deliver, MemoryLedger())

    def rise(at_minute: int, number: int) -> InputRecord:
        value = orjson.dumps(alert(id=f"{number:032x}"))
        return InputRecord(ALERTS, 0, 0, at_minute * MINUTE, b"k", value)

    outcomes = [await notices.handle(rise(at, n)) for at, n in ((0, 1), (1, 2), (2, 1), (999, 1))]
    delivered, suppressed = Notified.DELIVERED, Notified.SUPPRESSED
    assert outcomes == [delivered, delivered, suppressed, suppressed]
    assert [orjson.loads(each)["id"] for each in sent] == [f"{n:032x}" for n in (1, 2)]
    assert await notices.handle(rise(0, 1)._replace(value=b"?")) is Notified.IGNORED


def _notices(deliver: object, ledger: MemoryLedger) -> Notices:
    template, alert_template = load_templates("json")
    return Notices(
        selection=Selection(kinds=frozenset({"lockout"})),
        template=template,
        alert_template=alert_template,
        deliver=deliver,  # type: ignore[arg-type]
        ledger=ledger,
        window_ms=60 * MINUTE,
    )


class Waits:
    """Waits without waiting, and says so."""

    def __init__(self, stop_after: int = 99) -> None:
        self.seconds: list[float] = []
        self._stop_after = stop_after

    async def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) >= self._stop_after


@asynccontextmanager
async def posting(
    receiver: Receiver, waits: Waits, *, give_up: float = 900.0
) -> AsyncIterator[Webhook]:
    async with Webhook(
        receiver.url, timeout_seconds=0.3, give_up_seconds=give_up, tls=None, wait=waits
    ) as webhook:
        yield webhook


async def test_it_is_tried_until_it_is_taken() -> None:
    """Errors of the server, a hang, a dropped connection; longer pauses each time."""
    waits = Waits()
    with Receiver() as receiver:
        receiver.faults.extend([500, 503, "hang", "drop", 502])
        async with posting(receiver, waits) as webhook:
            assert await webhook.deliver(b"{}") is None
        assert receiver.taken == [b"{}"]
    assert receiver.tries == 6
    bounds = [0.5, 1, 2, 4, 8]
    assert all(b / 2 <= s <= b for s, b in zip(waits.seconds, bounds, strict=True)), waits.seconds


async def test_retry_after_is_honoured() -> None:
    """In seconds and as a date; what is neither counts for nothing."""
    waits = Waits()
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with Receiver() as receiver:
        receiver.faults.extend([(429, "7"), (503, date), (429, "soon")])
        async with posting(receiver, waits) as webhook:
            assert await webhook.deliver(b"{}") is None
    assert waits.seconds[0] == 7
    assert 90 < waits.seconds[1] <= 100
    assert waits.seconds[2] <= 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 422])
async def test_what_will_never_be_taken_is_not_tried_again(status: int) -> None:
    """The status says why."""
    with Receiver() as receiver:
        receiver.faults.append(status)
        async with posting(receiver, Waits()) as webhook:
            assert await webhook.deliver(b"{}") == f"HTTP {status} (try 1)"
    assert receiver.tries == 1


async def test_it_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a pause that would be longer than the time that is left."""
    with Receiver() as receiver:
        receiver.faults.extend([500] * 9)
        async with posting(receiver, Waits(), give_up=5.0) as webhook:
            clock = iter(range(0, 99, 2))
            monkeypatch.setattr(webhook_module, "monotonic", lambda: next(clock))
            told = await webhook.deliver(b"{}")
    assert told is not None
    assert told.startswith("HTTP 500 (given up after ")
    assert receiver.taken == []


async def test_a_stop_ends_the_trying() -> None:
    """The record is not done, so that it is sent by whoever is next."""
    with Receiver() as receiver:
        receiver.faults.extend([500, 500])
        async with posting(receiver, Waits(stop_after=2)) as webhook:
            with pytest.raises(StoppedError):
                await webhook.deliver(b"{}")


async def test_nobody_there_is_no_reason_to_tell_the_address() -> None:
    """It may be a secret."""
    with Receiver() as receiver:
        pass
    async with posting(receiver, Waits(), give_up=0.01) as webhook:
        told = await webhook.deliver(b"{}")
    assert told is not None
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "RISKSTREAM_NOTIFY__URL"),
        ({"url": SecretStr("ftp://example.com/s3cret")}, "begins with https"),
        ({"url": SecretStr("https://[s3cret")}, "begins with https"),
    ],
)
def test_a_wrong_address_is_told_and_not_shown(settings: dict[str, object], told: str) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigError) as fault:
        webhook_address(NotifySettings.model_validate(settings))
    assert told in str(fault.value)
    assert "s3cret" not in str(fault.value)


def test_pagerduty_needs_no_address() -> None:
    """It has one for everybody; the routing key tells whom it is for."""
    chosen = NotifySettings(style="pagerduty")
    assert webhook_address(chosen) == "https://events.pagerduty.com/v2/enqueue"
