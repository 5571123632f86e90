"""Events into a store at a rate, for the benchmark, until a line comes on stdin."""

import json
import sys
import threading
import time
from itertools import islice
from pathlib import Path

from benchmarks.console.synthetic import Span, make_records
from riskstream.catalog.loader import load_catalog
from riskstream.console.store.writer import Writer

SECONDS = 0.4
"""Of events in one chunk, as a follower fetches."""
MADE_AHEAD = 200_000
HOUR_MS = 3_600_000


def main() -> None:
    """Feed the store of the first argument at the rate of the second."""
    writer, rate = Writer(Path(sys.argv[1])), int(sys.argv[2])
    stopping = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopping.set()), daemon=True).start()
    size = max(int(rate * SECONDS), 1)
    started, taken, behind, records = time.monotonic(), 0, 0.0, iter(())
    while not stopping.is_set():
        chunk = list(islice(records, size))
        if not chunk:
            now_ms = int(time.time() * 1000)
            first = time.time_ns()
            span = Span(now_ms, now_ms + MADE_AHEAD * 1000 // rate, first, seed=taken)
            records = make_records(load_catalog(), MADE_AHEAD, span)
            continue
        writer.take(chunk, {}, {("bench", 1): taken})
        taken += len(chunk)
        late = time.monotonic() - started - taken / rate
        behind = max(behind, late)
        if late < 0:
            stopping.wait(-late)
    writer.close()
    print(json.dumps({"taken": taken, "behind": behind}))


if __name__ == "__main__":
    main()
