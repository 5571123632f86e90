"""``python -m benchmarks.console``: fill a store, ask it, and ask pages while events come in.

fill    makes a store with so many events
asks    every pair of filters and free text, one after the other, in this process
pages   twenty clients ask a console that has just been started, while events come in
stores  the same events and questions to SQLite alone and to DuckDB, where it is installed
"""

import argparse
import itertools
import json
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.console.compare import compare
from benchmarks.console.synthetic import Span, make_records
from riskstream.catalog.loader import load_catalog
from riskstream.console.store.filters import Filters
from riskstream.console.store.store import Store
from riskstream.console.store.writer import Writer

DAYS = 90
CHUNK = 5000
FILTERS: dict[str, dict[str, Any]] = {
    "user": {"users": ("1234:7",)},
    "address": {"ips": ("2001:db8::7",)},
    "app": {"apps": ("1234:3",)},
    "type": {"types": (6,)},
    "category": {"categories": ("users",)},
    "level": {"levels": ("high",)},
    "status": {"outcomes": ("failure",)},
    "score": {"score_least": 10},
    "text": {"text": "failed login"},
}
QUERIES = {
    "user": "user=7",
    "address": "ip=2001:db8::7",
    "app": "app=3",
    "type": "type=6",
    "category": "category=users",
    "level": "level=high",
    "status": "outcome=failure",
    "score": "score_min=10",
    "time": "since=7d",
}
TEXTS = ("", "q=failed", "q=login", "q=app+17", "q=203.0.113.7", "q=lock*")


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("command", choices=("fill", "asks", "pages", "stores"))
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--directory", type=Path, default=Path("build/bench/console"))
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=int, default=5000, help="events a second that come in")
    parser.add_argument("--think", type=float, default=1.0, help="seconds between two asks")
    options = parser.parse_args()
    commands: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "fill": fill,
        "asks": asks,
        "pages": pages,
        "stores": lambda chosen: compare(chosen.events, chosen.directory.parent / "stores"),
    }
    print(json.dumps(commands[options.command](options), indent=2))


def fill(options: argparse.Namespace) -> dict[str, Any]:
    """Events of ninety days up to now, as quickly as the writer takes them."""
    now_ms = int(time.time() * 1000)
    writer = Writer(options.directory)
    records = make_records(load_catalog(), options.events, Span(now_ms - DAYS * 86_400_000, now_ms))
    taken, making, started, cpu = 0, 0.0, time.monotonic(), time.process_time()
    while True:
        before = time.process_time()
        chunk = list(islice(records, CHUNK))
        making += time.process_time() - before
        if not chunk:
            break
        writer.take(chunk, {}, {("bench", 0): taken + len(chunk)})
        taken += len(chunk)
    writer.settle()
    writer.close()
    size = sum(path.stat().st_size for path in options.directory.iterdir())
    return {
        "events": taken,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_us_per_event": round((time.process_time() - cpu - making) / taken * 1e6, 1),
        "bytes_per_event": round(size / taken),
    }


def asks(options: argparse.Namespace) -> dict[str, Any]:
    """CPU and wall milliseconds of each pair, the second time it is asked."""
    started = time.monotonic()
    store = Store(options.directory)
    loading = time.monotonic() - started
    found = {}
    for one, other in itertools.combinations_with_replacement(FILTERS, 2):
        filters = Filters(**{**FILTERS[one], **FILTERS[other]})
        store.search(filters).page(50)
        wall, cpu = time.perf_counter(), time.process_time()
        page = store.search(filters).page(50)
        found[f"{one}+{other}"] = {
            "cpu_ms": round((time.process_time() - cpu) * 1000, 1),
            "wall_ms": round((time.perf_counter() - wall) * 1000, 1),
            "total": page.counts.total,
            "capped": page.capped,
        }
    slowest = sorted(found.items(), key=lambda each: -each[1]["cpu_ms"])[:8]
    times = [each["cpu_ms"] for each in found.values()]
    return {
        "events": store.snapshot.count,
        "load_seconds": round(loading, 2),
        "cpu_ms_median": statistics.median(times),
        "cpu_ms_p95": statistics.quantiles(times, n=20)[-1],
        "slowest": dict(slowest),
    }


def pages(options: argparse.Namespace) -> dict[str, Any]:
    """First pages from a console that was just started, while events come in."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.console.serving", str(options.directory)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        address = server.stdout.readline().strip() if server.stdout else ""
        stopping = threading.Event()
        waits: list[float] = []
        clients = [
            threading.Thread(target=_ask, args=(address, number, options.think, stopping, waits))
            for number in range(options.clients)
        ]
        feeding = _Feeding(options, stopping)
        for each in (*clients, feeding):
            each.start()
        stopping.wait(options.seconds)
        stopping.set()
        for each in (*clients, feeding):
            each.join()
        server.terminate()
    cuts = statistics.quantiles(waits, n=100)
    return {
        "asked": len(waits),
        "p50_ms": round(cuts[49] * 1000),
        "p95_ms": round(cuts[94] * 1000),
        "p99_ms": round(cuts[98] * 1000),
        "came_in": feeding.taken,
        "asked_rate": options.rate,
        "rate": round(feeding.taken / options.seconds),
        "most_seconds_behind": round(feeding.behind, 2),
    }


def _ask(
    address: str, number: int, think: float, stopping: threading.Event, waits: list[float]
) -> None:
    rng = random.Random(number)
    while not stopping.is_set():
        query = "&".join([*rng.sample(list(QUERIES.values()), 2), rng.choice(TEXTS)])
        started = time.perf_counter()
        with urllib.request.urlopen(f"{address}/events?{query}", timeout=60) as answer:  # noqa: S310
            answer.read()
        waits.append(time.perf_counter() - started)
        stopping.wait(think * rng.random() * 2)


class _Feeding(threading.Thread):
    """Takes so many events a second in, in a process of its own as the follower does."""

    def __init__(self, options: argparse.Namespace, stopping: threading.Event) -> None:
        super().__init__()
        self._options, self._stopping = options, stopping
        self.taken, self.behind = 0, 0.0

    def run(self) -> None:
        """Until stopped."""
        arguments = [str(self._options.directory), str(self._options.rate)]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.console.feeding", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as feeder:
            self._stopping.wait()
            told, _ = feeder.communicate("stop\n")
        said = json.loads(told)
        self.taken, self.behind = said["taken"], said["behind"]


if __name__ == "__main__":
    main()
