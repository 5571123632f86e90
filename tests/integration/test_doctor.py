"""``riskstream doctor`` asking a real broker."""

import json
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from riskstream.contract.acls import roles
from riskstream.events.topics import CLASSIFIED, FAILURES, RAW, SCORED
from riskstream.events.vocabulary import Category
from riskstream.streaming.probe import PROBE_PREFIX
from tests.support.cli import invoke, mixed_file, ndjson, one_event, store_lines
from tests.support.kafka import Broker, Stored, consumer, delete_everything, produce
from tests.support.processes import run
from tests.support.secure_kafka import SecureKafka

SCORED_USERS = SCORED[Category.USERS]


def _doctor(broker: Broker, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and each finding by what was looked at."""
    done = invoke("doctor", "-b", broker.bootstrap_servers, "--format", "json", *arguments)
    return done.exit_code, {one["check"]: one for one in json.loads(done.stdout)}


def _create_topics(broker: Broker) -> None:
    assert invoke("topics", "create", "-b", broker.bootstrap_servers).exit_code == 0


def test_a_new_broker_lacks_topics_and_nothing_else(kafka_broker: Broker) -> None:
    """Exit 1 with the command that makes them; then only warnings, and exit 0."""
    code, found = _doctor(kafka_broker)
    assert code == 1
    assert [name for name, one in found.items() if one["judgement"] == "fail"] == ["topics"]
    assert found["topics"]["cure"] == "riskstream topics create"
    _create_topics(kafka_broker)
    code, found = _doctor(kafka_broker)
    assert code == 0
    assert found["group riskstream-ingest"]["judgement"] == "warn"


def test_a_trial_transaction_leaves_nothing_behind(kafka_broker: Broker) -> None:
    """Committed and aborted work is told apart, the clock is measured, the topic is gone."""
    _create_topics(kafka_broker)
    code, found = _doctor(kafka_broker, "--probe")
    assert code == 0
    assert found["trial transaction"]["judgement"] == "ok"
    assert found["clock"]["judgement"] == "ok"
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers})
    names = admin.list_topics(timeout=10).topics
    assert not [name for name in names if name.startswith(PROBE_PREFIX)]


def test_lag_and_lost_offsets_are_seen(kafka_broker: Broker) -> None:
    """Records that nobody reads wait; offsets beyond the log's end stop a worker."""
    _create_topics(kafka_broker)
    event = json.dumps(one_event(1)).encode()
    produce(kafka_broker, RAW, [Stored(event, partition=0) for _ in range(5)])
    with consumer(kafka_broker, group_id="riskstream-ingest") as client:
        client.commit(offsets=[TopicPartition(RAW, 0, 2)], asynchronous=False)
    code, found = _doctor(kafka_broker)
    assert code == 0
    assert "3 records wait, the oldest for" in found["group riskstream-ingest"]["detail"]
    with consumer(kafka_broker, group_id="riskstream-ingest") as client:
        client.commit(offsets=[TopicPartition(RAW, 0, 99)], asynchronous=False)
    code, found = _doctor(kafka_broker)
    assert code == 1
    assert "beyond the end" in found["group riskstream-ingest"]["detail"]


def test_rows_without_an_offset_are_seen(kafka_broker: Broker) -> None:
    """As a worker would refuse to start."""
    _create_topics(kafka_broker)
    produce(kafka_broker, FAILURES, [Stored(b"{}", b"1234:7", partition=2)])
    code, found = _doctor(kafka_broker)
    assert code == 1
    assert f"{CLASSIFIED}-2 have rows" in found["group riskstream-assess"]["detail"]
    assert "not by failures_row.v1" in found["schemas"]["detail"]


def test_what_is_written_by_somebody_else_is_seen(kafka_broker: Broker) -> None:
    """Records by the schemas are good; one that is not is named with its place."""
    _create_topics(kafka_broker)
    store_lines(kafka_broker, ndjson(invoke("score", "-", stdin=mixed_file(1)).stdout))
    code, found = _doctor(kafka_broker)
    assert code == 0
    assert found["schemas"]["judgement"] == "ok"
    assert found["clock"]["judgement"] == "ok"
    produce(kafka_broker, SCORED_USERS, [Stored(b'{"id": 7}', b"1234:7", partition=0)])
    code, found = _doctor(kafka_broker)
    assert code == 1
    assert SCORED_USERS in found["schemas"]["detail"]
    assert found["schemas"]["cure"].endswith(f"--topic {SCORED_USERS}` shows all")


@pytest.mark.kafka
def test_apache_kafka_tells_its_version_and_our_rights(apache_kafka: Broker) -> None:
    """By its features, and by the operations that our principal may do."""
    delete_everything(apache_kafka)
    _create_topics(apache_kafka)
    _code, found = _doctor(apache_kafka)
    assert "Apache Kafka 4.3" in found["kafka version"]["detail"]
    assert found["rights"]["judgement"] == "ok"


def test_no_broker_is_a_finding() -> None:
    """What needs no Kafka is looked at all the same."""
    done = invoke("doctor", "-b", "127.0.0.1:1", "--format", "json")
    found = {one["check"]: one["judgement"] for one in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert found["kafka"] == "fail"
    assert found["policy"] == "ok"


@pytest.mark.kafka
def test_a_worker_s_user_is_told_what_it_may_not_do(secure_kafka: SecureKafka) -> None:
    """As the user that the worker runs as: its rights suffice for the look, and each counts."""
    acls = roles()["worker-ingest"].acls
    settings = secure_kafka.scram("worker-ingest")
    arguments = ["doctor", "--role", "ingest", "--format", "json"]

    def look() -> tuple[int, dict[str, Any]]:
        done = run(arguments, settings=settings)
        return done.returncode, {one["check"]: one for one in json.loads(done.stdout)}

    code, found = look()
    assert code == 0, [one for one in found.values() if one["judgement"] == "fail"]
    assert found["rights"]["judgement"] == "ok"
    assert found["broker settings"]["judgement"] == "skipped"
    for acl in acls:
        secure_kafka.deny("worker-ingest", [acl])
        try:
            code, found = look()
        finally:
            secure_kafka.allow("worker-ingest", [acl])
        assert code == 1
        assert f"no {acl.operation} on {acl.resource} {acl.name}" in found["rights"]["detail"]
