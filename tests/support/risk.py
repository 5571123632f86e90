"""Builders for the state and scoring half of the core."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec

from riskstream.events.event import Classified, Event, EventTypeRef, Facts, Origin, VendorRisk
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import CLASSIFIED, DEAD_LETTER, RAW
from riskstream.events.vocabulary import (
    Category,
    Change,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
)
from riskstream.pipeline.assess import Assess, Assessed
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.overlay import Overlay
from riskstream.pipeline.state import PartitionState
from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    device_levels,
    key_of,
    place_levels,
)
from riskstream.risk.habits import UNIT, Habits, entry, pane_of
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Policy
from riskstream.risk.profile import VERSION, Profile

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z."""
HOME = "198.51.100.7"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

_FAILING = {"failure", "denied"}


@cache
def policy() -> Policy:
    """The policy that is shipped."""
    return load_policy()


def facts(kind: Kind = Kind.LOGIN_SUCCESS, **changes: Any) -> Facts:
    """Facts of an event of user 7, at noon, from nowhere."""
    failing = kind.value.rpartition("_")[2] in _FAILING
    values: dict[str, Any] = {
        "id": "1234:1",
        "time_ms": NOON,
        "account_id": 1234,
        "subject": "1234:7",
        "profiled": True,
        "subject_type": "user",
        "event_type_id": TYPE_OF.get(kind, 900),
        "category": Category.USERS,
        "kind": kind,
        "outcome": EventOutcome.FAILURE if failing else EventOutcome.SUCCESS,
        "user_id": 7,
    }
    return Facts(**(values | changes))


TYPE_OF = {
    Kind.LOGIN_SUCCESS: 5,
    Kind.LOGIN_FAILURE: 6,
    Kind.APP_ACCESS: 8,
    Kind.LOCKOUT: 19,
    Kind.UNLOCK: 12,
    Kind.MFA_SUCCESS: 1400,
    Kind.MFA_FAILURE: 1002,
    Kind.MFA_DENIED: 950,
    Kind.PRIVILEGE_CHANGE: 72,
    Kind.USER_LIFECYCLE: 17,
    Kind.CREDENTIAL_CHANGE: 11,
}
"""Event type ids that stand for a kind here."""


def usual(of: Facts, times: int = 5, at: int = NOON - 30 * DAY) -> Habits:
    """What a profile has of the place and the device of an event after so many logins there."""
    met = entry(times * UNIT, pane_of(at), pane_of(at))
    keys = (*CHAINS.values(), *place_levels(of).keys, *device_levels(of).keys)
    return dict.fromkeys(keys, met)


def done(*event_type_ids: int, times: int = 5) -> Habits:
    """What a profile has of these actions."""
    met = entry(times * UNIT, pane_of(NOON), pane_of(NOON))
    keys = [key_of(Feature.ACTION, each) for each in event_type_ids]
    return dict.fromkeys([CHAINS[Chain.ACTIONS], *keys], met)


def profile_of(of: Facts | None = None, **changes: Any) -> Profile:
    """A user who logged in five times from home with a laptop, or as ``of`` says."""
    at_home = of or facts(ip=HOME, user_agent=LAPTOP)
    values: dict[str, Any] = {
        "version": VERSION,
        "as_of_ms": NOON - MINUTE,
        "offset": 1,
        "logins": 5,
        "age": pane_of(NOON),
        "usual": usual(at_home),
    }
    return Profile(**(values | changes))


def public(of: Facts) -> bytes:
    """The public part that ingest would have written."""
    event = Event(
        schema_version=1,
        id=of.id,
        time=format_time(of.time_ms),
        account_id=of.account_id,
        subject=of.subject,
        category=of.category,
        event_type=EventTypeRef(of.event_type_id, "NAME", "Title", of.kind.value, "article"),
        message="Something happened",
        outcome=of.outcome,
    )
    return msgspec.json.encode(event)


def classified(of: Facts, *, effect: bool = False, **changes: Any) -> Classified:
    """A classified record's value."""
    text = json.dumps({"id": of.id, "event_type_id": of.event_type_id})
    values: dict[str, Any] = {
        "schema_version": 1,
        "facts": of,
        "origin": Origin(RAW, 0, 17, 0),
    }
    if not effect:
        values |= {
            "event": msgspec.Raw(public(of)),
            "raw": msgspec.Raw(msgspec.json.encode(text)),
        }
    return Classified(**(values | changes))


def record(value: Classified | bytes | None, offset: int = 0) -> InputRecord:
    """A record of the classified topic."""
    key = value.facts.subject.encode() if isinstance(value, Classified) else b"key"
    encoded = msgspec.json.encode(value) if isinstance(value, Classified) else value
    return InputRecord(CLASSIFIED, 0, offset, None, key, encoded)


def records(events: Iterable[Facts], start: int = 0) -> list[InputRecord]:
    """Records of events, one offset after another."""
    return [record(classified(of), start + place) for place, of in enumerate(events)]


def assess(limits: Limits | None = None, by: Policy | None = None) -> Assess:
    """Assess with the shipped policy."""
    if limits is None and by is None:
        return _SHIPPED
    return Assess(by or policy(), limits or Limits())


_SHIPPED = Assess(policy(), Limits())


def run(
    source: Sequence[InputRecord], cuts: Iterable[int] = (), state: PartitionState | None = None
) -> tuple[list[Assessed], PartitionState]:
    """Assess chunks that end at ``cuts``, each applied before the next."""
    state = PartitionState() if state is None else state
    stage, results = assess(), []
    bounds = [0, *sorted(cuts), len(source)]
    for start, end in pairwise(bounds):
        results.append(stage(source[start:end], state))
        state.apply(results[-1].changes)
    return results, state


def live_rows(state: PartitionState) -> dict[str, dict[str, Any]]:
    """Every row that has not expired, by table."""
    view = Overlay(state)
    return {
        "failures": _present(state.failures, view.failures),
        "lockouts": _present(state.lockouts, view.lockouts),
        "users": _present(state.standings, view.standing),
        "profiles": _present(state.profiles, view.profile),
        "context": _present(state.contexts, view.context),
    }


def _present(keys: Iterable[str], read: Callable[[str], Any]) -> dict[str, Any]:
    return {key: row for key in keys if (row := read(key)) is not None}


@dataclass
class Told:
    """One scored event of a story."""

    score: int
    level: str
    signals: dict[str, float]
    value: dict[str, Any]


@dataclass
class Story:
    """Events one after another, each assessed and applied at once."""

    now: int = NOON
    state: PartitionState = field(default_factory=PartitionState)
    ip: str | None = HOME
    user_agent: str | None = LAPTOP
    told: list[Told] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    offset: int = 0
    by: Assess = field(default_factory=assess)

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds

    def happens(self, kind: Kind, after: int = MINUTE, **changes: Any) -> Told:
        """An event of user 7 from the story's place, ``after`` milliseconds later."""
        self.now += after
        self.offset += 1
        values: dict[str, Any] = {
            "id": f"1234:{self.offset}",
            "time_ms": self.now,
            "ip": self.ip,
            "user_agent": self.user_agent,
        }
        of = facts(kind, **(values | changes))
        result = self.by([record(classified(of), self.offset)], self.state)
        self.state.apply(result.changes)
        output, *alerts = result.outputs
        assert output.topic != DEAD_LETTER, output
        self.alerts += [json.loads(alert.value or b"") for alert in alerts]
        assert output.value is not None
        value = json.loads(output.value)
        risk = value["risk"]
        signals = {each["id"]: each["evidence"] for each in risk["signals"]}
        self.told.append(Told(risk["score"], risk["level"], signals, value))
        return self.told[-1]

    def effect(self, kind: Kind, change: Change, after: int = MINUTE, **changes: Any) -> None:
        """Somebody else does something to user 7."""
        self.now += after
        self.offset += 1
        of = facts(kind, id=f"1234:{self.offset}", time_ms=self.now, change=change, **changes)
        result = self.by([record(classified(of, effect=True), self.offset)], self.state)
        self.state.apply(result.changes)
        assert not result.outputs

    def locks(self, after: int = MINUTE) -> Told:
        """The system locks the account."""
        return self.happens(Kind.LOCKOUT, after, change=Change.LOCK, scope=LockScope.ACCOUNT)

    def acts(self, kind: Kind, after: int = MINUTE, **changes: Any) -> Told:
        """A sensitive action."""
        return self.happens(kind, after, sensitivity=Sensitivity.SENSITIVE, **changes)

    def habits(self, days: int = 5) -> None:
        """Ordinary working days: what comes after is measured against them."""
        for _ in range(days):
            self.happens(Kind.LOGIN_SUCCESS, DAY)
            self.happens(Kind.APP_ACCESS)
        self.now += HOUR

    @property
    def levels(self) -> set[str]:
        """Every level that the story has met."""
        return {each.level for each in self.told}


def vendor(score: int) -> VendorRisk:
    """OneLogin's own score."""
    return VendorRisk(score, (f"Infrequent access from {HOME}",))
