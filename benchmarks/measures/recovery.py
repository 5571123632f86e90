"""Recovery: how fast a worker rebuilds its tables, and what the rows take in its process.

The changelogs are filled with the rows of ordinary users, the group has a committed offset, and
one assess process is started. Its own metrics say how long it read.
"""

import re
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
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

PLAN: Final = (("memory", 0), ("memory", 100_000), ("memory", 1_000_000), ("rocksdict", 2_000_000))
"""Store and users. Without any, the process shows what it takes by itself."""
SHORT_PLAN: Final = (("memory", 0), ("memory", 20_000), ("rocksdict", 20_000))
READY_SECONDS: Final = 600.0
SETTLE_SECONDS: Final = 2.0
MEBIBYTE: Final = 1024 * 1024
SAMPLE: Final = re.compile(r"^(riskstream_\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


def measure(broker: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row per store and number of users; a store on disk is started a second time."""
    rows = []
    empty, sample = 0, take_sample(BASE_MS)
    for store, users in SHORT_PLAN if options.short else PLAN:
        for row in _starts(store, users, sample, broker, options.partitions):
            rss = row.pop("rss_bytes")
            empty = empty or rss
            if not users:
                continue
            row["resident_mib"] = round(rss / MEBIBYTE)
            row["bytes_per_user"] = round((rss - empty) / users)
            tell(
                f"  {store}, {users:,} users, {row['start']} start: {row['rows_read']:,} rows in "
                f"{row['seconds']} s, {row['bytes_per_user']} bytes per user"
            )
            rows.append(row)
    return rows


def _starts(
    store: str, users: int, sample: Sample, broker: Broker, partitions: int
) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="riskstream-recovery-") as directory:
        name = f"recovery-{store}-{users}-{time.monotonic_ns() // 1_000_000}"
        run = Run(broker.bootstrap_servers, name, partitions, Path(directory))
        broker.fresh_topics(partitions, {})
        _write(broker, sample_rows(sample, users))
        _commit_start(broker, f"{name}-assess", partitions)
        settings = {"STATE__STORE": store, "STATE__DIRECTORY": str(run.directory / "state")}
        for start in ("first", "second") if store != "memory" else ("first",):
            head = {"store": store, "users": users, "start": start}
            yield head | _start(run, worker_command(run, "exactly_once", "assess", settings))


def _start(run: Run, command: Command) -> dict[str, Any]:
    """Start the process, wait until it is ready, and ask it."""
    port = int(command.environment["RISKSTREAM_HTTP__PORT"])
    started = time.monotonic()
    with running_team(_worker(command), run) as team:
        _wait_until_ready(port, team)
        ready = time.monotonic() - started
        told = _metrics(port)
        time.sleep(SETTLE_SECONDS)
        rss = max(usage({pid}).rss_bytes for pid in team.pids())
    read = round(told["riskstream_recovered_records_total"])
    seconds = told["riskstream_recovery_duration_seconds"]
    return {
        "rows_read": read,
        "seconds": round(seconds, 2),
        "rows_per_second": round(read / seconds) if seconds else 0,
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
    """Every metric by name, summed over its labels; 0 for one that is not there."""
    with _open(port, "/metrics") as answer:
        text = answer.read().decode()
    sums: dict[str, float] = defaultdict(float)
    for name, value in SAMPLE.findall(text):
        sums[name] += float(value)
    return sums


def _open(port: int, path: str) -> Any:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5.0)
