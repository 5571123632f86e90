"""``riskstream notify``: the consumer group that turns scored events and alerts into messages.

An offset is committed only after its record's message was delivered, or kept as a dead letter. What
was sent stands in a compacted topic that is read again with every assignment, so a message is
repeated only where a process died between the receiver's answer and Kafka's.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError
from structlog import get_logger
from typing_extensions import override

from riskstream import __version__
from riskstream.config import NotifySettings, Settings
from riskstream.contract.acls import roles
from riskstream.errors import ConfigError, KafkaFaultError
from riskstream.events.record import Record
from riskstream.events.times import format_time, parse_time
from riskstream.events.topics import ALERTS, NOTIFY_DEAD_LETTER, NOTIFY_SENT, SCORED
from riskstream.notify.notices import Ledger, Notices, Notified
from riskstream.notify.selection import Selection
from riskstream.notify.template import load_templates
from riskstream.notify.webhook import StoppedError, Webhook, webhook_address
from riskstream.observability.http import HealthServer
from riskstream.observability.metrics import NotifyMetrics
from riskstream.security import read_secret
from riskstream.streaming.admin import describe_topics
from riskstream.streaming.client import client_options, kafka_faults, missing_topics
from riskstream.streaming.reader import read
from riskstream.streaming.rights import check_rights
from riskstream.streaming.security import trusting

__all__ = ["KafkaLedger", "chosen_topics", "notify", "open_producer"]

POLL_MS = 500
POLL_RECORDS = 200
FETCH_BYTES = 4_194_304
LOOK_SECONDS = 0.1
NEVER_MS = 86_400_000
"""A receiver that is away may keep us from polling for long, and we are still alive."""
PRUNE_AT = 100_000
"""Messages remembered at which those that are too old to matter are forgotten."""
NOT_OURS = (CommitFailedError, IllegalStateError, RebalanceInProgressError)
"""What a commit meets when the partition went to another process meanwhile."""
ALERT_MS = 7 * 86_400_000
"""An alert that was told is remembered for as long as the topic keeps what was sent."""
WHY = "x-riskstream-detail"
ORIGIN = "x-riskstream-origin"

log = get_logger(__name__)


class KafkaLedger(Ledger):
    """What was sent, in its compacted topic; what could not be, in the dead-letter topic."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._window_ms = settings.notify.window_minutes * 60_000
        self._sent: dict[str, int] = {}

    async def load(self) -> None:
        """Read all that was sent, by whichever process.

        Raises:
            KafkaFaultError: Kafka cannot be reached.
        """
        sent: dict[str, int] = {}
        async with aclosing(read(self._settings, [NOTIFY_SENT])) as records:
            async for record in records:
                if record.key is not None and record.value is not None:
                    sent[record.key.decode("utf-8", "replace")] = _time(record.value)
        self._sent = sent

    @override
    def last(self, key: str) -> int | None:
        return self._sent.get(key)

    @override
    async def sent(self, key: str, at_ms: int) -> None:
        value = orjson.dumps({"schema_version": 1, "time": format_time(at_ms)})
        await self._producer.send_and_wait(NOTIFY_SENT, value, key.encode())
        self._sent[key] = at_ms
        if len(self._sent) > PRUNE_AT:
            since = at_ms - max(self._window_ms, ALERT_MS)
            self._sent = {one: at for one, at in self._sent.items() if at > since}

    @override
    async def refused(self, record: Record, why: str) -> None:
        origin = f"{record.topic}-{record.partition}-{record.offset}"
        headers = [*record.headers, (WHY, why.encode()), (ORIGIN, origin.encode())]
        await self._producer.send_and_wait(
            NOTIFY_DEAD_LETTER, record.value, record.key, headers=headers
        )


class _Assignments(ConsumerRebalanceListener):
    """With every assignment what was sent is read again, before any record is handled.

    The consumer hands out records of new partitions while this still goes on.
    """

    def __init__(self, ledger: KafkaLedger) -> None:
        self._ledger = ledger
        self._loaded = asyncio.Event()
        self._fault: KafkaFaultError | None = None

    async def loaded(self, stop: asyncio.Event) -> bool:
        """Wait until what was sent is known; False where we are told to stop before.

        Raises:
            KafkaFaultError: It cannot be read.
        """
        while not (self._loaded.is_set() or stop.is_set()):
            await _wait(stop, LOOK_SECONDS)
        if self._fault is not None:
            raise self._fault
        return self._loaded.is_set()

    @override
    async def on_partitions_revoked(self, revoked: Any) -> None:
        """What was not committed is handled by whoever is next."""
        self._loaded.clear()

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        try:
            await self._ledger.load()
        except KafkaFaultError as fault:
            self._fault = fault
        self._loaded.set()
        log.info("partitions_assigned", partitions=len(list(assigned)))


async def notify(settings: Settings) -> None:
    """Send messages until a signal.

    Raises:
        ConfigError: Something is set up wrong; nothing was sent.
        KafkaFaultError: Kafka cannot be reached, lacks a topic, or does not give a right.
    """
    chosen, kafka = settings.notify, settings.kafka
    template, alert_template = load_templates(chosen.style, chosen.template, chosen.alert_template)
    routing_key = read_secret(chosen.routing_key, chosen.routing_key_file, "notify.routing_key")
    if chosen.style == "pagerduty" and chosen.template is None and not routing_key:
        raise ConfigError("PagerDuty wants an integration key: set notify.routing_key_file.")
    topics = chosen_topics(chosen)
    rights = roles(settings.worker.app_id)["notify"].acls
    await check_rights(kafka, [each for each in rights if chosen.alerts or each.name != ALERTS])
    needed = [*topics, NOTIFY_SENT, NOTIFY_DEAD_LETTER]
    found = await describe_topics(kafka, needed)
    missing = [name for name in needed if name not in found]
    if missing:
        raise missing_topics(kafka, missing)
    stop, metrics = _stop_signal(), NotifyMetrics(version=__version__)

    async def pause(seconds: float) -> bool:
        metrics.retries.inc()
        return await _wait(stop, seconds)

    webhook = Webhook(
        webhook_address(chosen),
        timeout_seconds=chosen.timeout_seconds,
        give_up_seconds=chosen.give_up_seconds,
        tls=trusting(chosen.ca_file, "notify.ca_file"),
        wait=pause,
    )
    async with kafka_faults(kafka), webhook, open_producer(settings) as producer:
        ledger = KafkaLedger(settings, producer)
        notices = Notices(
            selection=Selection.of(chosen),
            template=template,
            alert_template=alert_template,
            deliver=webhook.deliver,
            ledger=ledger,
            window_ms=chosen.window_minutes * 60_000,
            routing_key=routing_key or "",
            console_url=chosen.console_url,
        )
        assignments = _Assignments(ledger)
        async with (
            _consumer(settings, topics, assignments) as consumer,
            _served(settings, metrics, consumer),
        ):
            await _consume(consumer, assignments, notices, stop, metrics)


def chosen_topics(chosen: NotifySettings) -> list[str]:
    """The topics that are read.

    Raises:
        ConfigError: None is.
    """
    if not (chosen.events or chosen.alerts):
        raise ConfigError("There is nothing to tell of: notify.events and notify.alerts are off.")
    wanted = set(map(str, chosen.categories))
    scored = [name for category, name in SCORED.items() if not wanted or category in wanted]
    return [*(scored if chosen.events else ()), *([ALERTS] if chosen.alerts else ())]


@asynccontextmanager
async def _served(
    settings: Settings, metrics: NotifyMetrics, consumer: AIOKafkaConsumer
) -> AsyncIterator[None]:
    """Metrics and health, where a port is set for them."""

    def ready() -> tuple[bool, dict[str, Any]]:
        partitions = len(consumer.assignment())
        return partitions > 0, {"ready": partitions > 0, "partitions": partitions}

    server = HealthServer(metrics, live=lambda: (True, {"live": True}), ready=ready)
    port = settings.notify.http_port
    if port is not None:
        await server.start(settings.http.model_copy(update={"port": port, "health_port": None}))
        log.info("notify_serves", metrics=f"http://{settings.http.host}:{server.port}/metrics")
    try:
        yield
    finally:
        await server.stop()


async def _consume(
    consumer: AIOKafkaConsumer,
    assignments: _Assignments,
    notices: Notices,
    stop: asyncio.Event,
    metrics: NotifyMetrics,
) -> None:
    counts: Counter[str] = Counter()
    log.info("notify_started")
    await _begin_at_the_end(consumer, stop)
    while not stop.is_set():
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        if not await assignments.loaded(stop):
            break
        for place, records in batches.items():
            try:
                await _handle_all(consumer, notices, place, records, counts, stop, metrics)
            except StoppedError:
                break
            except NOT_OURS as fault:
                log.info("partition_lost", partition=str(place), reason=type(fault).__name__)
    log.info("notify_stopped", **counts)


async def _handle_all(  # noqa: PLR0913, PLR0917  (the parts of one loop)
    consumer: AIOKafkaConsumer,
    notices: Notices,
    place: TopicPartition,
    records: list[Any],
    counts: Counter[str],
    stop: asyncio.Event,
    metrics: NotifyMetrics,
) -> None:
    """One partition's records in order; what is done is committed, whatever comes next."""
    done: int | None = None
    try:
        for record in records:
            if stop.is_set():
                break
            outcome = await notices.handle(record)
            counts[outcome] += 1
            metrics.records.labels(outcome).inc()
            if outcome is Notified.DELIVERED:
                metrics.last_delivery.set_to_current_time()
            done = record.offset + 1
            if outcome in {Notified.DELIVERED, Notified.DEAD_LETTERED}:
                await consumer.commit({place: done})
                done = None
    finally:
        if done is not None:
            await consumer.commit({place: done})


async def _begin_at_the_end(consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
    """Commit where a new group begins, so that nothing after it is ever passed over."""
    while not consumer.assignment() and not stop.is_set():
        await _wait(stop, 0.1)
    for place in consumer.assignment():
        if await consumer.committed(place) is None:
            try:
                await consumer.commit({place: await consumer.position(place)})
            except NOT_OURS:
                return


@asynccontextmanager
async def _consumer(
    settings: Settings, topics: list[str], assignments: _Assignments
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(settings.kafka),
        group_id=f"{settings.worker.app_id}-notify",
        group_instance_id=f"{settings.worker.app_id}-notify-{settings.worker.name}",
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
        max_poll_interval_ms=NEVER_MS,
        session_timeout_ms=int(settings.kafka.session_timeout_seconds * 1000),
        heartbeat_interval_ms=int(settings.kafka.session_timeout_seconds * 200),
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    consumer.subscribe(topics, listener=assignments)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def open_producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """For what was sent, and what could not be."""
    producer = AIOKafkaProducer(
        **client_options(settings.kafka),
        acks="all",
        enable_idempotence=True,
        max_request_size=FETCH_BYTES,
    )
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT: the message in flight ends, nothing else begins."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def _time(value: bytes) -> int:
    """When it was sent; long ago, where that cannot be read."""
    try:
        return parse_time(orjson.loads(value)["time"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as fault:
        raise KafkaFaultError(f"A record of {NOTIFY_SENT} was not written by us.") from fault
