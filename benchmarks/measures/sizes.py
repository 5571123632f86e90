"""How many bytes an event becomes on each topic: the pure pipeline, without Kafka's compression."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from benchmarks.contenders.programs.core import new_assess, new_ingest
from benchmarks.kafka import Broker
from benchmarks.options import Options
from benchmarks.workload import BASE_MS, single_records
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, RAW, SCORED
from riskstream.pipeline.state import PartitionState

__all__ = ["measure"]

USERS: Final = 1_000
EVENTS: Final = 10_000
CHUNK: Final = 500


def measure(_: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per kind of topic; of changelogs with chunks of 500 events."""
    found, events = _bytes(options.seed)
    rows = [
        {"topics": kind, "bytes_per_event": round(size / events)} for kind, size in found.items()
    ]
    for row in rows:
        tell(f"  {row['topics']}: {row['bytes_per_event']} bytes per event")
    return rows


def _bytes(seed: int) -> tuple[Counter[str], int]:
    """Keys, values and headers, by kind of topic, and how many events they are of."""
    ingest, assess, state = new_ingest(), new_assess(), PartitionState()
    found: Counter[str] = Counter()
    classified: list[InputRecord] = []
    for offset, raw in enumerate(islice(single_records(seed, USERS), EVENTS)):
        found["raw"] += len(raw.key) + len(raw.value)
        record = InputRecord(RAW, 0, offset, BASE_MS, raw.key, raw.value)
        for output in ingest([record]).outputs:
            if output.topic == CLASSIFIED:
                found["classified"] += _size(output)
                classified.append(
                    InputRecord(CLASSIFIED, 0, len(classified), BASE_MS, output.key, output.value)
                )
    for start in range(0, len(classified), CHUNK):
        assessed = assess(classified[start : start + CHUNK], state)
        state.apply(assessed.changes)
        found["scored"] += sum(
            _size(output) for output in assessed.outputs if output.topic in SCORED.values()
        )
        found["changelogs"] += sum(_size(output) for output in assessed.changes.changelog(BASE_MS))
    return found, EVENTS


def _size(output: Output) -> int:
    headers = sum(len(name) + len(value) for name, value in output.headers)
    return len(output.key) + len(output.value or b"") + headers
