"""What tests do with a broker, by a client library that riskstream itself does not use."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

__all__ = [
    "Broker",
    "Stored",
    "consumer",
    "create_topics",
    "delete_everything",
    "end_offsets",
    "produce",
    "read_topic",
]

SECONDS = 30.0


class Broker(Protocol):
    """A broker under test: the embedded one or Apache Kafka."""

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``."""

    @property
    def running(self) -> bool:
        """Whether its process lives."""

    def start(self) -> object:
        """Start, or start again on the same port and data."""

    def stop(self) -> None:
        """End in good order."""

    def kill(self) -> None:
        """SIGKILL."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One record: what a test sends, and with its place what a test reads."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = ""
    partition: int = -1
    """-1 when sent: the client's partitioner chooses, murmur2 as in Java."""
    offset: int = field(default=-1, compare=False)
    timestamp: int = field(default=TIMESTAMP_NOT_AVAILABLE, compare=False)
    """Milliseconds; 0 when sent means now."""

    def header(self, name: str) -> str | None:
        """The first header of this name, as text."""
        return next((value.decode() for key, value in self.headers if key == name), None)


def create_topics(
    broker: Broker,
    partitions: Mapping[str, int],
    config: Mapping[str, str] | None = None,
) -> None:
    """Create topics and wait until their partitions have leaders."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    wanted = [
        NewTopic(name, num_partitions=count, replication_factor=1, config=dict(config or {}))
        for name, count in partitions.items()
    ]
    for future in admin.create_topics(wanted, request_timeout=SECONDS).values():
        future.result()
    for name, count in partitions.items():
        _wait_for_leaders(admin, name, count)


def delete_everything(broker: Broker) -> None:
    """Delete all topics and consumer groups but the broker's own."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    topics = [name for name in admin.list_topics(timeout=SECONDS).topics if name[:2] != "__"]
    if topics:
        for future in admin.delete_topics(topics, request_timeout=SECONDS).values():
            future.result()
    deadline = time.monotonic() + SECONDS
    while groups := [group.group_id for group in admin.list_consumer_groups().result().valid]:
        for future in admin.delete_consumer_groups(groups).values():
            try:
                future.result()
            except KafkaException as fault:
                # A static member stays for its session timeout after it has stopped.
                if fault.args[0].name() != "NON_EMPTY_GROUP" or time.monotonic() > deadline:
                    raise
        time.sleep(0.2)


def produce(broker: Broker, topic: str, records: Iterable[Stored]) -> int:
    """Send records and wait for all acknowledgements; the number sent."""
    faults: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
        }
    )
    sent = 0
    for record in records:
        producer.produce(
            topic,
            value=record.value,
            key=record.key,
            headers=list(record.headers),
            partition=record.partition,
            timestamp=max(record.timestamp, 0),
            on_delivery=lambda fault, _message: faults.append(str(fault)) if fault else None,
        )
        producer.poll(0)
        sent += 1
    left = producer.flush(SECONDS)
    if left or faults:
        raise RuntimeError(f"{left} records not acknowledged, faults: {faults[:3]}")
    return sent


@contextmanager
def consumer(broker: Broker, **settings: object) -> Iterator[Consumer]:
    """A consumer, closed at the end; read_committed unless told otherwise."""
    client = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "tests",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            # The embedded broker answers a fetch with all there is.
            "receive.message.max.bytes": 2_000_000_000,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
    )
    try:
        yield client
    finally:
        client.close()


def read_topic(
    broker: Broker,
    topic: str,
    *,
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
    timeout: float = SECONDS,
) -> list[Stored]:
    """All records that stand in a topic now, in order of partition and offset.

    Raises:
        TimeoutError: The end of a partition was not reached, as when a transaction stays open.
    """
    found: list[Stored] = []
    with consumer(broker, isolation_level=isolation) as client:
        ends = end_offsets(client, topic, timeout)
        client.assign([TopicPartition(topic, part, OFFSET_BEGINNING) for part in ends])
        open_parts = {part for part, end in ends.items() if end > 0}
        deadline = time.monotonic() + timeout
        while open_parts:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic}: no end of partitions {sorted(open_parts)}")
            for message in client.consume(1000, timeout=0.2):
                if message.error() is not None:
                    open_parts.discard(_ended_partition(message))
                else:
                    found.append(_stored(message))
    return sorted(found, key=lambda record: (record.partition, record.offset))


def end_offsets(client: Consumer, topic: str, timeout: float = SECONDS) -> dict[int, int]:
    """Per partition the offset after the last record that this consumer may read."""
    described = client.list_topics(topic, timeout=timeout).topics[topic]
    if described.error is not None:
        raise KafkaException(described.error)
    ends: dict[int, int] = {}
    for part in described.partitions:
        watermarks = client.get_watermark_offsets(TopicPartition(topic, part), timeout=timeout)
        ends[part] = watermarks[1]
    return ends


def _ended_partition(message: Message) -> int:
    error = message.error()
    if error is None or error.name() != "_PARTITION_EOF":
        raise KafkaException(error)
    return int(message.partition() or 0)


def _stored(message: Message) -> Stored:
    headers: Any = message.headers() or []
    return Stored(
        value=message.value(),
        key=message.key(),
        headers=tuple(headers),
        topic=message.topic() or "",
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        timestamp=message.timestamp()[1],
    )


def _wait_for_leaders(admin: AdminClient, topic: str, partitions: int) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions
        if len(found) == partitions and all(part.leader >= 0 for part in found.values()):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{topic}: partitions without a leader")
