"""``riskstream worker`` from the wheel: clear faults, clean stops, processes that come back."""

import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

from riskstream.demo.broker import EmbeddedBroker, free_port
from riskstream.demo.stack import free_ports
from riskstream.events import topics
from tests.support.kafka import Stored, create_topics, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.workload import make_workload

SECONDS = 60


def settings_for(broker: EmbeddedBroker, **more: str) -> dict[str, str]:
    """Settings that name the broker and free ports."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(2)),
        "LOG__FORMAT": "json",
        **more,
    }


def told(output: bytes) -> str:
    """What was printed, on one line."""
    return " ".join(output.decode().split())


def test_without_a_broker_it_says_where_it_looked(installed_riskstream: Path) -> None:
    """One message with the address and what to do, and exit code 3."""
    address = f"127.0.0.1:{free_port()}"

    done = run(["worker", "--bootstrap-servers", address], command=installed_riskstream)

    assert done.returncode == 3
    assert f"Kafka cannot be reached at {address}" in told(done.stderr)
    assert b"Traceback" not in done.stderr


def test_without_topics_it_names_the_command_that_makes_them(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker
) -> None:
    """The missing topics are listed, and exit code 3."""
    done = run(["worker"], settings=settings_for(embedded_broker), command=installed_riskstream)

    assert done.returncode == 3
    assert topics.RAW in told(done.stderr)
    assert "riskstream topics create" in told(done.stderr)


def test_tables_that_are_not_co_partitioned_are_refused(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker
) -> None:
    """A row lies in the partition of its subject's events, so the counts must be equal."""
    names = dict.fromkeys((spec.name for spec in topics.ALL_TOPICS), 4)
    create_topics(embedded_broker, {**names, topics.FAILURES: 3})

    done = run(["worker"], settings=settings_for(embedded_broker), command=installed_riskstream)

    assert done.returncode == 3
    assert f"{topics.CLASSIFIED} has 4 partitions, but {topics.FAILURES} has 3" in told(done.stderr)


def test_a_bad_policy_is_told_once_before_anything_starts(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Every fault of the file, exit code 2, no process started."""
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "mine"\n[priors]\nlogin_success = 3\n', encoding="utf-8")
    settings = settings_for(embedded_broker, RISK__POLICY=str(policy))

    done = run(["worker"], settings=settings, command=installed_riskstream)

    assert done.returncode == 2
    assert "policy.toml" in told(done.stderr)
    assert "process_started" not in told(done.stderr)


def test_an_unknown_setting_is_refused(installed_riskstream: Path) -> None:
    """A typo must not be taken for a default."""
    done = run(["worker"], settings={"KAFKA__PARTITION": "4"}, command=installed_riskstream)

    assert done.returncode == 2
    assert "kafka.partition" in told(done.stderr)


def test_a_dead_process_is_started_again_and_a_signal_stops_all(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """SIGKILL of assess: it comes back, works on, and SIGTERM ends everything with code 0."""
    settings = settings_for(embedded_broker)
    assert run(["topics", "create"], settings=settings).returncode == 0
    workload = make_workload(600, seed=5, end=_now(), users=30)
    worker = Riskstream(["worker"], tmp_path, settings=settings, command=installed_riskstream)

    with worker:
        assess_port = worker.wait_until_ready().http_port + 1
        wait_for(lambda: worker.health("ready", assess_port) == 200, SECONDS, "assess ready")
        first = _pid(worker.log, "riskstream-assess-worker-0")
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: "process_died" in worker.log, SECONDS, "the death to be noticed")
        wait_for(lambda: worker.health("ready", assess_port) == 200, SECONDS, "ready again")
        produce(embedded_broker, topics.RAW, workload.records)
        wait_for(lambda: _outcomes(embedded_broker) == workload.outcomes, SECONDS, "all outcomes")
        second = _pid(worker.log, "riskstream-assess-worker-0")
        assert worker.metric_sum("riskstream_restarts_total", assess_port) == 1
        assert worker.metric_sum("riskstream_restarts_total") == 0

        assert worker.stop() == 0

    assert first != second
    assert worker.log.count("worker_stopped") == 2
    assert not Path(f"/proc/{second}").exists()


def test_hostile_records_leave_the_worker_running(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A few hundred bad records end as dead letters or are filtered; the good one is routed."""
    settings = settings_for(embedded_broker, BRAKE__ENABLED="false")
    assert run(["topics", "create"], settings=settings).returncode == 0
    workload = make_workload(20, seed=6, end=_now(), users=3)
    bad = [
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        b"NaN",
        b'{"a":1}',
        b"\x00" * 1000,
        b'"' * 5000,
        b"9" * 400,
    ]
    hostile = [_stored(value + b" " * number) for number in range(40) for value in bad]

    with Riskstream(
        ["worker"], tmp_path, settings=settings, command=installed_riskstream
    ) as worker:
        # The metric alone is asked: it must be true without anybody asking for health.
        wait_for(lambda: _says_ready(worker), SECONDS, "readiness among the metrics")
        produce(embedded_broker, topics.RAW, hostile)
        produce(embedded_broker, topics.RAW, workload.records)
        wanted = len(hostile) + workload.outcomes
        wait_for(lambda: _outcomes(embedded_broker) == wanted, SECONDS, "all outcomes")
        dead = read_topic(embedded_broker, topics.DEAD_LETTER)

        assert worker.stop() == 0

    assert "process_died" not in worker.log
    assert sorted(r.value or b"" for r in dead) == sorted(r.value or b"" for r in hostile)


def test_the_brake_holds_a_flood_and_a_command_releases_it(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A partition full of garbage is paused, readiness says so, and goes on when told to."""
    settings = settings_for(
        embedded_broker, BRAKE__MAX_RUN="50", BRAKE__WINDOW="50", WORKER__CHUNK_RECORDS="50"
    )
    assert run(["topics", "create", "--partitions", "1"], settings=settings).returncode == 0
    flood = [_stored(b"not json %d" % number) for number in range(400)]

    with Riskstream(
        ["worker"], tmp_path, settings=settings, command=installed_riskstream
    ) as worker:
        worker.wait_until_ready()
        produce(embedded_broker, topics.RAW, flood)
        wait_for(lambda: worker.health("ready") == 503, SECONDS, "the brake to engage")
        held = len(read_topic(embedded_broker, topics.DEAD_LETTER))
        assert worker.metric_sum("riskstream_brake_engaged") == 1
        url = f"http://127.0.0.1:{worker.http_port}"

        def released() -> bool:
            command = ["dlq", "release", "--worker-url", url]
            assert run(command, settings=settings, command=installed_riskstream).returncode == 0
            return len(read_topic(embedded_broker, topics.DEAD_LETTER)) == len(flood)

        wait_for(released, SECONDS, "all of the flood, release by release")
        assert worker.stop() == 0

    assert 50 <= held < len(flood)
    assert "brake_engaged" in worker.log


def _says_ready(worker: Riskstream) -> bool:
    try:
        return worker.metric_sum("riskstream_ready") == 1
    except OSError:
        return False


def _outcomes(broker: EmbeddedBroker) -> int:
    names = [*topics.SCORED.values(), topics.DEAD_LETTER]
    return sum(len(read_topic(broker, name)) for name in names)


def _stored(value: bytes) -> Stored:
    return Stored(value, b"hostile")


def _pid(log: str, member: str) -> int:
    started = [line for line in log.splitlines() if "process_started" in line and member in line]
    found = re.search(r'"pid": ?(\d+)', started[-1])
    assert found
    return int(found[1])


def _now() -> datetime:
    return datetime.now(UTC)
