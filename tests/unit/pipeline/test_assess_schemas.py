"""What assess writes is valid by the published schemas."""

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

from riskstream.events.topics import FAILURES, LOCKOUTS, SCORED
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
    assert {output.topic for output in outputs} == set(SCORED.values())
    assert [fault for output in outputs for fault in _faults("scored", output.value)] == []


def test_rows_are_valid() -> None:
    """Of both public tables."""
    changes = assess()(records(EVENTS), PartitionState()).changes
    rows = {output.topic: output.value for output in changes.changelog(None)}
    assert _faults("failures_row", rows[FAILURES]) == []
    assert _faults("lockouts_row", rows[LOCKOUTS]) == []
