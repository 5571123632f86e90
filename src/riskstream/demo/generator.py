"""A tenant's days as raw Kafka records: seeded, streaming, with a known end for every event.

The same seed, number and base time give the same bytes. The draws do not depend on the base
time, so a run that ends now tells the same stories as one that ended long ago.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate, count, cycle

from riskstream.catalog.loader import load_catalog
from riskstream.demo.backoffice import BACKOFFICE
from riskstream.demo.channels import CHANNELS, Channel, RawMessage, broken_message
from riskstream.demo.everyday import EVERYDAY, Activity
from riskstream.demo.hostile import BAD_MEMBERS, BROKEN_RECORDS
from riskstream.demo.schedule import LEAD_MS, Day, Schedule, workdays
from riskstream.demo.shapes import TypeIds
from riskstream.demo.stories import STORIES
from riskstream.demo.tenant import Tenant
from riskstream.demo.tenant_event import TenantEvent

__all__ = ["DEFAULT_BASE_MS", "DEFAULT_SIZE", "Generator", "generate", "type_ids"]

DEFAULT_BASE_MS = 1_795_392_000_000
"""2026-11-23T00:00:00Z, a Monday."""
DEFAULT_SIZE = 300
"""Users of the tenant."""

HOSTILE_EVERY = 90
"""One broken record or member among so many events, about one percent."""
STORY_SHARE = 0.35
"""At most this share of a day's events belongs to stories."""
STORIES_BETWEEN = (0.18, 0.40)
"""Shares of the day's events between which the stories start."""
SERIALS_PER_SECOND = 10_000
"""Serial numbers begin at the base time, so that a later run does not repeat them."""


def generate(
    events: int | None,
    seed: int,
    base_time_ms: int = DEFAULT_BASE_MS,
    *,
    schedule: Schedule | None = None,
    size: int = DEFAULT_SIZE,
) -> Iterator[RawMessage]:
    """Raw records in order of time.

    Args:
        events: How many outcomes they have in all, exactly; None goes on for ever.
        seed: Of all draws.
        base_time_ms: Midnight before the first event, epoch milliseconds.
        schedule: How events spread over time; without it working days from the base time.
        size: Users of the tenant.
    """
    return Generator(seed, schedule or workdays(base_time_ms), size).messages(events)


@cache
def type_ids() -> TypeIds:
    """Event type ids by OneLogin's constant, out of the catalog."""
    return {entry.api_name: entry.id for entry in load_catalog().entries if entry.id is not None}


class Generator:
    """One run. Memory is bounded by the events that stories and sessions have yet to bring."""

    def __init__(self, seed: int, schedule: Schedule, size: int) -> None:
        # A simulation needs repeatable draws, not secret ones.
        self._rng = random.Random(seed)  # noqa: S311
        self._schedule = schedule
        self._tenant = Tenant(seed, size)
        self._types = type_ids()
        first = schedule.base_ms // 1000 * SERIALS_PER_SECOND
        self._serials = count(first)
        self._queue: list[tuple[int, int, TenantEvent, str]] = []
        """Events to come: (time, order of planning, event, story)."""
        self._order = count()
        self._told = 0
        """Outcomes so far."""
        self._channels = [
            Channel(name, shape, capacity, schedule.patience_ms)
            for name, shape, capacity in CHANNELS
        ]
        self._activities = [activity for activity, _ in EVERYDAY + BACKOFFICE]
        self._weights = list(accumulate(weight for _, weight in EVERYDAY + BACKOFFICE))
        self._broken = cycle(BROKEN_RECORDS)
        self._bad_members = cycle(BAD_MEMBERS)
        self._until_hostile = HOSTILE_EVERY // 2
        self._bad_member_next = False

    def messages(self, events: int | None) -> Iterator[RawMessage]:
        """The records; ``events`` outcomes in all, or without end."""
        left = events
        for day in self._schedule.days():
            quota = day.events if left is None else min(day.events, left)
            yield from self._day(day, quota)
            if left is not None:
                left -= quota
                if left == 0:
                    break
        yield from self._end()

    def _day(self, day: Day, quota: int) -> Iterator[RawMessage]:
        """Stories first, because they cannot be cut; everyday life fills the rest."""
        budget = quota - self._plan_stories(day, quota)
        spent = 0
        while spent < budget:
            now_ms = day.moment((spent + self._rng.random()) / budget)
            yield from self._release(now_ms)
            if self._until_hostile <= 0:
                self._until_hostile = HOSTILE_EVERY
                yield from self._hostile(now_ms)
                spent += 1
                continue
            activity = self._any_activity()
            events = activity(self._tenant, self._rng, now_ms)[: budget - spent]
            self._queue_all(events, "")
            spent += len(events)
            self._until_hostile -= len(events)

    def _plan_stories(self, day: Day, quota: int) -> int:
        """Queue the stories that fit into the day; how many events they have."""
        planned = 0
        first, last = STORIES_BETWEEN
        for index, story in enumerate(STORIES):
            start_ms = day.moment(first + (last - first) * index / len(STORIES))
            events = story.tell(self._tenant, self._rng, start_ms, LEAD_MS)
            if planned + len(events) > quota * STORY_SHARE:
                break
            self._queue_all(events, story.name)
            planned += len(events)
        return planned

    def _any_activity(self) -> Activity:
        return self._rng.choices(self._activities, cum_weights=self._weights)[0]

    def _queue_all(self, events: Sequence[TenantEvent], story: str) -> None:
        for event in events:
            heapq.heappush(self._queue, (event.at_ms, next(self._order), event, story))

    def _release(self, now_ms: int) -> Iterator[RawMessage]:
        """Deliver everything that has happened by now."""
        while self._queue and self._queue[0][0] <= now_ms:
            at_ms, _, event, story = heapq.heappop(self._queue)
            at_ms = self._told_ms(at_ms)
            channel = self._channels[event.owner % len(self._channels)]
            told = replace(event, at_ms=at_ms)
            message = channel.add(told, next(self._serials), self._types, story)
            if message is not None:
                yield message
            yield from self._overdue(at_ms)

    def _told_ms(self, at_ms: int) -> int:
        """When an event that belongs to this moment of its day is told of."""
        interval = self._schedule.interval_ms
        self._told += 1
        return at_ms if interval is None else int(self._schedule.base_ms + self._told * interval)

    def _overdue(self, now_ms: int) -> Iterator[RawMessage]:
        for channel in self._channels:
            message = channel.due(now_ms)
            if message is not None:
                yield message

    def _hostile(self, now_ms: int) -> Iterator[RawMessage]:
        """A broken record and a bad member by turns; one outcome either way."""
        now_ms = self._told_ms(now_ms)
        self._bad_member_next = not self._bad_member_next
        if self._bad_member_next:
            yield broken_message(next(self._broken), now_ms, next(self._serials))
            return
        member, reason = next(self._bad_members)
        channel = self._rng.choice([channel for channel in self._channels if channel.batches])
        message = channel.add_bad_member(member, reason, now_ms, next(self._serials))
        if message is not None:
            yield message

    def _end(self) -> Iterator[RawMessage]:
        """What is still to come, and the records that never filled up."""
        yield from self._release(max((at_ms for at_ms, *_ in self._queue), default=0))
        last_ms = max(channel.latest_ms for channel in self._channels)
        for channel in self._channels:
            message = channel.flush(last_ms)
            if message is not None:
                yield message
