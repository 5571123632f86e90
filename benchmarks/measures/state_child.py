"""A process with the rows of N users and nothing else: ``python -m …state_child USERS EVENTS``.

Prints one JSON object: what the rows take, and what an event then costs.
"""

import ctypes
import gc
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from time import process_time
from typing import Any, Final

from benchmarks.contenders.programs.core import new_assess
from benchmarks.measures.sample_rows import (
    CHUNK,
    FIRST_FREE_OFFSET,
    SAMPLE_DAYS,
    Row,
    classified_records,
    sample_rows,
    take_sample,
)
from benchmarks.resources import usage
from benchmarks.workload import BASE_MS, DAY_MS
from riskstream.events.record import InputRecord
from riskstream.pipeline.state import PartitionState

__all__ = ["main"]

SEED: Final = 13
BATCH: Final = 2_000


def main() -> None:
    """Measure and print."""
    users, events = int(sys.argv[1]), int(sys.argv[2])
    # Made elsewhere: memory that they leave free here would hide what the rows take.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        sample = elsewhere.submit(take_sample, BASE_MS).result()
        records = elsewhere.submit(_events, users, events).result()
    before = _rss()
    state, rows = PartitionState(), 0
    for batch in _batches(sample_rows(sample, users)):
        for topic, latest in batch.items():
            state.load_all(topic, latest)
            rows += len(latest)
    told: dict[str, Any] = {
        "users": users,
        "rows": rows,
        "bytes_per_user": round((_rss() - before) / users),
    }
    if records:
        told["cpu_us_per_event"] = round(_cost(records, state) * 1e6, 1)
    print(json.dumps(told))


def _events(users: int, events: int) -> list[InputRecord]:
    """What comes after the two days of the sample."""
    return classified_records(
        SEED,
        users,
        events,
        base_ms=BASE_MS + SAMPLE_DAYS * DAY_MS,
        first_offset=FIRST_FREE_OFFSET,
    )


def _batches(rows: Iterable[Row]) -> Iterator[dict[str, dict[bytes, bytes | None]]]:
    """Rows as recovery hands them over: a stretch at a time, by table."""
    stream = iter(rows)
    while taken := list(islice(stream, BATCH)):
        batch: dict[str, dict[bytes, bytes | None]] = {}
        for row in taken:
            batch.setdefault(row.topic, {})[row.key] = row.value
        yield batch


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
    """Resident bytes, once what is no longer used has been given back."""
    gc.collect()
    with suppress(AttributeError):  # a C library that has no such function
        ctypes.CDLL(None).malloc_trim(0)
    return usage({os.getpid()}).rss_bytes


if __name__ == "__main__":
    main()
