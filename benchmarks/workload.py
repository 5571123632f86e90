"""The one set of raw records that every contender of a run gets: seeded, real-shaped, in order.

Keys are lanes, and everything of one owner comes by one lane, so that what one user does lies in
one partition, in order. Half of the lanes send one REST event per record, the others the
broadcaster's arrays of ten; an event has about 0.8 KB.
"""

import heapq
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Final, NamedTuple

from riskstream.demo.backoffice import BACKOFFICE
from riskstream.demo.everyday import EVERYDAY
from riskstream.demo.generator import type_ids
from riskstream.demo.shapes import Shape, render, wrap
from riskstream.demo.tenant import Tenant
from riskstream.demo.tenant_event import TenantEvent

__all__ = [
    "ARRAY_EVENTS",
    "BASE_MS",
    "DAY_MS",
    "EVENTS_PER_USER_AND_DAY",
    "FIRST_SERIAL",
    "RawRecord",
    "Workload",
    "make_workload",
    "single_records",
    "tenant_events",
]

LANES: Final = 64
ARRAY_EVENTS: Final = 10
SHAPES: Final = (
    *(Shape.REST_OBJECT,) * 4,
    *(Shape.ARRAY_SPARSE,) * 3,
    Shape.ARRAY_FULL,
)
"""Shape of a lane, by its number modulo eight."""
BASE_MS: Final = 1_788_739_200_000
"""2026-09-07T00:00:00Z: in the past, so that no time has to be clipped."""
EVENTS_PER_USER_AND_DAY: Final = 16
DAY_MS: Final = 86_400_000
FIRST_SERIAL: Final = 45_000_000_000


class RawRecord(NamedTuple):
    """One record for the raw topic."""

    key: bytes
    value: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Workload:
    """Records to send before the clock runs, and those that are measured."""

    warmup: tuple[RawRecord, ...]
    records: tuple[RawRecord, ...]

    @property
    def warmup_events(self) -> int:
        """Events in ``warmup``."""
        return sum(record.events for record in self.warmup)

    @property
    def events(self) -> int:
        """Events in ``records``."""
        return sum(record.events for record in self.records)

    @property
    def bytes_per_event(self) -> float:
        """Mean size of an event as it lies in its record."""
        return sum(len(record.value) for record in self.records) / max(self.events, 1)


def make_workload(events: int, *, seed: int, users: int, warmup_events: int = 5000) -> Workload:
    """About ``events`` events after about ``warmup_events``; each record is in one of the two.

    Args:
        events: Measured events; at most nine more, to fill the last array.
        seed: Of all draws; the same seed gives the same bytes.
        users: Size of the simulated tenant.
        warmup_events: Events that come first.
    """
    stream = _records(tenant_events(seed, users))
    return Workload(_take(stream, warmup_events), _take(stream, events))


def single_records(seed: int, users: int, base_ms: int = BASE_MS) -> Iterator[RawRecord]:
    """The tenant's events as REST objects, one per record, keyed by owner, without end."""
    types = type_ids()
    for serial, event in enumerate(tenant_events(seed, users, base_ms), FIRST_SERIAL):
        rendered = render(Shape.REST_OBJECT, event, serial, types)
        yield RawRecord(b"owner-%d" % event.owner, rendered, 1)


def tenant_events(seed: int, users: int, base_ms: int = BASE_MS) -> Iterator[TenantEvent]:
    """What happens in the tenant from a midnight on, in order of time, without end."""
    rng, tenant, order = random.Random(seed), Tenant(seed, users), count()
    activities = [activity for activity, _ in EVERYDAY + BACKOFFICE]
    weights = list(accumulate(weight for _, weight in EVERYDAY + BACKOFFICE))
    pace_ms = DAY_MS / (users * EVENTS_PER_USER_AND_DAY)
    now_ms = float(base_ms)
    coming: list[tuple[int, int, TenantEvent]] = []
    while True:
        activity = rng.choices(activities, cum_weights=weights)[0]
        for event in activity(tenant, rng, int(now_ms)):
            heapq.heappush(coming, (event.at_ms, next(order), event))
            now_ms += pace_ms
        while coming and coming[0][0] <= now_ms:
            yield heapq.heappop(coming)[2]


def _records(events: Iterable[TenantEvent]) -> Iterator[RawRecord]:
    """Cut the stream into records. An array leaves when it is full."""
    types = type_ids()
    waiting: dict[int, list[bytes]] = {}
    for serial, event in enumerate(events, FIRST_SERIAL):
        lane = event.owner % LANES
        shape = SHAPES[lane % len(SHAPES)]
        key, rendered = b"lane-%d" % lane, render(shape, event, serial, types)
        if shape is Shape.REST_OBJECT:
            yield RawRecord(key, rendered, 1)
            continue
        members = waiting.setdefault(lane, [])
        members.append(rendered)
        if len(members) == ARRAY_EVENTS:
            yield RawRecord(key, wrap(shape, members, serial, event.at_ms), ARRAY_EVENTS)
            members.clear()


def _take(stream: Iterator[RawRecord], events: int) -> tuple[RawRecord, ...]:
    taken: list[RawRecord] = []
    while events > 0:
        record = next(stream)
        taken.append(record)
        events -= record.events
    return tuple(taken)
