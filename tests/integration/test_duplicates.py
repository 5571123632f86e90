"""Events that come twice, on a real broker: scored once, counted, over kills; and the purge."""

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
from confluent_kafka import TopicPartition

from riskstream.config import Settings
from riskstream.demo.stack import free_ports
from riskstream.events import topics
from riskstream.streaming.purge import Purger
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import (
    Broker,
    Stored,
    consumer,
    create_topics,
    delete_everything,
    produce,
    read_topic,
)
from tests.support.processes import Riskstream, run, wait_for
from tests.support.workload import Workload, make_workload, recount, rows_as_counts

EVENTS = 2000
PARTITIONS = 2
NAMES = ("received", "routed", "dead_lettered", "filtered")


def settings_of(broker: Broker, **more: str) -> dict[str, str]:
    """Of every command here."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "KAFKA__PARTITIONS": str(PARTITIONS),
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
        "HTTP__PORT": str(free_ports(2)),
        "LOG__FORMAT": "json",
        **more,
    }


@contextmanager
def running_worker(settings: dict[str, str], work_dir: Path) -> Iterator[Riskstream]:
    """A process for each role, ready on all partitions."""
    created = run(["topics", "create"], settings=settings)
    assert created.returncode == 0, created.stderr.decode()
    with Riskstream(["worker"], work_dir, settings=settings) as worker:
        wait_until_ready(worker)
        yield worker


def wait_until_ready(worker: Riskstream) -> None:
    """Both processes have recovered their partitions."""
    for port in (worker.http_port, worker.http_port + 1):
        wait_for(lambda port=port: worker.health("ready", port) == 200, 60, f"ready on {port}")


def metric(worker: Riskstream, name: str, **labels: str) -> float:
    """Sum over both processes; 0 for one that does not answer just now."""
    total = 0.0
    for port in (worker.http_port, worker.http_port + 1):
        try:
            total += worker.metric_sum(name, port, **labels)
        except OSError:
            continue
    return total


def scored(broker: Broker) -> Counter[str]:
    """Ids of all scored records, read_committed, with how often each is there."""
    return Counter(
        json.loads(record.value or b"")["id"]
        for name in topics.SCORED.values()
        for record in read_topic(broker, name)
    )


def wait_for_scored(broker: Broker, worker: Riskstream, wanted: int) -> None:
    """Until so many are there; a stalled worker's log is shown."""
    try:
        wait_for(lambda: scored(broker).total() >= wanted, 90, f"{wanted} scored records")
    except TimeoutError as fault:
        raise TimeoutError(f"{fault}; log:\n{worker.log[-6000:]}") from None


def wait_for_duplicates(worker: Riskstream, wanted: int) -> None:
    """Until so many are counted; a stalled worker's log is shown."""

    def enough() -> bool:
        counted = metric(worker, "riskstream_filtered_events_total", reason="duplicate")
        return counted >= wanted

    try:
        wait_for(enough, 90, f"{wanted} duplicates")
    except TimeoutError as fault:
        raise TimeoutError(f"{fault}; log:\n{worker.log[-6000:]}") from None


def check_once(broker: Broker, workload: Workload) -> None:
    """Each distinct event is scored once, and the failures table is a recount of them."""
    assert scored(broker) == Counter(f"1234:{event['id']}" for event in workload.events)
    told = run(
        ["tables", "failures", "--top", "0", "--format", "json"],
        settings={"KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers},
    )
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert rows_as_counts(rows) == recount(workload.events)


def test_events_sent_twice_are_scored_once_and_the_counters_agree(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """A webhook sent again: as many duplicates as events, and every event has one outcome."""
    workload = make_workload(EVENTS, seed=31, end=datetime.now(UTC))
    with running_worker(settings_of(kafka_broker), tmp_path) as worker:
        for _ in range(2):
            produce(kafka_broker, topics.RAW, workload.records)
        wait_for_duplicates(worker, len(workload.events))

        check_once(kafka_broker, workload)
        counts = {name: metric(worker, f"riskstream_{name}_events_total") for name in NAMES}
        assert counts == {
            "received": 2 * workload.outcomes,
            "routed": len(workload.events),
            "dead_lettered": 2 * workload.broken,
            "filtered": len(workload.events),
        }
        assert metric(worker, "riskstream_seen_ids") == len(workload.events)
        assert worker.stop() == 0


@pytest.mark.kafka
def test_a_killed_assess_still_knows_what_came_before(
    apache_kafka: ApacheKafka, tmp_path: Path
) -> None:
    """SIGKILL between the event and its repetition: the filter is filled from the log's tail."""
    delete_everything(apache_kafka)
    workload = make_workload(EVENTS, seed=32, end=datetime.now(UTC))
    with running_worker(settings_of(apache_kafka), tmp_path) as worker:
        produce(apache_kafka, topics.RAW, workload.records)
        wait_for_scored(apache_kafka, worker, len(workload.events))
        kill_assess(worker)
        produce(apache_kafka, topics.RAW, workload.records)
        wait_for_duplicates(worker, len(workload.events))

        filtered = metric(worker, "riskstream_filtered_events_total", reason="duplicate")
        assert filtered == len(workload.events)
        check_once(apache_kafka, workload)
        assert worker.stop() == 0


@pytest.mark.kafka
def test_a_kill_in_the_middle_of_the_repetitions_changes_nothing(
    apache_kafka: ApacheKafka, tmp_path: Path
) -> None:
    """SIGKILL while both copies are under way."""
    delete_everything(apache_kafka)
    workload = make_workload(10 * EVENTS, seed=33, end=datetime.now(UTC))
    with running_worker(settings_of(apache_kafka), tmp_path) as worker:
        produce(apache_kafka, topics.RAW, workload.records)
        produce(apache_kafka, topics.RAW, workload.records)
        kill_assess(worker)
        last = json.dumps({**workload.events[0], "id": 1, "event_type_id": 5}).encode()
        produce(apache_kafka, topics.RAW, [Stored(last, b"user", partition=p) for p in (0, 1)])
        wait_for_scored(apache_kafka, worker, len(workload.events) + 1)
        wait_until_idle(apache_kafka, worker)

        ids = scored(apache_kafka)
        assert ids.pop("1234:1") == 1
        assert ids == Counter(f"1234:{event['id']}" for event in workload.events)
        assert worker.stop() == 0


def kill_assess(worker: Riskstream) -> None:
    """SIGKILL to the assess process, and wait until the next one is ready."""
    before = assess_pids(worker)
    os.kill(before[-1], signal.SIGKILL)
    wait_for(lambda: len(assess_pids(worker)) > len(before), 60, "the next assess")
    wait_until_ready(worker)


def assess_pids(worker: Riskstream) -> list[int]:
    """Of all processes of that role so far."""
    return [
        int(found[1])
        for line in worker.log.splitlines()
        if "process_started" in line and "riskstream-assess-" in line
        if (found := re.search(r'"pid": ?(\d+)', line)) is not None
    ]


def wait_until_idle(broker: Broker, worker: Riskstream) -> None:
    """Nothing is left to read in either topic."""

    def idle() -> bool:
        lag = [
            metric(worker, "riskstream_consumer_lag_records"),
            metric(worker, "riskstream_consumer_lag_records"),
        ]
        return lag == [0.0, 0.0]

    wait_for(idle, 90, f"no lag on {broker.bootstrap_servers}")


def log_starts(broker: Broker, topic: str, partitions: int = PARTITIONS) -> list[int]:
    """First offset of each partition."""
    with consumer(broker) as client:
        return [
            client.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[0]
            for number in range(partitions)
        ]


def committed(broker: Broker) -> list[int]:
    """What assess has committed of each partition of the classified topic."""
    with consumer(broker, group_id="riskstream-assess") as client:
        wanted = [TopicPartition(topics.CLASSIFIED, number) for number in range(PARTITIONS)]
        return [found.offset for found in client.committed(wanted, timeout=30)]


@pytest.mark.kafka
def test_the_log_is_purged_up_to_the_filter_and_a_restart_goes_on(
    apache_kafka: ApacheKafka, tmp_path: Path
) -> None:
    """The newest ids are still known after it, and nothing is lost or scored twice."""
    delete_everything(apache_kafka)
    workload = make_workload(10_000, seed=34, end=datetime.now(UTC))
    settings = settings_of(apache_kafka, DUPLICATES__MAX_IDS_PER_PARTITION="300")
    newest = [record for record in workload.records[-40:] if (record.value or b"")[:5] == b'{"id"']
    older = [record for record in workload.records if record not in newest]
    with running_worker(settings, tmp_path) as worker:
        produce(apache_kafka, topics.RAW, older)
        wait_for_scored(apache_kafka, worker, len(workload.events) - len(newest))
        produce(apache_kafka, topics.RAW, newest)
        wait_for_scored(apache_kafka, worker, len(workload.events))
        assert worker.stop() == 0

        worker.start()
        wait_until_ready(worker)
        wait_for(
            lambda: min(log_starts(apache_kafka, topics.CLASSIFIED)) > 0, 60, "a purge of both"
        )
        for start, offset in zip(
            log_starts(apache_kafka, topics.CLASSIFIED), committed(apache_kafka), strict=True
        ):
            assert start <= (offset // 100 - 2) * 100
        assert worker.stop() == 0

        worker.start()
        wait_until_ready(worker)
        produce(apache_kafka, topics.RAW, newest)
        wait_for_duplicates(worker, len(newest))

        check_once(apache_kafka, workload)
        assert worker.stop() == 0


@pytest.mark.kafka
def test_without_the_filter_all_that_is_committed_may_go(
    apache_kafka: ApacheKafka, tmp_path: Path
) -> None:
    """The log then starts at the committed offset, where the next worker goes on."""
    delete_everything(apache_kafka)
    workload = make_workload(EVENTS, seed=35, end=datetime.now(UTC))
    settings = settings_of(apache_kafka, DUPLICATES__ENABLED="false")
    with running_worker(settings, tmp_path) as worker:
        produce(apache_kafka, topics.RAW, workload.records)
        wait_for_scored(apache_kafka, worker, len(workload.events))
        assert worker.stop() == 0

        worker.start()
        wait_until_ready(worker)
        wait_for(
            lambda: log_starts(apache_kafka, topics.CLASSIFIED) == committed(apache_kafka),
            60,
            "a purge up to the commit",
        )
        assert worker.stop() == 0

        worker.start()
        wait_until_ready(worker)
        produce(apache_kafka, topics.RAW, workload.records)
        wait_for_scored(apache_kafka, worker, 2 * len(workload.events))
        assert set(scored(apache_kafka).values()) == {2}
        assert worker.stop() == 0


async def test_a_purger_moves_the_start_of_the_log_and_asks_for_nothing_twice(
    kafka_broker: Broker,
) -> None:
    """On both brokers; on a topic that is compacted, both refuse, which ends it."""
    create_topics(kafka_broker, {"log": 2})
    create_topics(kafka_broker, {"table": 1}, {"cleanup.policy": "compact"})
    produce(kafka_broker, "log", [Stored(b"x", partition=n % 2) for n in range(20)])
    produce(kafka_broker, "table", [Stored(b"x", b"k") for _ in range(5)])
    kafka = Settings(kafka={"bootstrap_servers": kafka_broker.bootstrap_servers}).kafka
    asked: list[dict[int, int]] = [{0: 4, 1: 0}, {0: 4, 1: 3}, {}]
    purger = Purger(kafka, "log", lambda: asked.pop(0))

    assert await purger.purge()
    assert log_starts(kafka_broker, "log") == [4, 0]
    assert await purger.purge()
    assert log_starts(kafka_broker, "log") == [4, 3]
    assert await purger.purge()
    assert not await Purger(kafka, "table", lambda: {0: 3}).purge()
