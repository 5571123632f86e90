"""The contract of a broker that the rest of the tests rely on, on both brokers."""

from confluent_kafka import Producer

from tests.support.kafka import Broker, Stored, create_topics, produce, read_topic


def test_a_record_comes_back_as_it_was_sent(kafka_broker: Broker) -> None:
    """Key, value, headers and tombstones survive the broker."""
    create_topics(kafka_broker, {"plain": 1})
    sent = [
        Stored(b"value", b"key", (("a", b"1"), ("b", b"\xc3\xa9")), topic="plain", partition=0),
        Stored(None, b"key", topic="plain", partition=0),
    ]
    assert produce(kafka_broker, "plain", sent) == len(sent)
    found = read_topic(kafka_broker, "plain")
    assert [(r.key, r.value, r.headers, r.partition) for r in found] == [
        (r.key, r.value, r.headers, 0) for r in sent
    ]


def test_records_of_an_aborted_transaction_are_not_read(kafka_broker: Broker) -> None:
    """A read_committed reader sees the committed records alone."""
    create_topics(kafka_broker, {"transactions": 2})
    producer = Producer(
        {"bootstrap.servers": kafka_broker.bootstrap_servers, "transactional.id": "test-1"}
    )
    producer.init_transactions(30)
    for value, commit in ((b"1", True), (b"2", False), (b"3", True)):
        producer.begin_transaction()
        producer.produce("transactions", value, partition=1)
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    assert [record.value for record in read_topic(kafka_broker, "transactions")] == [b"1", b"3"]
    seen = read_topic(kafka_broker, "transactions", isolation="read_uncommitted")
    assert [record.value for record in seen] == [b"1", b"2", b"3"]


def test_each_test_gets_an_empty_broker(kafka_broker: Broker) -> None:
    """A topic name can be used anew by every test."""
    create_topics(kafka_broker, {"plain": 1, "transactions": 1})
    assert read_topic(kafka_broker, "plain") == []
    assert read_topic(kafka_broker, "transactions") == []
