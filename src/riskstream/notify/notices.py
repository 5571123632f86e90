"""From a record to a message: one per alert, and one per subject and reason within the window."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from typing import NamedTuple, Protocol

from structlog import get_logger
from typing_extensions import override

from riskstream.events.record import Record
from riskstream.events.topics import ALERTS
from riskstream.notify.message import alert_key, alert_values, message_key, message_values
from riskstream.notify.selection import Selection, read_alert
from riskstream.notify.template import PayloadTemplate

__all__ = ["Ledger", "MemoryLedger", "Notices", "Notified"]

log = get_logger(__name__)


class Notified(StrEnum):
    """What became of a record."""

    IGNORED = "ignored"
    """Not selected."""
    SUPPRESSED = "suppressed"
    """A message for its subject and reason was sent within the window, or for this alert."""
    DELIVERED = "delivered"
    DEAD_LETTERED = "dead_lettered"
    """The receiver refused it, or did not take it in time."""


class Ledger(Protocol):
    """What was sent before, and what could not be sent."""

    def last(self, key: str) -> int | None:
        """When a message with this key was last sent, epoch milliseconds of its record."""

    async def sent(self, key: str, at_ms: int) -> None:
        """Remember it, for good, before this returns."""

    async def refused(self, record: Record, why: str) -> None:
        """Keep the record, for good, before this returns."""


class MemoryLedger(Ledger):
    """Remembers as long as it lives."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.dead: list[tuple[Record, str]] = []

    @override
    def last(self, key: str) -> int | None:
        return self.at.get(key)

    @override
    async def sent(self, key: str, at_ms: int) -> None:
        self.at[key] = at_ms

    @override
    async def refused(self, record: Record, why: str) -> None:
        self.dead.append((record, why))


class _Message(NamedTuple):
    """Not yet put into words."""

    key: str
    window_ms: int | None
    """So long it stands for others of its key; None for ever."""
    payload: Callable[[], bytes]


class Notices:
    """Decides, sends and remembers.

    Args:
        selection: Which events are worth a message.
        template: What a message about an event looks like.
        alert_template: What one about an alert looks like.
        deliver: Sends a payload; None is delivered, a text says why it never will be.
        ledger: What was sent before.
        window_ms: So long a message stands for those with the same key.
        routing_key: For the template.
        console_url: For links.
    """

    def __init__(  # noqa: PLR0913  (wired in one place, by name)
        self,
        *,
        selection: Selection,
        template: PayloadTemplate,
        alert_template: PayloadTemplate,
        deliver: Callable[[bytes], Awaitable[str | None]],
        ledger: Ledger,
        window_ms: int,
        routing_key: str = "",
        console_url: str = "",
    ) -> None:
        self._selection = selection
        self._template = template
        self._alert_template = alert_template
        self._deliver = deliver
        self._ledger = ledger
        self._window_ms = window_ms
        self._given = (routing_key, console_url)

    async def handle(self, record: Record) -> Notified:
        """Do what this record asks for; after this its offset may be committed.

        Raises:
            StoppedError: It was not delivered yet, and we are to stop.
        """
        message = self._message(record)
        if message is None:
            return Notified.IGNORED
        key, window_ms, payload = message
        at_ms = record.timestamp or 0
        last = self._ledger.last(key)
        if last is not None and (window_ms is None or at_ms - last < window_ms):
            return Notified.SUPPRESSED
        why = await self._deliver(payload())
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        if why is not None:
            await self._ledger.refused(record, why)
            log.error("notice_dead_lettered", why=why, **where)
            return Notified.DEAD_LETTERED
        await self._ledger.sent(key, at_ms)
        log.info("notice_delivered", **where)
        return Notified.DELIVERED

    def _message(self, record: Record) -> _Message | None:
        """What is to be said of a record, if anything is."""
        if record.topic == ALERTS:
            alert = read_alert(record.value)
            if alert is None:
                return None
            values = partial(alert_values, alert, *self._given)
            return _Message(alert_key(alert), None, lambda: self._alert_template.render(values()))
        event = self._selection.select(record.headers, record.value)
        if event is None:
            return None
        said = partial(message_values, event, *self._given)
        return _Message(message_key(event), self._window_ms, lambda: self._template.render(said()))
