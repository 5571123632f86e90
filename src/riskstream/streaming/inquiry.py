"""What Kafka says of itself, its topics and our consumer groups. Asks only, writes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorForGroupError,
)

from riskstream.config import KafkaSettings, Settings
from riskstream.contract.acls import Operation
from riskstream.streaming.admin import admin_client
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.requests import Features, Permissions, finalized_features
from riskstream.streaming.rights import UNTOLD, is_given

__all__ = [
    "ClusterFacts",
    "GroupFacts",
    "Inquiry",
    "LogFacts",
    "PartitionFacts",
    "Place",
    "TopicFacts",
    "inquire",
    "log_facts",
]

UNKNOWN_TOPIC = 3
TOPIC_REFUSED = 29
GROUP_REFUSED = 30
COORDINATOR_SECONDS = 10.0
"""A broker that has never had a group makes the topic for their offsets when it is first asked."""
WAITING_SECONDS = 5.0
"""For the first unread record of each partition."""

Place = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """One partition; broker ids."""

    leader: int
    """-1 while there is none."""
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic that exists, or that we may not see."""

    partitions: tuple[PartitionFacts, ...] = ()
    refused: bool = False
    """We may not even see it."""
    rights_told: bool = False
    """Whether the broker says what we may do with it."""
    readable: bool = True
    """Nothing says that we may not read it."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What the brokers say of themselves."""

    cluster_id: str
    brokers: tuple[str, ...]
    """``host:port`` of each, as advertised."""
    apis: Mapping[int, tuple[int, int]]
    """Per API key the lowest and highest version."""
    features: Mapping[str, int] = field(default_factory=dict)
    """Feature and level; empty where the broker tells none."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Of one broker; empty where we may not see it."""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """One consumer group."""

    state: str
    """Kafka's word: ``Stable``, ``Empty``, ``Dead``, …"""
    members: int = 0
    committed: Mapping[Place, int] = field(default_factory=dict)
    refused: bool = False
    """We may not see it."""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """One partition's log, as a read_committed consumer sees it."""

    first: int
    end: int
    """The last stable offset."""
    unread: int = 0
    """Offsets from the asked one to the end; 0 where these hold no record."""
    waiting_since_ms: int | None = None
    """Timestamp of the first unread record; None where there is none, or none was told in time."""


class Inquiry:
    """Questions over one connection."""

    def __init__(self, admin: AIOKafkaAdminClient, kafka: KafkaSettings) -> None:
        self._admin = admin
        self._kafka = kafka

    async def cluster(self) -> ClusterFacts:
        """Brokers, APIs, features and one broker's settings."""
        told = await self._send(Permissions([]))
        answer = await self._send(Features())
        return ClusterFacts(
            told.cluster_id or "",
            tuple(f"{host}:{port}" for _node, host, port, _rack in told.brokers),
            {entry[0]: (entry[1], entry[2]) for entry in answer.api_versions},
            finalized_features(answer),
            await self._broker_config(told.brokers[0][0]) if told.brokers else {},
        )

    async def topics(self, names: Iterable[str]) -> dict[str, TopicFacts]:
        """Those of these topics that exist, or of which we are not told whether they do."""
        answer = await self._send(Permissions(sorted(set(names))))
        return {
            name: TopicFacts(
                tuple(
                    PartitionFacts(leader, tuple(replicas), tuple(in_sync))
                    for _error, _number, leader, _epoch, replicas, in_sync, _offline in sorted(
                        partitions, key=lambda partition: partition[1]
                    )
                ),
                refused=error == TOPIC_REFUSED,
                rights_told=operations != UNTOLD,
                readable=is_given(operations, Operation.READ),
            )
            for error, name, _internal, partitions, operations in answer.topics
            if error != UNKNOWN_TOPIC
        }

    async def group(self, name: str) -> GroupFacts:
        """State, members and committed offsets of a consumer group."""
        deadline = asyncio.get_running_loop().time() + COORDINATOR_SECONDS
        while True:
            try:
                return await self._group(name)
            except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def _group(self, name: str) -> GroupFacts:
        try:
            (answer,) = await self._admin.describe_consumer_groups([name])
        except GroupAuthorizationFailedError:
            return GroupFacts("", refused=True)
        ((error, _name, state, _kind, _protocol, members, *_),) = answer.groups
        if error == GROUP_REFUSED:
            return GroupFacts("", refused=True)
        offsets = await self._admin.list_consumer_group_offsets(name)
        committed = {place: told.offset for place, told in offsets.items() if told.offset >= 0}
        return GroupFacts(state or "Dead", len(members), committed)

    async def _broker_config(self, node: int) -> dict[str, str]:
        try:
            (answer,) = await self._admin.describe_configs(
                [ConfigResource(ConfigResourceType.BROKER, str(node))]
            )
        except KafkaError:
            return {}
        return {
            entry[0]: entry[1]
            for error, _message, _kind, _name, entries in answer.resources
            if error == 0
            for entry in entries
            if entry[1] is not None
        }

    async def _send(self, request: Any) -> Any:
        return await self._admin._send_request(request)  # noqa: SLF001  (has no public way to ask)


@asynccontextmanager
async def inquire(kafka: KafkaSettings) -> AsyncIterator[Inquiry]:
    """Connect, and ask.

    Raises:
        KafkaFaultError: Kafka cannot be reached or refuses to answer.
    """
    async with admin_client(kafka) as admin:
        yield Inquiry(admin, kafka)


async def log_facts(
    settings: Settings, partitions: Mapping[Place, int | None]
) -> dict[Place, LogFacts]:
    """The logs of these partitions, and what waits from the offset on that is given with each.

    Raises:
        KafkaFaultError: Kafka cannot be reached.
    """
    places = [TopicPartition(*place) for place in partitions]
    async with kafka_faults(settings.kafka):
        consumer = AIOKafkaConsumer(
            **client_options(settings.kafka),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await consumer.start()
            consumer.assign(places)
            first = await consumer.beginning_offsets(places)
            end = await consumer.end_offsets(places)
            begin = {
                place: max(offset, first[place])
                for place, offset in zip(places, partitions.values(), strict=True)
                if offset is not None and offset < end[place]
            }
            waiting = await _first_timestamps(consumer, begin, end)
        finally:
            await consumer.stop()
    return {
        place: LogFacts(
            first[place],
            end[place],
            end[place] - begin[place] if place in waiting else 0,
            waiting.get(place),
        )
        for place in places
    }


async def _first_timestamps(
    consumer: AIOKafkaConsumer,
    begin: Mapping[TopicPartition, int],
    end: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int | None]:
    """Per partition with a record from its offset on: that record's timestamp.

    Partitions that hold nothing there but the ends of transactions are left out.
    """
    for place in set(end) - set(begin):
        consumer.pause(place)
    for place, offset in begin.items():
        consumer.seek(place, offset)
    found: dict[TopicPartition, int | None] = dict.fromkeys(begin)
    asked = set(begin)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAITING_SECONDS
    while asked and loop.time() < deadline:
        batches = await consumer.getmany(timeout_ms=200, max_records=500)
        for place in list(asked):
            if batches.get(place):
                found[place] = batches[place][0].timestamp
            elif await consumer.position(place) >= end[place]:
                del found[place]
            else:
                continue
            consumer.pause(place)
            asked.remove(place)
    return found
