"""Rows of ordinary users: what two days of a tenant leave in the tables, copied to many users."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from benchmarks.contenders.programs.core import new_assess, new_ingest
from benchmarks.workload import EVENTS_PER_USER_AND_DAY, single_records
from riskstream.demo.tenant import ACCOUNT_ID
from riskstream.events.keys import user_key
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.pipeline.state import PartitionState

__all__ = [
    "FIRST_FREE_OFFSET",
    "SAMPLE_DAYS",
    "Row",
    "Sample",
    "classified_records",
    "sample_rows",
    "take_sample",
    "user",
]

SAMPLE_USERS: Final = 1_000
SAMPLE_DAYS: Final = 2
SAMPLE_SEED: Final = 11
FIRST_USER_ID: Final = 10_000
FIRST_FREE_OFFSET: Final = 10_000_000
"""Beyond every offset in a sample row: an event at or below a row's offset is not folded."""
CHUNK: Final = 500


class Row(NamedTuple):
    """One row as it lies in a changelog."""

    topic: str
    key: bytes
    value: bytes


Sample = list[tuple[bytes, list[Row]]]
"""Every user of the sample, by key, with all of its rows."""


def user(number: int) -> bytes:
    """Key of user ``number``, from 1 on, as the tenant numbers its users."""
    return user_key(ACCOUNT_ID, FIRST_USER_ID + number).encode()


def classified_records(
    seed: int, users: int, events: int, *, base_ms: int, first_offset: int
) -> list[InputRecord]:
    """Classified records of so many raw events, as one partition holds them."""
    ingest = new_ingest()
    raw = islice(single_records(seed, users, base_ms), events)
    records = [
        InputRecord(RAW, 0, offset, base_ms, record.key, record.value)
        for offset, record in enumerate(raw)
    ]
    outputs = (output for output in ingest(records).outputs if output.topic == CLASSIFIED)
    return [
        InputRecord(CLASSIFIED, 0, offset, base_ms, output.key, output.value, output.headers)
        for offset, output in enumerate(outputs, first_offset)
    ]


def sample_rows(sample: Sample, users: int) -> Iterator[Row]:
    """The rows of this many users, each those of a sampled user under a key of its own."""
    for number in range(1, users + 1):
        old, rows = sample[number % len(sample)]
        new = user(number)
        for row in rows:
            yield Row(row.topic, new, row.value.replace(b'"%s"' % old, b'"%s"' % new))


def take_sample(base_ms: int) -> Sample:
    """Let a small tenant live for two days from this midnight on."""
    events = SAMPLE_USERS * SAMPLE_DAYS * EVENTS_PER_USER_AND_DAY
    records = classified_records(SAMPLE_SEED, SAMPLE_USERS, events, base_ms=base_ms, first_offset=0)
    assess, state = new_assess(), PartitionState()
    found: dict[bytes, dict[str, bytes]] = defaultdict(dict)
    for start in range(0, len(records), CHUNK):
        changes = assess(records[start : start + CHUNK], state).changes
        for output in changes.changelog(base_ms):
            if output.value is not None:
                found[output.key][output.topic] = output.value
        state.apply(changes)
    users = {user(number) for number in range(1, SAMPLE_USERS + 1)}
    return [
        (key, [Row(topic, key, value) for topic, value in rows.items()])
        for key, rows in sorted(found.items())
        if key in users
    ]
