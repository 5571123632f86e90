"""The broker of a run, its topics, and what stands in them; by confluent-kafka."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka import admin as kafka_admin
from confluent_kafka.cimpl import NewTopic

from benchmarks.resources import Usage, children, descendants, usage
from benchmarks.workload import RawRecord
from riskstream.events.topics import ALL_TOPICS, RAW

__all__ = ["Broker", "BrokerKind", "running_broker", "send"]

BrokerKind = Literal["kafka", "embedded"]

SECONDS: Final = 60.0
QUIET: Final = {"log_level": 0}
"""A client that outlives its broker for a moment must not fill the terminal."""
NOT_YET: Final = frozenset(
    {"NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PART"}
)
# Its stub does not name it.
LATEST: Final = vars(kafka_admin)["OffsetSpec"].latest()
OURS: Final = {spec.name: spec.config for spec in ALL_TOPICS}


@dataclass
class Broker:
    """A running broker and how its clients reach it."""

    kind: BrokerKind
    bootstrap_servers: str
    pids: frozenset[int]
    """The broker's own processes."""
    admin: kafka_admin.AdminClient = field(init=False)

    def __post_init__(self) -> None:
        self.admin = kafka_admin.AdminClient({"bootstrap.servers": self.bootstrap_servers, **QUIET})

    def usage(self) -> Usage:
        """What the broker has used."""
        return usage(self.pids)

    def fresh_topics(self, partitions: int, extra: Mapping[str, Mapping[str, str]]) -> None:
        """Delete every topic, then create riskstream's and the contender's own, empty.

        Args:
            partitions: Of each topic.
            extra: Configuration by name of the topics that a contender needs besides.
        """
        stored = self.admin.list_topics(timeout=SECONDS).topics
        old = [name for name in stored if not name.startswith("__")]
        if old:
            _settle(self.admin.delete_topics(old, operation_timeout=SECONDS))
            self._wait_until_gone(old)
        wanted = [
            NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config))
            for name, config in {**OURS, **extra}.items()
        ]
        self._create(wanted)
        self._wait_for_leaders({topic.topic for topic in wanted}, partitions)

    def ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """The last stable offset of each partition."""
        stored = self.admin.list_topics(timeout=SECONDS).topics
        parts = [TopicPartition(name, part) for name in topics for part in stored[name].partitions]
        return self.ends_of(parts)

    def ends_of(self, parts: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The same for partitions that are known."""
        wanted = {TopicPartition(part.topic, part.partition): LATEST for part in parts}
        deadline = time.monotonic() + SECONDS
        while True:
            answers = self.admin.list_offsets(
                wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=SECONDS
            )
            try:
                return {part: answer.result().offset for part, answer in answers.items()}
            except KafkaException as fault:
                # A topic made a moment ago may not have its leader everywhere yet.
                if fault.args[0].name() not in NOT_YET or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def _create(self, wanted: list[NewTopic]) -> None:
        deadline = time.monotonic() + SECONDS
        while wanted:
            futures = self.admin.create_topics(wanted, operation_timeout=SECONDS)
            failed = {name for name, done in futures.items() if not _created(done, deadline)}
            wanted = [topic for topic in wanted if topic.topic in failed]
            if wanted:
                time.sleep(0.1)

    def _wait_until_gone(self, names: Iterable[str]) -> None:
        gone = set(names)
        deadline = time.monotonic() + SECONDS
        while gone & set(self.admin.list_topics(timeout=SECONDS).topics):
            if time.monotonic() > deadline:
                raise TimeoutError("topics were not deleted")
            time.sleep(0.05)

    def _wait_for_leaders(self, names: set[str], partitions: int) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            stored = self.admin.list_topics(timeout=SECONDS).topics
            parts = [
                part for name in names & set(stored) for part in stored[name].partitions.values()
            ]
            if len(parts) == partitions * len(names) and all(part.leader >= 0 for part in parts):
                return
            if time.monotonic() > deadline:
                raise TimeoutError("partitions without a leader")
            time.sleep(0.05)


@contextmanager
def running_broker(kind: BrokerKind) -> Iterator[Broker]:
    """Start the broker in a directory of its own; both are gone afterwards."""
    before = children(os.getpid())
    with tempfile.TemporaryDirectory(
        prefix="riskstream-bench-", ignore_cleanup_errors=True
    ) as directory:
        process = _broker(kind, Path(directory) / "broker")
        with process as started:
            guards = children(os.getpid()) - before
            yield Broker(kind, started.bootstrap_servers, frozenset(descendants(guards)))


def send(broker: Broker, records: Iterable[RawRecord], topic: str = RAW) -> None:
    """Write records to the raw topic and wait until the broker has them all.

    Raises:
        RuntimeError: Some were refused or not acknowledged.
    """
    faults: list[KafkaError] = []
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
        }
    )

    def note(fault: KafkaError | None, _message: object) -> None:
        if fault is not None:
            faults.append(fault)

    for number, record in enumerate(records):
        producer.produce(topic, value=record.value, key=record.key, on_delivery=note)
        if number % 1000 == 0:
            producer.poll(0)
    left = producer.flush(SECONDS)
    if left or faults:
        raise RuntimeError(f"{left} records not acknowledged, faults: {faults[:3]}")


def _broker(kind: BrokerKind, directory: Path) -> AbstractContextManager[Any]:
    # Imported here: only the one that is asked for has to be installed.
    if kind == "embedded":
        from riskstream.demo.broker import EmbeddedBroker  # noqa: PLC0415

        return EmbeddedBroker(data_dir=directory)
    from tests.support.apache_kafka import ApacheKafka  # noqa: PLC0415

    directory.mkdir(parents=True)
    return ApacheKafka(directory)


def _settle(futures: Mapping[str, object]) -> None:
    for future in futures.values():
        future.result()  # type: ignore[attr-defined]  # a concurrent.futures.Future, untyped there


def _created(future: object, deadline: float) -> bool:
    """Whether it is there. A name whose deletion is not done yet is refused for a moment."""
    try:
        future.result()  # type: ignore[attr-defined]
    except KafkaException as fault:
        if fault.args[0].name() != "TOPIC_ALREADY_EXISTS" or time.monotonic() > deadline:
            raise
        return False
    return True
