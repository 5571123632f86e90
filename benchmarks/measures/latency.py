"""Latency: from handing a raw record to the client to reading its scored record, committed.

The events are made beforehand and come at a fixed rate, one per record, from a client with its own
defaults: it waits up to 5 ms for more to send with a record. Both ends of the measured way are in
this process, so there is one clock; its reader takes one record at a time as they come.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from benchmarks.contenders.contender import Contender, Job, Run
from benchmarks.contenders.registry import CONTENDERS
from benchmarks.contest import Team, running_team
from benchmarks.figures import percentile
from benchmarks.kafka import Broker
from benchmarks.options import Options
from benchmarks.outputs import OUTPUT_TOPICS
from benchmarks.workload import FIRST_SERIAL, RawRecord, single_records
from riskstream.demo.tenant import ACCOUNT_ID
from riskstream.events.topics import RAW

__all__ = ["measure"]

RATES: Final = (100, 1_000, 5_000)
SECONDS: Final = 30
SHORT_SECONDS: Final = 5
LEAD_SECONDS: Final = 5
"""At the same rate before the measured seconds."""
TICK_SECONDS: Final = 0.002
WARMUP_EVENTS: Final = 500
PATIENCE_SECONDS: Final = 60.0
KEPT_UP_SECONDS: Final = 2.0
"""All outputs of a contender that keeps up are there so soon after the last event."""
DEFAULT: Final = ("riskstream-eo", "riskstream-alo")


def measure(broker: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per contender and rate."""
    rows = []
    for name in options.only or DEFAULT:
        contender = CONTENDERS[name]
        if contender.job is not Job.TWO_HOPS or contender.unavailable() is not None:
            tell(f"  {contender.title} has no latency to measure here")
            continue
        for row in _of(contender, broker, options):
            tell(
                f"  {contender.title}, {row['events_per_second']}/s: p50 {row['p50_ms']} ms, "
                f"p99 {row['p99_ms']} ms, p99.9 {row['p99.9_ms']} ms"
            )
            rows.append(row)
    return rows


def _of(contender: Contender, broker: Broker, options: Options) -> Iterator[dict[str, Any]]:
    """All rates, one after another on the same running processes."""
    with tempfile.TemporaryDirectory(prefix="riskstream-latency-") as directory:
        name = f"latency-{contender.name}-{time.monotonic_ns() // 1_000_000}"
        run = Run(broker.bootstrap_servers, name, options.partitions, Path(directory))
        broker.fresh_topics(options.partitions, contender.extra_topics(run))
        seconds = SHORT_SECONDS if options.short else SECONDS
        stream = enumerate(single_records(options.seed, options.users), FIRST_SERIAL)
        with running_team(contender, run) as team, _Reader(broker) as reader:
            _send_at(broker, list(islice(stream, WARMUP_EVENTS)), WARMUP_EVENTS)
            reader.wait_for(WARMUP_EVENTS, team)
            for rate in RATES:
                total = rate * (LEAD_SECONDS + seconds)
                before = reader.count
                sent = _send_at(broker, list(islice(stream, total)), rate)
                ended = time.perf_counter()
                complete = reader.wait_for(before + total, team)
                kept_up = complete and time.perf_counter() - ended < KEPT_UP_SECONDS
                measured = list(sent.items())[rate * LEAD_SECONDS :]
                row = _row(contender.name, rate, measured, reader.seen)
                yield row | {"kept_up": kept_up}


def _row(
    name: str, rate: int, sent: Sequence[tuple[int, float]], seen: Mapping[int, float]
) -> dict[str, Any]:
    latencies = [(seen[serial] - at) * 1000 for serial, at in sent if serial in seen]
    return {
        "contender": name,
        "events_per_second": rate,
        "events": len(latencies),
        "p50_ms": round(percentile(latencies, 0.5), 1),
        "p99_ms": round(percentile(latencies, 0.99), 1),
        "p99.9_ms": round(percentile(latencies, 0.999), 1),
        "max_ms": round(max(latencies), 1),
    }


def _send_at(
    broker: Broker, records: Sequence[tuple[int, RawRecord]], rate: int
) -> dict[int, float]:
    """Send at a rate; when each was handed over, by serial number."""
    producer = Producer(
        {"bootstrap.servers": broker.bootstrap_servers, "partitioner": "murmur2_random"}
    )
    sent: dict[int, float] = {}
    started = time.perf_counter()
    for number, (serial, record) in enumerate(records):
        due = started + number / rate
        while (now := time.perf_counter()) < due:
            producer.poll(0)
            time.sleep(min(due - now, TICK_SECONDS))
        sent[serial] = time.perf_counter()
        producer.produce(RAW, value=record.value, key=record.key)
    producer.flush(PATIENCE_SECONDS)
    return sent


class _Reader:
    """A read_committed consumer of all outputs in a thread of its own."""

    def __init__(self, broker: Broker) -> None:
        self.seen: dict[int, float] = {}
        """When each event's output was read, by serial number."""
        self.count = 0
        self._stopped = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker.bootstrap_servers,
                "group.id": "benchmarks-latency",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        parts = broker.ends(OUTPUT_TOPICS)
        self._consumer.assign(
            [TopicPartition(part.topic, part.partition, OFFSET_BEGINNING) for part in parts]
        )
        self._thread = threading.Thread(target=self._read, daemon=True)

    def wait_for(self, count: int, team: Team) -> bool:
        """Whether so many outputs came in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.count < count:
            team.check()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _read(self) -> None:
        prefix = len(str(ACCOUNT_ID)) + 1
        while not self._stopped.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error() is not None:
                continue
            now = time.perf_counter()
            headers: Any = message.headers() or ()
            identity = next((value for name, value in headers if name == "ce_id"), None)
            if identity is not None:
                self.seen[int(identity[prefix:])] = now
            self.count += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
