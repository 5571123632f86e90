"""Our topics as they are in Kafka and as they should be: create and check.

Existence is always asked by listing: a broker may create a topic when it is described.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAuthorizationFailedError

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Acl, Operation, Resource, roles
from riskstream.errors import KafkaFaultError
from riskstream.events.topics import ALL_TOPICS, CLASSIFIED, TopicSpec
from riskstream.events.vocabulary import View
from riskstream.streaming.client import client_options, kafka_faults, missing_topics
from riskstream.streaming.rights import check_rights, rights_fault

__all__ = [
    "TopicState",
    "TopicVerdict",
    "Verdict",
    "admin_client",
    "check_topics",
    "create_topics",
    "delete_records",
    "describe_topics",
    "judge",
    "require_topics",
]

NONE = 0
TOPIC_AUTHORIZATION_FAILED = TopicAuthorizationFailedError.errno
TOPIC_ALREADY_EXISTS = 36
"""Kafka's error code: somebody else was faster, which is as good."""
VISIBLE_SECONDS = 10.0
"""A created topic must show up with all its partitions within this time."""
ADVISED = frozenset({"segment.ms", "min.cleanable.dirty.ratio"})
"""Settings that an operator may choose otherwise without breaking anything."""
ADVISED_UNLESS_INTERNAL = "retention.ms"
"""How long topics are kept is the operator's choice, but for the classified topic: assess purges
it by its own commit, and an earlier deletion would lose events."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as Kafka describes it."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)
    """Empty where the broker does not tell."""


class Verdict(StrEnum):
    """What the check says of one topic."""

    OK = "ok"
    CREATED = "created"
    EXISTS = "exists"
    WOULD_CREATE = "would_create"
    MISSING = "missing"
    PARTITIONS = "partitions"
    """Not as many as the classified topic has."""
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class TopicVerdict:
    """One line of ``topics create`` or ``topics check``."""

    topic: str
    purpose: str
    verdict: Verdict
    partitions: int
    detail: str = ""
    cure: str = ""

    @property
    def failed(self) -> bool:
        """Whether a worker must not start like this."""
        return self.verdict in {Verdict.MISSING, Verdict.PARTITIONS, Verdict.CONFIG}


async def describe_topics(
    kafka: KafkaSettings, names: Iterable[str], *, configs: bool = False
) -> dict[str, TopicState]:
    """The topics of these names that exist.

    Raises:
        KafkaFaultError: Kafka cannot be reached.
    """
    async with admin_client(kafka) as admin:
        return await _describe(admin, names, configs=configs)


async def require_topics(
    kafka: KafkaSettings, names: Sequence[str], operation: Operation
) -> dict[str, TopicState]:
    """The topics of these names, of which every one exists and may be used like this.

    Raises:
        KafkaFaultError: Kafka cannot be reached, has no such topic, or does not give the right.
    """
    why = "it is written to" if operation is Operation.WRITE else "it is read"
    await check_rights(kafka, [Acl(Resource.TOPIC, name, operation, why) for name in names])
    found = await describe_topics(kafka, names)
    missing = [name for name in names if name not in found]
    if missing:
        raise missing_topics(kafka, missing)
    return found


async def create_topics(
    kafka: KafkaSettings, specs: Sequence[TopicSpec] = ALL_TOPICS, *, dry_run: bool = False
) -> list[TopicVerdict]:
    """Create what is missing; what exists is left alone. One verdict per topic, in order.

    A topic that must have as many partitions as the classified topic gets as many as that one
    has, where it exists already, whatever the settings say.

    Raises:
        KafkaFaultError: Kafka cannot be reached, does not give the right, or refused a topic.
    """
    await check_rights(kafka, _rights(specs, Operation.DESCRIBE))
    async with admin_client(kafka) as admin:
        there = await _describe(admin, {CLASSIFIED, *(spec.name for spec in specs)})
        joined = there[CLASSIFIED].partitions if CLASSIFIED in there else kafka.partitions
        counts = {
            spec.name: joined if spec.co_partitioned else kafka.partitions
            for spec in specs
            if spec.name not in there
        }
        if counts and not dry_run:
            await _create(admin, kafka, [spec for spec in specs if spec.name in counts], counts)
    made = Verdict.WOULD_CREATE if dry_run else Verdict.CREATED
    return [
        TopicVerdict(spec.name, spec.purpose, made, counts[spec.name])
        if spec.name in counts
        else TopicVerdict(spec.name, spec.purpose, Verdict.EXISTS, there[spec.name].partitions)
        for spec in specs
    ]


async def check_topics(
    kafka: KafkaSettings, specs: Sequence[TopicSpec] = ALL_TOPICS
) -> list[TopicVerdict]:
    """Compare the topics with what they must be. One verdict per topic, in order.

    Raises:
        KafkaFaultError: Kafka cannot be reached, or does not give the right.
    """
    await check_rights(kafka, _rights(specs, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS))
    names = [spec.name for spec in specs]
    there = await describe_topics(kafka, {*names, CLASSIFIED}, configs=True)
    return [judge(spec, there.get(spec.name), there.get(CLASSIFIED)) for spec in specs]


async def delete_records(kafka: KafkaSettings, topic: str, before: Mapping[int, int]) -> None:
    """Delete the records of a topic below an offset each, by partition number.

    Raises:
        KafkaFaultError: Kafka cannot be reached, or refused; its cause is Kafka's own error.
    """
    wanted = {
        TopicPartition(topic, partition): RecordsToDelete(before_offset=offset)
        for partition, offset in before.items()
    }
    async with admin_client(kafka) as admin:
        await admin.delete_records(wanted)


def judge(spec: TopicSpec, state: TopicState | None, classified: TopicState | None) -> TopicVerdict:
    """Compare one topic with its specification and with the classified topic."""
    if state is None:
        return TopicVerdict(
            spec.name,
            spec.purpose,
            Verdict.MISSING,
            0,
            "does not exist",
            "riskstream topics create",
        )
    verdict, detail, cure = Verdict.OK, "", ""
    wrong = {
        key: value for key, value in spec.config.items() if state.config.get(key, value) != value
    }
    required = {key: value for key, value in wrong.items() if not _advised(spec, key)}
    told = ", ".join(
        f"{key} is {state.config[key]}, not {value}" for key, value in (required or wrong).items()
    )
    if spec.co_partitioned and classified and state.partitions != classified.partitions:
        verdict = Verdict.PARTITIONS
        detail = f"{state.partitions} partitions, but {CLASSIFIED} has {classified.partitions}"
        cure = (
            f"stop the workers, delete {spec.name}, run `riskstream topics create --partitions "
            f"{classified.partitions}`; a table is then rebuilt from new events only"
        )
    elif required:
        verdict = Verdict.CONFIG
        detail = told
        pairs = ",".join(f"{key}={value}" for key, value in required.items())
        cure = (
            f"kafka-configs.sh --bootstrap-server … --alter --entity-type topics "
            f"--entity-name {spec.name} --add-config {pairs}"
        )
    elif wrong:
        detail = f"{told} (your choice)"
    return TopicVerdict(spec.name, spec.purpose, verdict, state.partitions, detail, cure)


def _rights(specs: Iterable[TopicSpec], *operations: Operation) -> list[Acl]:
    """Those of a topic admin's rights that these operations on these topics take."""
    names = {spec.name for spec in specs}
    return [
        acl
        for acl in roles(views=View)["topic-admin"].acls
        if acl.name in names and acl.operation in operations
    ]


def _advised(spec: TopicSpec, key: str) -> bool:
    return key in ADVISED or (key == ADVISED_UNLESS_INTERNAL and spec.name != CLASSIFIED)


@asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client; what it raises in the block becomes ``KafkaFaultError``."""
    async with kafka_faults(kafka):
        admin = AIOKafkaAdminClient(**client_options(kafka))
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


async def _describe(
    admin: AIOKafkaAdminClient, names: Iterable[str], *, configs: bool = False
) -> dict[str, TopicState]:
    wanted = set(names) & set(await admin.list_topics())
    if not wanted:
        return {}
    told = await _configs(admin, sorted(wanted)) if configs else {}
    return {
        topic["topic"]: TopicState(
            topic["topic"],
            len(topic["partitions"]),
            min((len(part["replicas"]) for part in topic["partitions"]), default=0),
            told.get(topic["topic"], {}),
        )
        for topic in await admin.describe_topics(sorted(wanted))
    }


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, _message, _kind, name, entries in response.resources:
            if code == TOPIC_AUTHORIZATION_FAILED:
                raise TopicAuthorizationFailedError(name)
            if code == NONE:
                found[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return found


async def _create(
    admin: AIOKafkaAdminClient,
    kafka: KafkaSettings,
    specs: Sequence[TopicSpec],
    partitions: Mapping[str, int],
) -> None:
    response = await admin.create_topics(
        [
            NewTopic(
                spec.name,
                partitions[spec.name],
                kafka.replication_factor,
                topic_configs=spec.config,
            )
            for spec in specs
        ]
    )
    denied = {name for name, code, _ in response.topic_errors if code == TOPIC_AUTHORIZATION_FAILED}
    if denied:
        # Not asked beforehand: the right to create on the whole cluster does as well.
        why = "it is created"
        raise rights_fault(
            kafka,
            [
                Acl(Resource.TOPIC, spec.name, Operation.CREATE, why)
                for spec in specs
                if spec.name in denied
            ],
        )
    refused = [
        f"{name}: {message or f'error {code}'}"
        for name, code, message in response.topic_errors
        if code not in {NONE, TOPIC_ALREADY_EXISTS}
    ]
    if refused:
        raise KafkaFaultError("Kafka refused to create:\n  " + "\n  ".join(refused))
    await _wait_until_visible(admin, [spec.name for spec in specs])


async def _wait_until_visible(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic answers to the next command only once its partitions are in the metadata."""
    try:
        async with asyncio.timeout(VISIBLE_SECONDS):
            while True:
                found = await _describe(admin, names)
                if all(name in found and found[name].partitions for name in names):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError as fault:
        raise KafkaFaultError(
            f"Kafka took the topics but did not show them within {VISIBLE_SECONDS:.0f} s."
        ) from fault
