"""Recovery: how fast a worker rebuilds its tables, and what the rows take in its process.

The changelogs are filled with the rows of ordinary users, the group has a committed offset, and
one assess process is started. Its own metrics say how long it read.
"""

import re
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.contenders.contender import Command, Contender, Job, Run
from benchmarks.contenders.riskstream_worker import worker_command
from benchmarks.contest import Team, running_team
from benchmarks.kafka import Broker
from benchmarks.measures.sample_rows import Row, Sample, sample_rows, take_sample
from benchmarks.options import Options
from benchmarks.resources import usage
from benchmarks.workload import BASE_MS
from riskstream.events.topics import CLASSIFIED

__all__ = ["measure"]

SIZES: Final = (0, 100_000, 1_000_000)
"""Users. Without any, the process shows what it takes by itself."""
SHORT_SIZES: Final = (0, 20_000)
READY_SECONDS: Final = 600.0
SETTLE_SECONDS: Final = 2.0
SAMPLE: Final = re.compile(r"^(riskstream_\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


def measure(broker: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per number of users."""
    rows = []
    empty, sample = 0, take_sample(BASE_MS)
    for users in SHORT_SIZES if options.short else SIZES:
        row = _of(users, sample, broker, options)
        rss = row.pop("rss_bytes")
        empty = empty or rss
        if not users:
            continue
        row["bytes_per_user"] = round((rss - empty) / users)
        tell(
            f"  {users:,} users: {row['rows_per_second']:,} rows/s, "
            f"{row['bytes_per_user']} bytes per user"
        )
        rows.append(row)
    return rows


def _of(users: int, sample: Sample, broker: Broker, options: Options) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="riskstream-recovery-") as directory:
        name = f"recovery-{users}-{time.monotonic_ns() // 1_000_000}"
        run = Run(broker.bootstrap_servers, name, options.partitions, Path(directory))
        broker.fresh_topics(options.partitions, {})
        rows = _write(broker, sample_rows(sample, users))
        _commit_start(broker, f"{name}-assess", options.partitions)
        command = worker_command(run, "exactly_once", role="assess")
        port = int(command.environment["RISKSTREAM_HTTP__PORT"])
        started = time.monotonic()
        with running_team(_worker(command), run) as team:
            _wait_until_ready(port, team)
            ready = time.monotonic() - started
            seconds = _metrics(port).get("riskstream_recovery_duration_seconds", 0.0)
            time.sleep(SETTLE_SECONDS)
            rss = max(usage({pid}).rss_bytes for pid in team.pids())
    return {
        "users": users,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds) if seconds else 0,
        "start_to_ready_seconds": round(ready, 1),
        "rss_bytes": rss,
    }


def _worker(command: Command) -> Contender:
    return Contender(
        name="recovery",
        title="riskstream, assess alone",
        job=Job.TWO_HOPS,
        processes=1,
        guarantee="exactly once",
        commands=lambda _: [command],
    )


def _write(broker: Broker, rows: Iterable[Row]) -> int:
    """Fill the changelogs; how many rows there are."""
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 200_000,
        }
    )
    count = 0
    for row in rows:
        while True:
            try:
                producer.produce(row.topic, value=row.value, key=row.key)
            except BufferError:
                producer.poll(0.1)
            else:
                break
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
    if producer.flush(READY_SECONDS):
        raise RuntimeError("rows were not acknowledged")
    return count


def _commit_start(broker: Broker, group: str, partitions: int) -> None:
    """An offset for every partition: a worker refuses rows that no offset goes with."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group})
    try:
        offsets = [TopicPartition(CLASSIFIED, number, 0) for number in range(partitions)]
        consumer.commit(offsets=offsets, asynchronous=False)
    finally:
        consumer.close()


def _wait_until_ready(port: int, team: Team) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        team.check()
        try:
            with _open(port, "/health/ready"):
                return
        except (urllib.error.HTTPError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _metrics(port: int) -> dict[str, float]:
    with _open(port, "/metrics") as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in SAMPLE.findall(text)}


def _open(port: int, path: str) -> Any:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5.0)
