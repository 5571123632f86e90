"""The rights that are documented suffice on Apache Kafka, and none of them can be spared."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from riskstream.cli.table_rows import read_rows
from riskstream.config import KafkaSettings, Settings
from riskstream.console.follower import FOLLOWED
from riskstream.contract.acls import Acl, Operation, Resource, Role, roles
from riskstream.errors import KafkaFaultError
from riskstream.events import topics
from riskstream.events.context import UserContext
from riskstream.events.record import Output
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.context import context_output
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import TABLES
from riskstream.security import SecuritySettings
from riskstream.streaming import admin, checkpointed, notifier, preflight
from riskstream.streaming.admin import check_topics, create_topics, delete_records
from riskstream.streaming.changelog import replay
from riskstream.streaming.checkpointed import CheckpointedSink
from riskstream.streaming.client import client_options
from riskstream.streaming.follow import follow_from
from riskstream.streaming.notifier import KafkaLedger
from riskstream.streaming.preflight import check_before_start
from riskstream.streaming.producer import feed
from riskstream.streaming.progress import RecoveryProgress
from riskstream.streaming.reader import read
from riskstream.streaming.replay import Letter, find_replayed, send_back
from riskstream.streaming.transactional import TransactionalUnit
from riskstream.streaming.write import write_all, write_one
from tests.support.kafka import Stored, produce
from tests.support.processes import wait_for
from tests.support.secure_kafka import PASSWORD, SecureKafka

pytestmark = pytest.mark.kafka

ROLES = roles()
GROUP = "riskstream-notify"
SECONDS = 60.0
DENIED_SECONDS = 10.0
"""A refusal comes at once; without one nothing more is waited for."""

Work = Callable[[Settings], Awaitable[None]]


def settings_of(kafka: SecureKafka, user: str) -> Settings:
    """Of a user who logs in by SCRAM over TLS."""
    security = SecuritySettings(
        protocol="SASL_SSL", ca_file=kafka.authority.ca_file, username=user, password=PASSWORD
    )
    return Settings(
        kafka=KafkaSettings(
            bootstrap_servers=kafka.sasl, request_timeout_seconds=10, security=security
        )
    )


class _Raw(NamedTuple):
    key: bytes
    value: bytes
    at_ms: int


# What each role does with Kafka, by the product's own parts.


async def administer(settings: Settings) -> None:
    """Create and check the topics."""
    await create_topics(settings.kafka)
    verdicts = await check_topics(settings.kafka)
    if any(verdict.failed for verdict in verdicts):
        raise KafkaFaultError(str(verdicts))


async def ingest(settings: Settings) -> None:
    """One unit of work from the raw topic."""
    written = (topics.CLASSIFIED, topics.DEAD_LETTER)
    await _one_unit(settings, topics.RAW, "riskstream-ingest", written, ())


async def assess(settings: Settings) -> None:
    """One unit of work from the classified topic, a recovery and a purge."""
    written = (*topics.SCORED.values(), topics.ALERTS, topics.DEAD_LETTER)
    await _one_unit(settings, topics.CLASSIFIED, "riskstream-assess", written, TABLES)
    progress = RecoveryProgress(
        Metrics(role="assess", version="0", policy="p"), {topic: topic for topic in TABLES}
    )
    await replay(settings.kafka, {0: PartitionState()}, progress)
    await delete_records(settings.kafka, topics.CLASSIFIED, {0: 0})


async def _one_unit(
    settings: Settings, source: str, group: str, written: Sequence[str], rows: Sequence[str]
) -> None:
    unit = TransactionalUnit(settings.kafka, transactional_id=f"{group}-0", group=group)
    try:
        await unit.open()
        async with _consumer(settings.kafka, source, group) as consumer:
            await consumer.getone()
        outputs = [Output(topic, b"k", b"{}") for topic in written]
        changelog = [Output(topic, b"k", None) for topic in rows]
        await unit.commit(outputs, changelog, TopicPartition(source, 0), 0)
    finally:
        await unit.close()


async def send(settings: Settings) -> None:
    """What `feed` does."""
    await feed(settings.kafka, [_Raw(b"k", b"{}", 0)])


async def consume(settings: Settings) -> None:
    """As a group of its own."""
    async with _consumer(settings.kafka, topics.SCORED[next(iter(topics.SCORED))], "siem") as one:
        await one.getone()


async def look(settings: Settings) -> None:
    """What `events`, `tables` and `dlq list` do."""
    for names in (
        list(topics.SCORED.values()),
        [topics.FAILURES],
        [topics.LOCKOUTS],
        [topics.USERS],
        [topics.ALERTS],
        [topics.DEAD_LETTER],
        [topics.NOTIFY_DEAD_LETTER],
    ):
        async with aclosing(read(settings, names)) as records:
            async for _ in records:
                pass


async def tell(settings: Settings) -> None:
    """What `context load` does."""
    await read_rows(settings, topics.CONTEXT, None)
    await write_all(settings.kafka, [context_output(1234, 7, UserContext(), 0)], lambda _: None)


async def watch(settings: Settings) -> None:
    """What `console` does: follow, take feedback, send a dead letter back."""
    seen: set[str] = set()
    async with aclosing(follow_from(settings, FOLLOWED, {}, required=FOLLOWED)) as looks:
        async for fetched in looks:
            seen |= {topic for topic, _partition in fetched.after}
            if seen >= set(FOLLOWED) and not fetched.lag:
                break
    await write_one(settings.kafka, topics.FEEDBACK, b"k", b"{}")
    await send_back_letters(settings)


async def send_back_letters(settings: Settings) -> None:
    """What `dlq replay` does."""
    async with aclosing(read(settings, [topics.DEAD_LETTER])) as records:
        async for _ in records:
            pass
    await find_replayed(settings, 0)

    async def letters() -> AsyncIterator[Letter]:
        yield Letter((0, 0), b"k", b"{}")

    await send_back(settings, letters())


async def poll(settings: Settings) -> None:
    """What `source poll` does for one page."""
    sink = CheckpointedSink(settings, "onelogin")
    try:
        await sink.open()
        await sink.write([b"{}"], b"{}")
    finally:
        await sink.close()


async def notify(settings: Settings) -> None:
    """What `notify` does for a message that is delivered and one that is not."""
    async with notifier.open_producer(settings) as producer:
        ledger = KafkaLedger(settings, producer)
        await ledger.load()
        for topic in (topics.ALERTS, next(iter(topics.SCORED.values()))):
            async with _consumer(settings.kafka, topic, GROUP) as one:
                record = await one.getone()
        await ledger.sent("k", 0)
        await ledger.refused(record, "refused")


@asynccontextmanager
async def _consumer(
    kafka: KafkaSettings, topic: str, group: str
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        topic,
        **client_options(kafka),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6000,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


WORK: dict[str, Work] = {
    "topic-admin": administer,
    "worker-ingest": ingest,
    "worker-assess": assess,
    "raw-producer": send,
    "scored-consumer": consume,
    "reader": look,
    "context-admin": tell,
    "dead-letter-replay": send_back_letters,
    "source-poll": poll,
    "notify": notify,
    "console": watch,
}
CASES = [
    pytest.param(role, acl, id=f"{role.name}-{acl.operation}-{acl.name}")
    for role in ROLES.values()
    for acl in role.acls
]


@pytest.fixture(scope="module")
def filled(secure_kafka: SecureKafka) -> SecureKafka:
    """A record in every topic, so that there is something to read."""
    for spec in topics.ALL_TOPICS:
        fill(secure_kafka, spec.name)
    return secure_kafka


def fill(kafka: SecureKafka, topic: str) -> None:
    """A record in every partition; a tombstone in a table."""
    value = None if topic in {*TABLES, topics.NOTIFY_SENT} else b"{}"
    produce(kafka.broker, topic, [Stored(value, b"k", partition=part) for part in range(4)])


@pytest.mark.parametrize("name", ROLES)
async def test_the_listed_rights_suffice(filled: SecureKafka, name: str) -> None:
    """Each role does all its work with its rights and no others."""
    await WORK[name](settings_of(filled, name))


@pytest.mark.parametrize(("role", "acl"), CASES)
async def test_no_right_can_be_spared(
    filled: SecureKafka, role: Role, acl: Acl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one less Kafka itself refuses the work; and riskstream says which it is."""
    settings = settings_of(filled, role.name)
    _delete_what_is_to_be_created(filled, acl)
    filled.deny(role.name, [acl])
    try:
        with pytest.raises(KafkaFaultError) as told:
            await _checked(role, acl, settings)
        wanted = f"  {acl.operation} on {acl.resource} {acl.name}"
        lines = [line for line in str(told.value).split("\n") if line.startswith("  ")]
        assert [line for line in lines if not line.startswith(wanted)] == []
        assert lines

        _check_nothing(monkeypatch)
        with pytest.raises((KafkaFaultError, KafkaError)):
            async with asyncio.timeout(DENIED_SECONDS):
                await WORK[role.name](settings)
    finally:
        filled.allow(role.name, [acl])
        if acl.operation is Operation.CREATE:
            await create_topics(settings_of(filled, "topic-admin").kafka)
            fill(filled, acl.name)


async def _checked(role: Role, acl: Acl, settings: Settings) -> None:
    """Where the right is asked for before the work begins."""
    if acl.operation is Operation.DELETE or role.name in {"scored-consumer", "notify"}:
        # The purge goes on without it, consumers are not ours, and notify asks just that.
        await admin.check_rights(settings.kafka, role.acls)
    elif role.name == "worker-ingest":
        await check_before_start(settings, "ingest")
    elif role.name == "worker-assess":
        await check_before_start(settings, "assess")
    else:
        await WORK[role.name](settings)


def _check_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on Kafka alone decides."""

    async def unchecked(_: KafkaSettings, __: Sequence[Acl]) -> None:
        pass

    for module in (admin, preflight, checkpointed):
        monkeypatch.setattr(module, "check_rights", unchecked)
    monkeypatch.setattr(admin, "VISIBLE_SECONDS", 0.5)


def _delete_what_is_to_be_created(kafka: SecureKafka, acl: Acl) -> None:
    if acl.operation is not Operation.CREATE or acl.resource is not Resource.TOPIC:
        return
    for future in kafka.admin.delete_topics([acl.name]).values():
        future.result(SECONDS)
    wait_for(
        lambda: acl.name not in kafka.admin.list_topics(timeout=SECONDS).topics,
        SECONDS,
        f"{acl.name} to be gone",
    )
