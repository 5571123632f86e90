"""A transaction of the shell's, on both brokers."""

import time

import pytest
from aiokafka import TopicPartition
from aiokafka.producer.sender import Sender as AiokafkaSender
from confluent_kafka import TopicPartition as Part

from riskstream.config import KafkaSettings
from riskstream.events.record import Output
from riskstream.streaming.transactional import TransactionalUnit
from tests.support.kafka import Broker, consumer, create_topics, produce, read_topic
from tests.support.kafka import Stored as Record

SOURCE = TopicPartition("source", 0)
GROUP = "readers"


async def test_records_rows_and_offset_are_committed_together(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what changes a transaction in the broker is granted once each, one after the other.

    All partitions at once, and the group when the records are there; see ``commit``.
    """
    granted: list[object] = []
    add_partitions = AiokafkaSender._do_add_partitions_to_txn
    add_offsets = AiokafkaSender._do_add_offsets_to_txn

    async def partitions(self: AiokafkaSender, tps: set[TopicPartition]) -> bool:
        asked = len(tps)
        done: bool = await add_partitions(self, tps)
        if done:
            granted.append(asked)
        return done

    async def offsets(self: AiokafkaSender, group: str) -> bool:
        done: bool = await add_offsets(self, group)
        if done:
            granted.append(group)
        return done

    monkeypatch.setattr(AiokafkaSender, "_do_add_partitions_to_txn", partitions)
    monkeypatch.setattr(AiokafkaSender, "_do_add_offsets_to_txn", offsets)
    now = int(time.time() * 1000)
    create_topics(kafka_broker, {"source": 1, "out": 2, "rows": 1})
    produce(kafka_broker, "source", [Record(b"%d" % n) for n in range(3)])
    unit = TransactionalUnit(
        KafkaSettings(bootstrap_servers=kafka_broker.bootstrap_servers),
        transactional_id="test-0",
        group=GROUP,
    )
    await unit.open()
    try:
        for n in range(1, 4):
            written = await unit.commit(
                [Output("out", b"key %d" % n, b"value %d" % n, (), now)],
                [Output("rows", b"key", b"row %d" % n, (), now)],
                SOURCE,
                n,
            )
            assert written["rows"] > n - 1
            # The first also asks where the topics are, one by one.
            assert n == 1 or granted == [2, GROUP]
            granted.clear()
    finally:
        await unit.close()

    values = sorted(record.value or b"" for record in read_topic(kafka_broker, "out"))
    assert values == [b"value 1", b"value 2", b"value 3"]
    assert [record.value for record in read_topic(kafka_broker, "rows")][-1] == b"row 3"
    with consumer(kafka_broker, **{"group.id": GROUP}) as client:
        assert client.committed([Part("source", 0)], timeout=30)[0].offset == 3
