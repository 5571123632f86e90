"""What came of the demo's events, gathered from the records of the output topics."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from riskstream.events.record import Record
from riskstream.events.topics import ALERTS, DEAD_LETTER, LOCKOUTS
from riskstream.pipeline.outputs import DETAIL, REASON

__all__ = ["Alert", "Lockout", "Outcomes", "RiskySubject", "StoryResult"]

NOTABLE = 26
"""Scores from here on (Medium) are looked into; the rest is only counted."""
REASONS_SHOWN = 2


@dataclass(slots=True)
class RiskySubject:
    """The worst that is known of one subject."""

    subject: str
    name: str = ""
    score: int = 0
    level: str = "no"
    high: int = 0
    """Events at level high."""
    reasons: str = ""
    """Of the event with the highest score."""


@dataclass(slots=True)
class StoryResult:
    """What was made of one kind of story."""

    name: str
    events: int = 0
    score: int = 0
    level: str = "no"
    reasons: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A subject whose standing rose to High."""

    time: str
    subject: str
    before: int
    after: int
    """Scores of the standing."""
    reasons: str


@dataclass(frozen=True, slots=True)
class Lockout:
    """A subject that the lockouts table shows as locked at some time."""

    subject: str
    since: str
    locks: int
    """In the seven days up to the subject's newest event."""
    locked: bool
    """Still so at the subject's newest event."""


@dataclass(slots=True)
class Outcomes:
    """Counts of everything that came out, and a closer look at what scored high."""

    routed: int = 0
    by_topic: Counter[str] = field(default_factory=Counter)
    by_level: Counter[str] = field(default_factory=Counter)
    by_category: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (category, level)."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By reason."""
    examples: dict[str, str] = field(default_factory=dict)
    """One detail per reason."""
    subjects: dict[str, RiskySubject] = field(default_factory=dict)
    stories: dict[str, StoryResult] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    """As they came."""
    _story_of: dict[str, str] = field(default_factory=dict)
    _lockouts: dict[str, bytes] = field(default_factory=dict)

    @property
    def dead_lettered(self) -> int:
        """Events and records that became dead letters."""
        return self.dead_letters.total()

    def expect(self, stories: tuple[tuple[str, str], ...]) -> None:
        """Take note of events that belong to stories: (event identity, story)."""
        self._story_of.update(stories)

    def add(self, record: Record) -> None:
        """Count one record of a scored topic or of those for dead letters, alerts and lockouts."""
        if record.topic == LOCKOUTS:
            self._add_lockout(record)
            return
        if record.topic == ALERTS:
            self._add_alert(orjson.loads(record.value or b"{}"))
            return
        headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
        self.by_topic[record.topic] += 1
        if record.topic == DEAD_LETTER:
            reason = headers.get(REASON, "?")
            self.dead_letters[reason] += 1
            self.examples.setdefault(reason, headers.get(DETAIL, ""))
        else:
            self._add_scored(record, headers)

    def top(self, number: int) -> list[RiskySubject]:
        """The subjects with the highest scores, then with the most high events."""
        return heapq.nsmallest(
            number, self.subjects.values(), key=lambda it: (-it.score, -it.high, it.subject)
        )

    def lockouts(self) -> list[Lockout]:
        """Subjects with a lock, the latest first."""
        found = []
        for subject, value in self._lockouts.items():
            row = orjson.loads(value)
            since = [each["time"] for each in row["registers"] if each["kind"] == "locked"]
            if since:
                locks = row["windows"][-1]["total"]
                locked = any(scope["locked"] for scope in row["scopes"])
                found.append(Lockout(subject, max(since), locks, locked))
        return sorted(found, key=lambda it: (it.since, it.subject), reverse=True)

    def _add_alert(self, alert: Mapping[str, Any]) -> None:
        before, after = alert["previous"]["score"], alert["standing"]["score"]
        found = Alert(alert["time"], alert["subject"], before, after, alert["reasons"])
        self.alerts.append(found)

    def _add_lockout(self, record: Record) -> None:
        subject = (record.key or b"").decode("utf-8", "replace")
        if record.value is None:
            self._lockouts.pop(subject, None)
        else:
            self._lockouts[subject] = record.value

    def _add_scored(self, record: Record, headers: Mapping[str, str]) -> None:
        level, score = headers["risk_level"], int(headers["risk_score"])
        self.routed += 1
        self.by_level[level] += 1
        self.by_category[headers["category"], level] += 1
        story = self._story_of.pop(headers["ce_id"], None)
        if story is None and score < NOTABLE:
            return
        event = orjson.loads(record.value or b"{}")
        reasons = _strongest(event)
        if story is not None:
            self._add_to_story(story, score, level, reasons)
        if score >= NOTABLE:
            self._add_risky(event, score, level, reasons)

    def _add_to_story(self, story: str, score: int, level: str, reasons: str) -> None:
        result = self.stories.setdefault(story, StoryResult(story))
        result.events += 1
        if score > result.score:
            result.score, result.level, result.reasons = score, level, reasons

    def _add_risky(self, event: Mapping[str, Any], score: int, level: str, reasons: str) -> None:
        subject = str(event["subject"])
        risky = self.subjects.setdefault(subject, RiskySubject(subject))
        risky.high += level == "high"
        if score > risky.score:
            risky.score, risky.level, risky.reasons = score, level, reasons
            risky.name = _name(event)


def _strongest(event: Mapping[str, Any]) -> str:
    """Details of the signals that carry most of the score."""
    signals = [signal for signal in event["risk"]["signals"] if signal["points"] > 0]
    signals.sort(key=lambda signal: -signal["points"])
    return "; ".join(signal["detail"] for signal in signals[:REASONS_SHOWN])


def _name(event: Mapping[str, Any]) -> str:
    """Name of the subject: the user whose id the subject ends with, else who acted."""
    own_id = str(event["subject"]).rpartition(":")[2]
    for part in ("user", "actor", "client"):
        who = event.get(part, {})
        if str(who.get("id", who.get("system"))) == own_id:
            return str(who.get("name") or who.get("system") or "")
    return str(event.get("actor", {}).get("name", ""))
