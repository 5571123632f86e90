"""Reads all topics read_committed and says what is not as promised.

It shares no code with riskstream: confluent-kafka, the standard library, and ``recount``. What it
expects comes from the raw topic alone, so the program that feeds cannot mislead it.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.support.checks import check_exactly_once, check_nothing_lost
from tests.support.recount import Kinds
from tests.support.seen import CLASSIFIED, RAW, WRITTEN, Record, Seen

__all__ = ["Progress", "Verifier"]

PASSING = {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT"}
"""Errors of a broker that is away for a while."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the outcomes are."""

    expected: int
    outcomes: int
    waiting: int
    """Repetitions and effects that no worker has come to yet."""

    @property
    def complete(self) -> bool:
        """Every event has an outcome, everything sent was looked at."""
        return self.outcomes >= self.expected and not self.waiting


class Verifier:
    """Follows the topics, and checks on demand. Reads each record once.

    Args:
        bootstrap_servers: The broker.
        catalog: The catalog's data file.
        policy: The policy's file.
        app_id: Prefix of the workers' consumer groups.
        exactly_once: Else repetitions are no findings, nor what follows from them: what counts
            is that nothing is lost.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        catalog: Path,
        policy: Path,
        app_id: str,
        *,
        exactly_once: bool = True,
    ) -> None:
        self._exactly_once = exactly_once
        self._bootstrap = bootstrap_servers
        self._groups = {RAW: f"{app_id}-ingest", CLASSIFIED: f"{app_id}-assess"}
        self._seen = Seen(Kinds.read(catalog, policy))
        self._ends: dict[tuple[str, int], int] = {}
        """Where each partition was last read to its end."""
        self._digests: dict[tuple[str, int, int], int] = {}
        self.reread = 0
        """Records that the client handed out a second time, from the same place."""
        self._consumer = self._client(
            f"{app_id}-verifier", **{"enable.partition.eof": True, "fetch.wait.max.ms": 50}
        )
        # Apart from the one that fetches: its questions would wait behind each fetch.
        self._stable = self._client(f"{app_id}-verifier")
        self._plain = self._client(f"{app_id}-verifier", **{"isolation.level": "read_uncommitted"})
        self._partitions = self._find_partitions()
        self._consumer.assign(
            [TopicPartition(topic, part, OFFSET_BEGINNING) for topic, part in self._partitions]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in (self._consumer, self._stable, self._plain):
            client.close()

    # Reading

    def catch_up(self, timeout: float = 60.0) -> None:
        """Read every partition to its last stable offset of now.

        Raises:
            TimeoutError: The broker gave less than it says it has.
        """
        targets = {part: _end(self._stable, part, timeout) for part in self._partitions}
        deadline = time.monotonic() + timeout
        while any(self._ends.get(part, 0) < end for part, end in targets.items()):
            if time.monotonic() > deadline:
                behind = {
                    part: (self._ends.get(part, 0), end)
                    for part, end in targets.items()
                    if self._ends.get(part, 0) < end
                }
                raise TimeoutError(f"not read to the last stable offset: {behind}")
            for message in self._consumer.consume(5000, timeout=0.2):
                self._take(message)

    def tally(self) -> dict[str, int]:
        """How much was there to be checked, by what it is."""
        return self._seen.tally()

    def progress(self) -> Progress:
        """Counts over what was read; reads the committed offsets of assess."""
        seen = self._seen
        expected = len(seen.places) + len(seen.broken)
        outcomes = len(seen.scored) + len(seen.dead)
        waiting = len(seen.events) - len(seen.classified)
        if outcomes < expected or waiting:
            return Progress(expected, outcomes, waiting)
        committed = self.committed(CLASSIFIED)
        waiting = sum(
            offset >= committed.get(part, 0)
            for records in (seen.classified, seen.effects)
            for positions in records.values()
            for part, offset in positions
        )
        return Progress(expected, outcomes, waiting)

    def _take(self, message: Message) -> None:
        topic, part, offset = message.topic() or "", message.partition(), message.offset()
        error = message.error()
        if part is None or offset is None:
            raise KafkaException(error)
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                self._ends[topic, part] = offset
            elif not error.retriable() and error.name() not in PASSING:
                raise KafkaException(f"{topic}-{part}: {error}")
            return
        again = offset < self._ends.get((topic, part), 0)
        self._ends[topic, part] = max(self._ends.get((topic, part), 0), offset + 1)
        self._check_same(topic, part, offset, message)
        if again:
            self.reread += 1  # the client steps back at times when a broker comes back
            return
        headers: Any = message.headers() or []
        self._seen.take(
            Record(
                topic,
                part,
                offset,
                message.key(),
                message.value(),
                dict(headers),
                message.timestamp()[1],
            )
        )

    def _check_same(self, topic: str, part: int, offset: int, message: Message) -> None:
        """A record that was there once must stay as it was."""
        digest = hash((message.key(), message.value()))
        if self._digests.setdefault((topic, part, offset), digest) != digest:
            self._seen.faults.append(f"{topic}-{part} at {offset} is not what it was")

    # Checking

    def check(self, *, complete: bool = True) -> list[str]:
        """All findings over what was read; empty when every promise holds.

        Args:
            complete: Every event must have an outcome. Otherwise, with all workers dead and no
                transaction open, exactly those below the committed offsets must have one.
        """
        if not self._exactly_once:
            return check_nothing_lost(self._seen)
        if complete:
            return check_exactly_once(self._seen, None, None)
        return check_exactly_once(self._seen, self.committed(RAW), self.committed(CLASSIFIED))

    def open_transactions(self, timeout: float, topics: Collection[str] = WRITTEN) -> list[str]:
        """Wait until the last stable offset is the end everywhere; what stays open after that."""
        deadline = time.monotonic() + timeout
        while True:
            found = [
                f"{topic}-{part}: last stable offset {stable}, end {end}"
                for topic, part in self._partitions
                if topic in topics
                if (stable := _end(self._stable, (topic, part)))
                < (end := _end(self._plain, (topic, part)))
            ]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def committed(self, topic: str, timeout: float = 30.0) -> dict[int, int]:
        """Committed offset of the topic's group, by partition; absent where there is none."""
        client = self._client(self._groups[topic])
        try:
            wanted = [
                TopicPartition(topic, part) for name, part in self._partitions if name == topic
            ]
            found = client.committed(wanted, timeout=timeout)
            return {tp.partition: tp.offset for tp in found if tp.offset >= 0}
        finally:
            client.close()

    def _find_partitions(self) -> list[tuple[str, int]]:
        described = self._consumer.list_topics(timeout=30.0).topics
        return [(topic, part) for topic in (RAW, *WRITTEN) for part in described[topic].partitions]

    def _client(self, group: str, **settings: object) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "receive.message.max.bytes": 2_000_000_000,
                "log_level": 0,  # a broker that dies is part of the plan
                **settings,
            }
        )


def _end(client: Consumer, part: tuple[str, int], timeout: float = 30.0) -> int:
    """The end of a partition for this client: the last stable offset where it reads so."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            watermarks = client.get_watermark_offsets(TopicPartition(*part), timeout=10.0)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return int(watermarks[1])
