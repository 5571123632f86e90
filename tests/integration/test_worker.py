"""The worker on a real broker: exactly as many outcomes as events, and tables that add up."""

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from riskstream.demo.stack import free_ports
from riskstream.events import topics
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import Broker, Stored, consumer, delete_everything, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.workload import Workload, make_workload, recount, rows_as_counts

EVENTS = 50_000
PROCESSES = 4
"""Two workers, a process for each role."""


@contextmanager
def running_worker(
    broker: Broker, work_dir: Path, guarantee: str = "exactly_once"
) -> Iterator[Riskstream]:
    """Topics with four partitions, and ``worker --workers 2`` ready on all of them."""
    settings = {
        "WORKER__PROCESSING_GUARANTEE": guarantee,
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(PROCESSES)),
        "LOG__FORMAT": "json",
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    }
    created = run(["topics", "create", "--partitions", "4"], settings=settings)
    assert created.returncode == 0, created.stderr.decode()
    with Riskstream(["worker", "--workers", "2"], work_dir, settings=settings) as worker:
        ports = range(worker.http_port, worker.http_port + PROCESSES)
        for port in ports:
            wait_for(lambda port=port: worker.health("ready", port) == 200, 60, f"ready on {port}")
        yield worker


def scored(broker: Broker) -> list[Stored]:
    """All scored records."""
    return [record for name in topics.SCORED.values() for record in read_topic(broker, name)]


def wait_for_outcomes(
    broker: Broker, worker: Riskstream, workload: Workload, timeout: float
) -> None:
    """Wait until every event has an outcome; a stalled worker's log is shown."""
    ids, dead = set[bytes](), 0

    def all_there() -> bool:
        nonlocal dead
        for message in client.consume(10_000, timeout=0.5):
            if message.error() is None and message.topic() == topics.DEAD_LETTER:
                dead += 1
            elif message.error() is None:
                ids.add(dict(message.headers() or [])["ce_id"])
        return len(ids) >= len(workload.events) and dead >= workload.broken

    with consumer(broker, group_id="outcomes") as client:
        names = [*topics.SCORED.values(), topics.DEAD_LETTER]
        parts = [
            TopicPartition(name, part, OFFSET_BEGINNING) for name in names for part in range(4)
        ]
        client.assign(parts)
        try:
            wait_for(all_there, timeout, f"{workload.outcomes} outcomes")
        except TimeoutError as fault:
            found = f"{len(ids)} events and {dead} dead letters"
            raise TimeoutError(f"{fault}, but {found}; log:\n{worker.log[-6000:]}") from None


def check_outcomes(broker: Broker, workload: Workload) -> None:
    """Every event has exactly one outcome; the failures table equals a recount."""
    ids = Counter(json.loads(record.value or b"")["id"] for record in scored(broker))
    wanted = {f"1234:{event['id']}" for event in workload.events}
    assert set(ids) == wanted
    assert [name for name, count in ids.items() if count > 1] == []
    assert len(read_topic(broker, topics.DEAD_LETTER)) == workload.broken
    settings = {"KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers}
    told = run(["tables", "failures", "--top", "0", "--format", "json"], settings=settings)
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert rows_as_counts(rows) == recount(workload.events)


def test_every_event_has_one_outcome_and_the_counters_agree(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """50,000 events over four partitions with two workers: as many outcomes, and a clean stop."""
    workload = make_workload(EVENTS, seed=11, end=datetime.now(UTC))
    with running_worker(kafka_broker, tmp_path) as worker:
        produce(kafka_broker, topics.RAW, workload.records)
        wait_for_outcomes(kafka_broker, worker, workload, 120)

        check_outcomes(kafka_broker, workload)
        totals = totals_of(worker)
        assert totals["received"] == workload.outcomes
        assert totals["received"] == totals["routed"] + totals["dead_lettered"] + totals["filtered"]

        assert worker.stop() == 0


def totals_of(worker: Riskstream) -> Counter[str]:
    """The counters of events, summed over the processes."""
    totals = Counter[str]()
    for port in range(worker.http_port, worker.http_port + PROCESSES):
        for name in ("received", "routed", "dead_lettered", "filtered"):
            totals[name] += int(worker.metric_sum(f"riskstream_{name}_events_total", port))
    return totals


def test_at_least_once_loses_nothing(kafka_broker: Broker, tmp_path: Path) -> None:
    """Without transactions every event has an outcome; it may have several after a rebalance."""
    workload = make_workload(EVENTS // 5, seed=14, end=datetime.now(UTC))
    with running_worker(kafka_broker, tmp_path, "at_least_once") as worker:
        produce(kafka_broker, topics.RAW, workload.records)
        wait_for_outcomes(kafka_broker, worker, workload, 120)

        assert worker.stop() == 0

    ids = {json.loads(record.value or b"")["id"] for record in scored(kafka_broker)}
    assert ids == {f"1234:{event['id']}" for event in workload.events}


def test_another_client_filters_by_header_alone(kafka_broker: Broker, tmp_path: Path) -> None:
    """A group of another library takes what is not No by its header, and reads its JSON."""
    workload = make_workload(2000, seed=12, end=datetime.now(UTC), users=20)
    with running_worker(kafka_broker, tmp_path) as worker:
        produce(kafka_broker, topics.RAW, workload.records)
        wait_for_outcomes(kafka_broker, worker, workload, 60)

    found = []
    with consumer(kafka_broker, group_id="siem") as client:
        client.subscribe([topics.SCORED_PATTERN])
        seen = wait_for_messages(client, len(workload.events))
    for message in seen:
        headers = dict(message.headers() or [])
        if headers["risk_level"] != b"no":
            found.append((headers, json.loads(message.value() or b"")))

    assert found
    assert all(event["risk"]["level"] == headers["risk_level"].decode() for headers, event in found)
    assert all(event["risk"]["score"] > 4 for _, event in found)
    assert {headers["content-type"] for headers, _ in found} == {b"application/json"}


def wait_for_messages(client: Consumer, wanted: int) -> list[Message]:
    """Consume until so many messages have come."""
    found: list[Message] = []

    def enough() -> bool:
        messages = client.consume(1000, timeout=0.5)
        found.extend(message for message in messages if message.error() is None)
        return len(found) >= wanted

    wait_for(enough, 60, f"{wanted} messages for the second group")
    return found


@pytest.mark.kafka
@pytest.mark.parametrize("role", ["ingest", "assess"])
def test_a_killed_worker_loses_and_repeats_nothing(
    apache_kafka: ApacheKafka, tmp_path: Path, role: str
) -> None:
    """SIGKILL of one process half-way; it is started again, and still exactly as many."""
    delete_everything(apache_kafka)
    workload = make_workload(EVENTS, seed=13, end=datetime.now(UTC))
    half = len(workload.records) // 2
    with running_worker(apache_kafka, tmp_path) as worker:
        produce(apache_kafka, topics.RAW, workload.records[:half])
        victim = pid_of(worker.log, f"riskstream-{role}-worker-1")
        os.kill(victim, signal.SIGKILL)
        produce(apache_kafka, topics.RAW, workload.records[half:])
        wait_for_outcomes(apache_kafka, worker, workload, 180)

        assert pid_of(worker.log, f"riskstream-{role}-worker-1") != victim
        check_outcomes(apache_kafka, workload)
        assert worker.stop() == 0


def pid_of(log: str, member: str) -> int:
    """The newest process of a member, as the supervisor's log tells."""
    started = [line for line in log.splitlines() if "process_started" in line and member in line]
    found = re.search(r'"pid": ?(\d+)', started[-1])
    assert found, started[-1]
    return int(found[1])
