"""All that stands in the topics of a chaos run, by what it is. Knows nothing of any client."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.recount import Event, Kinds, members_of

__all__ = [
    "ALERTS",
    "CLASSIFIED",
    "DEAD_LETTER",
    "FAILURES",
    "LOCKOUTS",
    "RAW",
    "SCORED",
    "USERS",
    "WRITTEN",
    "Place",
    "Position",
    "Record",
    "Seen",
]

RAW, CLASSIFIED = "iam.events.raw.v1", "iam.events.classified.v1"
DEAD_LETTER = "iam.events.dead-letter.v1"
CATEGORIES = ("apps", "users", "onelogin", "provisioning", "uncataloged")
SCORED = {f"iam.scored.{category}.v1": category for category in CATEGORIES}
FAILURES, LOCKOUTS = "iam.state.failures.v1", "iam.state.lockouts.v1"
PROFILES = "iam.internal.profiles.v1"
USERS, ALERTS = "iam.state.users.v1", "iam.alerts.v1"
WRITTEN = (CLASSIFIED, DEAD_LETTER, *SCORED, ALERTS, FAILURES, LOCKOUTS, USERS, PROFILES)
"""Every topic that workers write."""
MAX_RECORD = 1_000_000
"""Bytes of a raw record; a larger one is a dead letter."""

Place = tuple[int, int, int]
"""Raw partition, offset, index in the record."""
Position = tuple[int, int]
"""Partition, offset."""


class Record(NamedTuple):
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp: int
    """Epoch milliseconds."""


@dataclass(slots=True)
class Seen:
    """Takes in records, each once, those of the raw topic before what came of them."""

    kinds: Kinds
    events: dict[Place, Event] = field(default_factory=dict)
    """Every sighting; an event that was sent twice has two."""
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Sightings by event id, in no order."""
    broken: set[Place] = field(default_factory=set)
    """Records and members that are no events."""
    classified: dict[Place, list[Position]] = field(default_factory=lambda: defaultdict(list))
    effects: dict[Place, list[Position]] = field(default_factory=lambda: defaultdict(list))
    dead: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    """With stage and reason."""
    scored: dict[str, list[tuple[str, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Topic, partition, offset of each scored record of an event."""
    alerts: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    """By id, the ids of the events behind each record of it."""
    rows: dict[str, dict[str, tuple[int, bytes | None]]] = field(
        default_factory=lambda: {FAILURES: {}, LOCKOUTS: {}}
    )
    """By topic and subject: partition and the last value."""
    truncated: int = 0
    """Scored records whose text did not fit."""
    faults: list[str] = field(default_factory=list)
    """What was wrong with a record in itself."""

    def take(self, record: Record) -> None:
        """Sort a record in."""
        if record.topic == RAW:
            self._raw(record)
        elif record.topic == CLASSIFIED:
            self._classified(record)
        elif record.topic == DEAD_LETTER:
            self._dead_letter(record)
        elif record.topic in SCORED:
            self._scored(record)
        elif record.topic == ALERTS:
            self._alert(record)
        elif record.topic in self.rows:
            self._row(record)

    def tally(self) -> dict[str, int]:
        """How much of what was there to be checked."""
        return {
            "events": len(self.places),
            "sent twice": len(self.events) - len(self.places),
            "effects": len(self.effects),
            "broken": len(self.broken),
            "truncated": self.truncated,
            "alerts": len(self.alerts),
            "rows of failures": len(self.rows[FAILURES]),
            "rows of lockouts": len(self.rows[LOCKOUTS]),
        }

    def _raw(self, record: Record) -> None:
        value = record.value
        members = None if len(value or b"") > MAX_RECORD else members_of(value)
        if members is None:
            self.broken.add((record.partition, record.offset, 0))
            return
        for index, member in enumerate(members):
            place = (record.partition, record.offset, index)
            event = None
            if isinstance(member, dict):
                event = self.kinds.event(member, place, record.timestamp)
            if event is None:
                self.broken.add(place)
            else:
                self.events[place] = event
                self.places[event.id].append(place)

    def _classified(self, record: Record) -> None:
        value = json.loads(record.value or b"")
        facts, origin = value["facts"], value["origin"]
        if (record.key or b"").decode() != facts["subject"]:
            self.faults.append(f"{facts['id']} is classified under a key not its subject's")
        into = self.classified if "event" in value else self.effects
        place = (origin["partition"], origin["offset"], origin["member"])
        into[place].append((record.partition, record.offset))

    def _dead_letter(self, record: Record) -> None:
        headers = record.headers
        place = (
            int(headers["__connect.errors.partition"]),
            int(headers["__connect.errors.offset"]),
            int(headers.get("x-riskstream-member", b"0")),
        )
        reason = headers["x-riskstream-stage"] + b"/" + headers["x-riskstream-reason"]
        self.dead[place].append(reason.decode())

    def _scored(self, record: Record) -> None:
        value = json.loads(record.value or b"")
        name = value["id"]
        self.scored[name].append((record.topic, record.partition, record.offset))
        places = self.places.get(name)
        if not places:
            return  # never sent: the check tells
        event = self.events[places[0]]
        if value["subject"] != event.subject or (record.key or b"").decode() != event.subject:
            self.faults.append(f"{name} is keyed by another subject than {event.subject}")
        if SCORED[record.topic] != event.category or value["category"] != event.category:
            self.faults.append(f"{name} is in {record.topic}, its category is {event.category}")
        if value.get("raw_truncated"):
            self.truncated += 1
            if "sha256=" not in value["raw"]:
                self.faults.append(f"{name} is truncated without a reference")
        elif json.loads(value["raw"]) != event.content:
            self.faults.append(f"{name} has the received text of another event")
        risk = value["risk"]
        points = sum(signal["points"] for signal in risk["signals"])
        if risk["score"] != risk["prior"]["points"] + points:
            self.faults.append(f"{name}: the points do not add up to the score")

    def _alert(self, record: Record) -> None:
        value = json.loads(record.value or b"")
        self.alerts[value["id"]].append(tuple(value["event_ids"]))
        if (record.key or b"").decode() != value["subject"]:
            self.faults.append(f"alert {value['id']} is keyed by another subject than its own")

    def _row(self, record: Record) -> None:
        subject = (record.key or b"").decode()
        before = self.rows[record.topic].get(subject)
        if before is not None and before[0] != record.partition:
            self.faults.append(f"row {subject} of {record.topic} stands in two partitions")
        self.rows[record.topic][subject] = (record.partition, record.value)
