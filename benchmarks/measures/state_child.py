"""A process with the rows of N users and nothing else: ``python -m …state_child USERS EVENTS``.

Prints one JSON object: what the rows take, and what an event then costs.
"""

import gc
import json
import os
import sys
from time import process_time
from typing import Any, Final

from benchmarks.contenders.programs.core import new_assess
from benchmarks.measures.sample_rows import (
    CHUNK,
    FIRST_FREE_OFFSET,
    SAMPLE_DAYS,
    classified_records,
    sample_rows,
)
from benchmarks.resources import usage
from benchmarks.workload import BASE_MS, DAY_MS
from riskstream.events.record import InputRecord
from riskstream.pipeline.state import PartitionState

__all__ = ["main"]

SEED: Final = 13


def main() -> None:
    """Measure and print."""
    users, events = int(sys.argv[1]), int(sys.argv[2])
    records = classified_records(
        SEED,
        users,
        events,
        base_ms=BASE_MS + SAMPLE_DAYS * DAY_MS,
        first_offset=FIRST_FREE_OFFSET,
    )
    # What making the sample takes must not count as the rows of the users.
    next(sample_rows(1, BASE_MS))
    gc.collect()
    before = _rss()
    state, rows = PartitionState(), 0
    for row in sample_rows(users, BASE_MS):
        state.load(row.topic, row.key, row.value)
        rows += 1
    gc.collect()
    told: dict[str, Any] = {
        "users": users,
        "rows": rows,
        "bytes_per_user": round((_rss() - before) / users),
    }
    if records:
        told["cpu_us_per_event"] = round(_cost(records, state) * 1e6, 1)
    print(json.dumps(told))


def _cost(records: list[InputRecord], state: PartitionState) -> float:
    """CPU seconds per classified record, garbage collection as in a worker."""
    assess = new_assess()
    gc.freeze()
    first, rest = records[:CHUNK], records[CHUNK:]
    state.apply(assess(first, state).changes)
    started = process_time()
    for start in range(0, len(rest), CHUNK):
        changes = assess(rest[start : start + CHUNK], state).changes
        changes.changelog(None)
        state.apply(changes)
    return (process_time() - started) / max(len(rest), 1)


def _rss() -> int:
    return usage({os.getpid()}).rss_bytes


if __name__ == "__main__":
    main()
