"""Reads all topics read_committed and says what is not as promised.

It shares no code with riskstream: confluent-kafka, the standard library, and ``recount``. What it
expects comes from the raw topic alone, so the program that feeds cannot mislead it.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.support.recount import (
    DAY,
    Event,
    Fold,
    Kinds,
    count_failures,
    count_lockouts,
    failures_as_counted,
    lockouts_as_counted,
    members_of,
)

__all__ = ["Progress", "Verifier"]

RAW, CLASSIFIED = "iam.events.raw.v1", "iam.events.classified.v1"
DEAD_LETTER = "iam.events.dead-letter.v1"
CATEGORIES = ("apps", "users", "onelogin", "provisioning", "uncataloged")
SCORED = {f"iam.scored.{category}.v1": category for category in CATEGORIES}
FAILURES, LOCKOUTS = "iam.state.failures.v1", "iam.state.lockouts.v1"
PROFILES = "iam.internal.profiles.v1"
WRITTEN = (CLASSIFIED, DEAD_LETTER, *SCORED, FAILURES, LOCKOUTS, PROFILES)
TTL = {FAILURES: 2 * DAY, LOCKOUTS: 14 * DAY}
"""A row this far behind the newest of its partition may be gone."""
MAX_RECORD = 1_000_000
SHOWN = 5
"""Examples in one finding."""

Place = tuple[int, int, int]
"""Raw partition, offset, index in the record."""
Position = tuple[int, int]
"""Partition, offset."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the outcomes are."""

    expected: int
    outcomes: int
    waiting: int
    """Repetitions and effects that no worker has come to yet."""

    @property
    def complete(self) -> bool:
        """Every event has an outcome, everything sent was looked at."""
        return self.outcomes >= self.expected and not self.waiting


@dataclass(slots=True)
class _Seen:
    """All that was read, by what it is."""

    events: dict[Place, Event] = field(default_factory=dict)
    """Every sighting; an event that was sent twice has two."""
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Sightings by event id, in no order."""
    broken: dict[Place, str] = field(default_factory=dict)
    classified: dict[Place, list[Position]] = field(default_factory=lambda: defaultdict(list))
    effects: dict[Place, list[Position]] = field(default_factory=lambda: defaultdict(list))
    dead: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    """With stage and reason."""
    scored: dict[str, list[tuple[str, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Topic, partition, offset of each scored record of an event."""
    rows: dict[str, dict[str, tuple[int, bytes | None]]] = field(
        default_factory=lambda: {FAILURES: {}, LOCKOUTS: {}}
    )
    """By topic and subject: partition and the last value."""
    faults: list[str] = field(default_factory=list)
    """What was wrong with a record in itself."""


class Verifier:
    """Follows the topics, and checks on demand. Reads each record once.

    Args:
        bootstrap_servers: The broker.
        catalog: The catalog's data file.
        policy: The policy's file.
        app_id: Prefix of the workers' consumer groups.
    """

    def __init__(self, bootstrap_servers: str, catalog: Path, policy: Path, app_id: str) -> None:
        self._bootstrap = bootstrap_servers
        self._kinds = Kinds.read(catalog, policy)
        self._groups = {RAW: f"{app_id}-ingest", CLASSIFIED: f"{app_id}-assess"}
        self._seen = _Seen()
        self._ends: dict[tuple[str, int], int] = {}
        """Where each partition was last read to its end."""
        self._digests: dict[tuple[str, int, int], int] = {}
        self.reread = 0
        """Records that the client handed out a second time, from the same place."""
        self._consumer = self._client(
            f"{app_id}-verifier", **{"enable.partition.eof": True, "fetch.wait.max.ms": 50}
        )
        # Apart from the one that fetches: its questions would wait behind each fetch.
        self._stable = self._client(f"{app_id}-verifier")
        self._plain = self._client(f"{app_id}-verifier", **{"isolation.level": "read_uncommitted"})
        self._partitions = self._find_partitions()
        self._consumer.assign(
            [TopicPartition(topic, part, OFFSET_BEGINNING) for topic, part in self._partitions]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in (self._consumer, self._stable, self._plain):
            client.close()

    # Reading

    def catch_up(self, timeout: float = 60.0) -> None:
        """Read every partition to its last stable offset of now.

        Raises:
            TimeoutError: The broker gave less than it says it has.
        """
        targets = {part: _end(self._stable, part, timeout) for part in self._partitions}
        deadline = time.monotonic() + timeout
        while any(self._ends.get(part, 0) < end for part, end in targets.items()):
            if time.monotonic() > deadline:
                behind = {
                    part: (self._ends.get(part, 0), end)
                    for part, end in targets.items()
                    if self._ends.get(part, 0) < end
                }
                raise TimeoutError(f"not read to the last stable offset: {behind}")
            for message in self._consumer.consume(5000, timeout=0.2):
                self._take(message)

    def progress(self) -> Progress:
        """Counts over what was read; reads the committed offsets of assess."""
        seen = self._seen
        expected = len(seen.places) + len(seen.broken)
        outcomes = len(seen.scored) + len(seen.dead)
        waiting = len(seen.events) - len(seen.classified)
        if outcomes < expected or waiting:
            return Progress(expected, outcomes, waiting)
        committed = self.committed(CLASSIFIED)
        waiting = sum(
            offset >= committed.get(part, 0)
            for records in (seen.classified, seen.effects)
            for positions in records.values()
            for part, offset in positions
        )
        return Progress(expected, outcomes, waiting)

    def _take(self, message: Message) -> None:
        topic, part, offset = message.topic() or "", message.partition(), message.offset()
        error = message.error()
        if part is None or offset is None:
            raise KafkaException(error)
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                self._ends[topic, part] = offset
            elif not error.retriable() and error.name() not in _PASSING:
                raise KafkaException(f"{topic}-{part}: {error}")
            return
        again = offset < self._ends.get((topic, part), 0)
        self._ends[topic, part] = max(self._ends.get((topic, part), 0), offset + 1)
        self._check_same(topic, part, offset, message)
        if again:
            self.reread += 1  # the client steps back at times when a broker comes back
        elif topic == RAW:
            self._raw(part, offset, message)
        elif topic == CLASSIFIED:
            self._classified(part, offset, message)
        elif topic in TTL:
            self._row(topic, part, message)
        else:
            self._outcome(topic, part, offset, message)

    def _check_same(self, topic: str, part: int, offset: int, message: Message) -> None:
        """A record that was there once must stay as it was."""
        digest = hash((message.key(), message.value()))
        if self._digests.setdefault((topic, part, offset), digest) != digest:
            self._seen.faults.append(f"{topic}-{part} at {offset} is not what it was")

    def _outcome(self, topic: str, part: int, offset: int, message: Message) -> None:
        if topic == DEAD_LETTER:
            self._dead_letter(message)
        elif topic in SCORED:
            self._scored(topic, part, offset, message)

    def _row(self, topic: str, part: int, message: Message) -> None:
        subject = (message.key() or b"").decode()
        before = self._seen.rows[topic].get(subject)
        if before is not None and before[0] != part:
            self._seen.faults.append(f"row {subject} of {topic} stands in two partitions")
        self._seen.rows[topic][subject] = (part, message.value())

    def _raw(self, part: int, offset: int, message: Message) -> None:
        seen, value = self._seen, message.value()
        members = None if len(value or b"") > MAX_RECORD else members_of(value)
        if members is None:
            seen.broken[part, offset, 0] = "record"
            return
        for index, member in enumerate(members):
            place = (part, offset, index)
            event = None
            if isinstance(member, dict):
                event = self._kinds.event(member, place, message.timestamp()[1])
            if event is None:
                seen.broken[place] = "member"
            else:
                seen.events[place] = event
                seen.places[event.id].append(place)

    def _classified(self, part: int, offset: int, message: Message) -> None:
        value = json.loads(message.value() or b"")
        facts = value["facts"]
        if (message.key() or b"").decode() != facts["subject"]:
            self._seen.faults.append(f"{facts['id']} is classified under a key not its subject's")
        into = self._seen.classified if "event" in value else self._seen.effects
        origin = value["origin"]
        into[origin["partition"], origin["offset"], origin["member"]].append((part, offset))

    def _dead_letter(self, message: Message) -> None:
        headers: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]
        place = (
            int(headers["__connect.errors.partition"]),
            int(headers["__connect.errors.offset"]),
            int(headers.get("x-riskstream-member", b"0")),
        )
        reason = headers["x-riskstream-stage"] + b"/" + headers["x-riskstream-reason"]
        self._seen.dead[place].append(reason.decode())

    def _scored(self, topic: str, part: int, offset: int, message: Message) -> None:
        value = json.loads(message.value() or b"")
        name = value["id"]
        self._seen.scored[name].append((topic, part, offset))
        places = self._seen.places.get(name)
        if not places:
            return  # not read yet, or invented; the check tells
        event = self._seen.events[places[0]]
        if value["subject"] != event.subject or (message.key() or b"").decode() != event.subject:
            self._seen.faults.append(f"{name} is keyed by another subject than {event.subject}")
        if SCORED[topic] != event.category or value["category"] != event.category:
            self._seen.faults.append(f"{name} is in {topic}, its category is {event.category}")
        if value.get("raw_truncated"):
            if "sha256=" not in value["raw"]:
                self._seen.faults.append(f"{name} is truncated without a reference")
        elif json.loads(value["raw"]) != event.content:
            self._seen.faults.append(f"{name} has the received text of another event")
        risk = value["risk"]
        if risk["score"] != risk["prior"]["points"] + sum(s["points"] for s in risk["signals"]):
            self._seen.faults.append(f"{name}: the points do not add up to the score")

    # Checking

    def check(self, *, complete: bool = True) -> list[str]:
        """All findings over what was read; empty when every promise holds.

        Args:
            complete: Every event must have an outcome. Otherwise, with all workers dead and no
                transaction open, exactly those below the committed offsets must have one.
        """
        findings = list(dict.fromkeys(self._seen.faults))
        reached = None if complete else {t: self.committed(t) for t in (RAW, CLASSIFIED)}
        findings += self._check_ingested(None if reached is None else reached[RAW])
        findings += self._check_scored(None if reached is None else reached[CLASSIFIED])
        findings += self._check_order()
        findings += self._check_tables(None if reached is None else reached[CLASSIFIED])
        return findings

    def _check_ingested(self, committed: dict[int, int] | None) -> Iterator[str]:
        """Every sighting is classified once, or a dead letter once; every effect written once."""
        seen = self._seen
        for records, what in ((seen.classified, "classified"), (seen.effects, "effects")):
            yield from _say(
                f"{what} more than once", [f"{p} {at}" for p, at in records.items() if len(at) > 1]
            )
            yield from _say(f"{what}, but never received", records.keys() - seen.events.keys())
        dead = {place: reasons for place, reasons in seen.dead.items() if place not in seen.broken}
        yield from _say("dead letters of good events", [f"{p} {r}" for p, r in dead.items()])
        yield from _say("dead-lettered twice", [p for p, r in seen.dead.items() if len(r) > 1])
        for place, event in seen.events.items():
            if event.effect is not None and (place in seen.classified) != (place in seen.effects):
                yield f"{event.id} and its effect were not committed together"
        done = {place: place in seen.classified for place in seen.events}
        done.update({place: place in seen.dead for place in seen.broken})
        yield from _against_offsets("raw", done, committed)

    def _check_scored(self, committed: dict[int, int] | None) -> Iterator[str]:
        """Every classified event is scored once, however often it was sent."""
        seen = self._seen
        repeated = {name: at for name, at in seen.scored.items() if len(at) > 1}
        yield from _say("scored more than once", [f"{n} {at}" for n, at in repeated.items()])
        first = {event.id: at for event, at in self._first(seen.classified)}
        yield from _say("scored, but never classified", seen.scored.keys() - first.keys())
        done = {(*at, 0): name in seen.scored for name, at in first.items()}
        yield from _against_offsets("classified", done, committed)

    def _first(self, records: dict[Place, list[Position]]) -> Iterator[tuple[Event, Position]]:
        """Of each event the sighting that its classified partition has first, and where."""
        first: dict[str, tuple[Position, Place]] = {}
        for place, positions in records.items():
            event = self._seen.events.get(place)
            if event is not None:
                found = min(positions), place
                first[event.id] = min(first.get(event.id, found), found)
        for at, place in first.values():
            yield self._seen.events[place], at

    def _check_order(self) -> Iterator[str]:
        """Events of one subject from one raw partition keep their order wherever they go."""
        seen = self._seen
        accepted = {event.id: event for event, _ in self._first(seen.classified)}
        scored = (
            (at, accepted[name])
            for name, found in seen.scored.items()
            if name in accepted
            for at in found
        )
        classified = (
            (at, seen.events[place])
            for place, found in seen.classified.items()
            if place in seen.events
            for at in found
        )
        yield from _say("scored out of order", _out_of_order(scored))
        yield from _say("classified out of order", _out_of_order(classified))

    def _check_tables(self, committed: dict[int, int] | None) -> Iterator[str]:
        """The rows equal a recount of what is committed."""
        folds = list(self._folds(committed))
        yield from self._compare(FAILURES, count_failures(folds))
        yield from self._compare(LOCKOUTS, count_lockouts(folds, self._kinds))

    def _folds(self, committed: dict[int, int] | None) -> Iterator[Fold]:
        """What the rows must hold: of each event and each effect the first sighting."""
        for records, of_effects in ((self._seen.classified, False), (self._seen.effects, True)):
            for event, (part, offset) in self._first(records):
                fold = event.effect if of_effects else event.own
                if fold is not None and (committed is None or offset < committed.get(part, 0)):
                    yield fold

    def _compare(self, topic: str, wanted: dict[str, dict[str, Any]]) -> Iterator[str]:
        as_counted = failures_as_counted if topic == FAILURES else lockouts_as_counted
        rows = {
            subject: (part, as_counted(json.loads(value)))
            for subject, (part, value) in self._seen.rows[topic].items()
            if value is not None
        }
        watermarks: dict[int, int] = defaultdict(int)
        for part, row in rows.values():
            watermarks[part] = max(watermarks[part], row["as_of"])
        places = {fold.subject: part for fold, part in self._located()}
        missing, wrong = [], []
        for subject, row in wanted.items():
            part = places.get(subject, -1)
            held = rows.get(subject)
            if row["as_of"] + TTL[topic] < watermarks.get(part, 0):
                continue  # run out: its tombstone may be written, and it may be begun anew
            if held is None:
                missing.append(subject)
            elif held[1] != row:
                wrong.append(f"{subject}: {held[1]}, counted {row}")
        yield from _say(f"rows missing in {topic}", missing)
        yield from _say(f"wrong rows in {topic}", wrong)
        yield from _say(f"rows in {topic} that nothing led to", rows.keys() - wanted.keys())

    def _located(self) -> Iterator[tuple[Fold, int]]:
        for records, of_effects in ((self._seen.classified, False), (self._seen.effects, True)):
            for place, positions in records.items():
                event = self._seen.events.get(place)
                fold = event and (event.effect if of_effects else event.own)
                if fold:
                    yield fold, positions[0][0]

    def open_transactions(self, timeout: float) -> list[str]:
        """Wait until the last stable offset is the end everywhere; what stays open after that."""
        deadline = time.monotonic() + timeout
        while True:
            found = [
                f"{topic}-{part}: last stable offset {stable}, end {end}"
                for topic, part in self._partitions
                if topic in WRITTEN
                if (stable := _end(self._stable, (topic, part)))
                < (end := _end(self._plain, (topic, part)))
            ]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def committed(self, topic: str, timeout: float = 30.0) -> dict[int, int]:
        """Committed offset of the topic's group, by partition; absent where there is none."""
        client = self._client(self._groups[topic])
        try:
            wanted = [
                TopicPartition(topic, part) for name, part in self._partitions if name == topic
            ]
            found = client.committed(wanted, timeout=timeout)
            return {tp.partition: tp.offset for tp in found if tp.offset >= 0}
        finally:
            client.close()

    def _find_partitions(self) -> list[tuple[str, int]]:
        described = self._consumer.list_topics(timeout=30.0).topics
        return [(topic, part) for topic in (RAW, *WRITTEN) for part in described[topic].partitions]

    def _client(self, group: str, **settings: object) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "receive.message.max.bytes": 2_000_000_000,
                "log_level": 0,  # a broker that dies is part of the plan
                **settings,
            }
        )


_PASSING = {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT"}


def _end(client: Consumer, part: tuple[str, int], timeout: float = 30.0) -> int:
    """The end of a partition for this client: the last stable offset where it reads so."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            watermarks = client.get_watermark_offsets(TopicPartition(*part), timeout=10.0)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return int(watermarks[1])


def _out_of_order(records: Iterable[tuple[tuple[Any, ...], Event]]) -> Iterator[str]:
    """Records that stand behind a later one of their subject and raw partition."""
    newest: dict[tuple[Any, ...], Place] = {}
    for at, event in sorted(records, key=lambda record: record[0]):
        lane = (*at[:-1], event.subject, event.place[0])
        if newest.get(lane, (-1, -1, -1)) > event.place:
            yield f"{event.id} of {event.subject}"
        newest[lane] = max(newest.get(lane, event.place), event.place)


def _against_offsets(
    hop: str, done: dict[Place, bool], committed: dict[int, int] | None
) -> Iterator[str]:
    """Done is all of it, or with committed offsets exactly what lies below them."""
    if committed is None:
        yield from _say(f"{hop} events lost", [place for place, ended in done.items() if not ended])
        return
    lost = [p for p, ended in done.items() if not ended and p[1] < committed.get(p[0], 0)]
    beyond = [p for p, ended in done.items() if ended and p[1] >= committed.get(p[0], 0)]
    yield from _say(f"{hop} events lost below the committed offset", lost)
    yield from _say(f"{hop} events done beyond the committed offset", beyond)


def _say(what: str, found: Iterable[object]) -> Iterator[str]:
    items = list(found)
    if items:
        shown = "; ".join(str(item) for item in items[:SHOWN])
        yield f"{len(items)} {what}: {shown}"
