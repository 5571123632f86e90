"""What assess writes is valid by the published schemas."""

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

from riskstream.events.topics import ALERTS, FAILURES, LOCKOUTS, SCORED, USERS
from riskstream.events.vocabulary import Category, Change, Kind, LockScope
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from tests.support.risk import DAY, HOME, NOON, assess, classified, facts, record, records, vendor

SCHEMAS = Path(__file__).parents[3] / "schemas"


@cache
def _validator(name: str) -> Draft202012Validator:
    text = (SCHEMAS / f"{name}.v1.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _faults(name: str, value: bytes | None) -> list[str]:
    assert value is not None
    return [fault.message for fault in _validator(name).iter_errors(json.loads(value))]


EVENTS = [
    *(facts(Kind.LOGIN_FAILURE, time_ms=NOON + each, ip=HOME) for each in range(4)),
    facts(Kind.MFA_DENIED, time_ms=NOON + 8),
    facts(Kind.LOCKOUT, change=Change.LOCK, time_ms=NOON + 9),
    facts(Kind.USER_LIFECYCLE, change=Change.SUSPEND, time_ms=NOON + 9),
    facts(Kind.UNLOCK, change=Change.UNLOCK, scope=LockScope.FACTOR),
    facts(vendor=vendor(48), time_ms=NOON + 20),
    facts(Kind.LOGIN_FAILURE, time_ms=NOON - 3 * DAY),
    *(facts(Kind.READ, category=category) for category in Category),
]


def test_scored_events_are_valid() -> None:
    """Signals, the vendor's score, late, clipped and truncated ones."""
    source = records(EVENTS)
    source.append(record(classified(facts(time_ms=NOON + DAY), received_ms=NOON), 99))
    outputs = assess()(source, PartitionState()).outputs
    outputs += assess(Limits(max_message_bytes=1))(source, PartitionState()).outputs
    scored = [output for output in outputs if output.topic != ALERTS]
    assert {output.topic for output in scored} == set(SCORED.values())
    assert [fault for output in scored for fault in _faults("scored", output.value)] == []


def test_alerts_are_valid() -> None:
    """At the first rise, and at one after repeats."""
    rises = [facts(vendor=vendor(90), time_ms=NOON + each * DAY) for each in (0, 0, 2)]
    alerts = [
        output
        for output in assess()(records(rises), PartitionState()).outputs
        if output.topic == ALERTS
    ]
    assert [json.loads(each.value or b"")["repeats"] for each in alerts] == [0, 1]
    assert [fault for each in alerts for fault in _faults("alert", each.value)] == []


def test_rows_are_valid() -> None:
    """Of all public tables."""
    changes = assess()(records(EVENTS), PartitionState()).changes
    rows = {output.topic: output.value for output in changes.changelog(None)}
    assert _faults("failures_row", rows[FAILURES]) == []
    assert _faults("lockouts_row", rows[LOCKOUTS]) == []
    assert _faults("users_row", rows[USERS]) == []
