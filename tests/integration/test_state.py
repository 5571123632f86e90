"""State on disk: restarts read the tail, what is lost is rebuilt, a full disk stops and no more."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riskstream.demo.stack import free_ports
from riskstream.events import topics
from riskstream.pipeline.store import TABLES
from riskstream.streaming.disk import DiskMemory, DiskStore
from tests.integration.test_worker import (
    check_outcomes,
    pid_of,
    wait_for_outcomes,
)
from tests.support.kafka import Broker, Stored, consumer, end_offsets, produce, read_topic
from tests.support.processes import Riskstream, command_path, run, wait_for
from tests.support.workload import Workload, make_workload

EVENTS = 8000


@contextmanager
def worker_with_disk(
    broker: Broker, work_dir: Path, *, command: Path | None = None
) -> Iterator[Riskstream]:
    """One process per role, its state in ``work_dir/riskstream-state``; not waited for."""
    settings = {
        "STATE__STORE": "rocksdict",
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(2)),
        "LOG__FORMAT": "json",
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    }
    run(["topics", "create", "--partitions", "4"], settings=settings)
    with Riskstream(["worker"], work_dir, settings=settings, command=command) as worker:
        yield worker


def settle(broker: Broker, worker: Riskstream, workload: Workload) -> None:
    """Wait until every event has an outcome."""
    for port in (worker.http_port, worker.http_port + 1):
        wait_for(lambda port=port: worker.health("ready", port) == 200, 60, f"ready on {port}")
    wait_for_outcomes(broker, worker, workload, 90)


def told(log: str, event: str) -> list[dict[str, Any]]:
    """Every log line of an event."""
    lines = [line for line in log.splitlines() if f'"{event}"' in line]
    return [json.loads(line[line.index("{") :]) for line in lines]


def changelog_length(broker: Broker) -> int:
    """Offsets in all changelogs."""
    with consumer(broker) as client:
        return sum(sum(end_offsets(client, topic).values()) for topic in TABLES)


def positions_in(state: Path) -> dict[tuple[str, int], int]:
    """By changelog and partition, the position up to which a stopped worker's stores stand."""
    memory, positions = DiskMemory(8_388_608), dict[tuple[str, int], int]()
    for path in state.glob("riskstream/assess-*"):
        store = DiskStore(path, memory)
        number = int(path.name.partition("-")[2])
        positions |= {(topic, number): at for topic, at in store.checkpoint.changelog.items() if at}
        store.close()
    return positions


def last_rows(broker: Broker) -> dict[tuple[str, int], int]:
    """By changelog and partition, the offset after its last row; markers may follow it."""
    return {
        (topic, record.partition): record.offset + 1
        for topic in TABLES
        for record in read_topic(broker, topic)
    }


def halves(workload: Workload) -> tuple[Workload, Workload]:
    """What is sent first, and what is sent after it."""
    half = len(workload.records) // 2
    first = _part(workload.records[:half])
    second = _part(workload.records[half:])
    assert first.outcomes + second.outcomes == workload.outcomes
    return first, second


def _part(records: list[Stored]) -> Workload:
    events: list[dict[str, Any]] = []
    broken = 0
    for record in records:
        try:
            found = json.loads(record.value or b"")
        except ValueError:
            broken += 1
        else:
            events += found if isinstance(found, list) else [found]
    return Workload(records, events, broken)


def test_a_killed_worker_reads_the_tail_alone(kafka_broker: Broker, tmp_path: Path) -> None:
    """SIGKILL under load: what it takes in again is a small part of the changelogs."""
    workload = make_workload(EVENTS, seed=21, end=datetime.now(UTC))
    first, second = halves(workload)
    with worker_with_disk(kafka_broker, tmp_path) as worker:
        produce(kafka_broker, topics.RAW, first.records)
        settle(kafka_broker, worker, first)
        length = changelog_length(kafka_broker)
        produce(kafka_broker, topics.RAW, second.records)
        os.kill(pid_of(worker.log, "riskstream-assess-worker-0"), signal.SIGKILL)
        wait_for_outcomes(kafka_broker, worker, workload, 120)

        check_outcomes(kafka_broker, workload)
        kept = told(worker.log, "state_kept")
        read = told(worker.log, "recovery_completed")[1:]
        assert kept or read
        assert all(again["records"] < length / 2 for again in read)
        assert [
            again for again in told(worker.log, "recovery_started")[1:] if again["rebuilt"]
        ] == []
        assert worker.stop() == 0


def test_an_older_directory_catches_up_and_a_deleted_one_is_rebuilt(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """A copy restored from before; then none; the tables are exact and the metrics say so."""
    workload = make_workload(EVENTS, seed=22, end=datetime.now(UTC))
    first, second = halves(workload)
    state, copy = tmp_path / "riskstream-state", tmp_path / "copy"
    with worker_with_disk(kafka_broker, tmp_path) as worker:
        produce(kafka_broker, topics.RAW, first.records)
        settle(kafka_broker, worker, first)
        assert worker.stop() == 0
        shutil.copytree(state, copy)
        assert positions_in(state) == last_rows(kafka_broker)
        length = changelog_length(kafka_broker)

        produce(kafka_broker, topics.RAW, second.records)
        worker.start()
        settle(kafka_broker, worker, workload)
        assert len(told(worker.log, "state_kept")) == 1
        keys = worker.metric_sum("riskstream_table_keys", worker.http_port + 1)
        assert worker.stop() == 0

        shutil.rmtree(state)
        copy.rename(state)
        worker.start()
        settle(kafka_broker, worker, workload)
        tail = changelog_length(kafka_broker) - length
        assert 0 < told(worker.log, "recovery_completed")[-1]["records"] <= tail
        assert told(worker.log, "recovery_started")[-1]["rebuilt"] == []
        assert worker.metric_sum("riskstream_table_keys", worker.http_port + 1) == keys
        assert worker.stop() == 0

        shutil.rmtree(state)
        worker.start()
        settle(kafka_broker, worker, workload)
        assert told(worker.log, "recovery_started")[-1]["rebuilt"] == [0, 1, 2, 3]
        assert worker.metric_sum("riskstream_table_keys", worker.http_port + 1) == keys
        check_outcomes(kafka_broker, workload)
        assert worker.stop() == 0


def test_a_full_disk_stops_the_worker_and_loses_nothing(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """No file may grow; the message says so, and with space the work goes on, exact."""
    workload = make_workload(EVENTS, seed=23, end=datetime.now(UTC), users=4000)
    with worker_with_disk(kafka_broker, tmp_path, command=limited(tmp_path, 64)) as worker:
        produce(kafka_broker, topics.RAW, workload.records)
        wait_for(lambda: "process_died" in worker.log, 60, "the worker to meet the full disk")
        worker.stop()
        faults = [line for line in worker.log.splitlines() if "The state store" in line]
        assert "File too large" in faults[0]
        assert "goes on from the last commit" in " ".join(worker.log.split())

    with worker_with_disk(kafka_broker, tmp_path) as worker:
        settle(kafka_broker, worker, workload)
        check_outcomes(kafka_broker, workload)
        assert worker.stop() == 0


def limited(directory: Path, kibibytes: int) -> Path:
    """The command, with a bound on the size of every file that it writes."""
    script = directory / "limited"
    script.write_text(f'#!/bin/bash\nulimit -f {kibibytes}\nexec {command_path()} "$@"\n')
    script.chmod(0o755)
    return script
