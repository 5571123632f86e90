"""Watching and counting what a contender writes."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from benchmarks.kafka import Broker
from riskstream.events.topics import DEAD_LETTER, SCORED

__all__ = ["OUTPUT_TOPICS", "Counted", "OutputWatch", "count_outputs"]

OUTPUT_TOPICS: Final = (*SCORED.values(), DEAD_LETTER)
READ_SECONDS: Final = 120.0


class OutputWatch:
    """Sums up the last stable offsets of the output topics.

    A sum is more than the number of records by the control records of transactions, so it says
    that something was committed, not how much; ``count_outputs`` does.
    """

    def __init__(self, broker: Broker, topics: Sequence[str] = OUTPUT_TOPICS) -> None:
        self._broker = broker
        self._parts = list(broker.ends(topics))

    def total(self) -> int:
        """The sum now."""
        return sum(self._broker.ends_of(self._parts).values())


class Counted(NamedTuple):
    """What a read_committed consumer finds."""

    outputs: int
    distinct: int
    """Different event ids among them; a dead letter counts as one of its own."""


def count_outputs(broker: Broker, topics: Sequence[str] = OUTPUT_TOPICS) -> Counted:
    """Read all output topics from the beginning to their present end.

    Raises:
        TimeoutError: An end was not reached, as when a transaction stays open.
    """
    ends = {part: end for part, end in broker.ends(topics).items() if end > 0}
    open_parts = {(part.topic, part.partition) for part in ends}
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "benchmarks-count",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "receive.message.max.bytes": 2_000_000_000,
        }
    )
    ids: set[object] = set()
    outputs = 0
    deadline = time.monotonic() + READ_SECONDS
    try:
        consumer.assign(
            [TopicPartition(part.topic, part.partition, OFFSET_BEGINNING) for part in ends]
        )
        while open_parts:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end of {sorted(open_parts)}")
            for message in consumer.consume(2000, timeout=0.2):
                place = (message.topic(), message.partition())
                fault = message.error()
                if fault is None:
                    outputs += 1
                    ids.add(_id(message.value()) or (*place, message.offset()))
                elif fault.name() == "_PARTITION_EOF":
                    open_parts.discard(place)
                else:
                    raise KafkaException(fault)
    finally:
        consumer.close()
    return Counted(outputs, len(ids))


def _id(value: bytes | None) -> object:
    try:
        parsed = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(parsed, dict):
        return None
    # The one-hop loop writes classified records, which carry the id among their facts.
    return parsed.get("id") or parsed.get("facts", {}).get("id")
