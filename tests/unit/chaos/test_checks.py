"""The verifier of the fault tests finds what is wrong, and nothing where nothing is."""

import json
from collections.abc import Callable

import pytest

from tests.chaos.run import CATALOG, POLICY
from tests.support.checks import check_exactly_once, check_nothing_lost
from tests.support.recount import Kinds
from tests.support.seen import (
    ALERTS,
    CLASSIFIED,
    DEAD_LETTER,
    FAILURES,
    LOCKOUTS,
    RAW,
    Record,
    Seen,
)

USERS = "iam.scored.users.v1"
AT = "2026-11-23T10:00:00.000Z"
RECEIVED = 1_795_428_000_000
Change = Callable[[list[Record]], list[Record]]


def raw_event(serial: int, type_id: int, user: int, actor: int) -> dict[str, object]:
    """An event as OneLogin sends it."""
    return {
        "id": serial,
        "account_id": 1,
        "event_type_id": type_id,
        "user_id": user,
        "actor_user_id": actor,
        "created_at": AT,
    }


FAILED, LOCKED, UNLOCKED = raw_event(1, 6, 7, 7), raw_event(2, 19, 7, 7), raw_event(3, 12, 7, 9)
"""A failed login, the lock that follows, and an administrator who undoes it."""
FAILURES_ROW = {
    "as_of": AT,
    "windows": [
        {"window": name, "counts": [{"kind": "login", "count": 1}]} for name in ("5m", "1h", "24h")
    ],
}
LOCKOUTS_ROW = {
    "as_of": AT,
    "registers": [
        {"scope": "account", "kind": "locked", "time": AT, "event_id": "1:2", "event_type_id": 19},
        {
            "scope": "account",
            "kind": "unlocked",
            "time": AT,
            "event_id": "1:3",
            "event_type_id": 12,
        },
    ],
    "windows": [{"window": "24h", "total": 1}, {"window": "7d", "total": 1}],
    "scopes": [{"scope": "account", "locked": False}],
}


def record(topic: str, offset: int, key: str, value: object, **headers: bytes) -> Record:
    """A record of partition 0."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Record(topic, 0, offset, key.encode(), text, headers, RECEIVED)


def classified(offset: int, event: dict[str, object], subject: str, *, effect: bool) -> Record:
    """What ingest makes of the event in the raw record of the same number."""
    origin = {"partition": 0, "offset": event["id"], "member": 0}
    value = {"facts": {"id": f"1:{event['id']}", "subject": subject}, "origin": origin}
    return record(CLASSIFIED, offset, subject, value if effect else {**value, "event": {}})


def scored(offset: int, event: dict[str, object], subject: str) -> Record:
    """What assess makes of it."""
    value = {
        "id": f"1:{event['id']}",
        "subject": subject,
        "category": "users",
        "raw": json.dumps(event),
        "risk": {"score": 9, "prior": {"points": 4}, "signals": [{"points": 5}]},
    }
    return record(USERS, offset, subject, value)


def all_is_well() -> list[Record]:
    """Three events and a broken record, each with what must become of it."""
    return [
        *(record(RAW, int(str(event["id"])), "", event) for event in (FAILED, LOCKED, UNLOCKED)),
        record(RAW, 4, "", b'{"cut'),
        classified(0, FAILED, "1:7", effect=False),
        classified(1, LOCKED, "1:7", effect=False),
        classified(2, UNLOCKED, "1:9", effect=False),
        classified(3, UNLOCKED, "1:7", effect=True),
        record(DEAD_LETTER, 0, "", b'{"cut')._replace(
            headers={
                "__connect.errors.partition": b"0",
                "__connect.errors.offset": b"4",
                "x-riskstream-stage": b"decode",
                "x-riskstream-reason": b"malformed_json",
            }
        ),
        scored(0, FAILED, "1:7"),
        scored(1, LOCKED, "1:7"),
        scored(2, UNLOCKED, "1:9"),
        record(ALERTS, 0, "1:7", {"id": "a1", "subject": "1:7", "event_ids": ["1:2", "1:1"]}),
        record(FAILURES, 0, "1:7", FAILURES_ROW),
        record(LOCKOUTS, 0, "1:7", LOCKOUTS_ROW),
    ]


def seen(records: list[Record]) -> Seen:
    """All of them, taken in."""
    found = Seen(Kinds.read(CATALOG, POLICY))
    for each in records:
        found.take(each)
    return found


def without(topic: str, offset: int) -> Change:
    """Less one record."""
    return lambda records: [r for r in records if (r.topic, r.offset) != (topic, offset)]


def again(topic: str, offset: int) -> Change:
    """One record a second time."""

    def change(records: list[Record]) -> list[Record]:
        (one,) = (r for r in records if (r.topic, r.offset) == (topic, offset))
        return [*records, one._replace(offset=90)]

    return change


def other(topic: str, offset: int, old: bytes, new: bytes) -> Change:
    """One record with other bytes in its value."""

    def change(records: list[Record]) -> list[Record]:
        changed = [
            r._replace(value=(r.value or b"").replace(old, new))
            if (r.topic, r.offset) == (topic, offset)
            else r
            for r in records
        ]
        assert changed != records
        return changed

    return change


def swapped(records: list[Record]) -> list[Record]:
    """The lock is scored before the failure that led to it."""
    places = {0: 1, 1: 0}
    return [
        r._replace(offset=places.get(r.offset, r.offset)) if r.topic == USERS else r
        for r in records
    ]


def test_nothing_is_found_where_all_is_well() -> None:
    """No finding, with everything done and with the offsets that stand for it."""
    found = seen(all_is_well())
    assert check_exactly_once(found, None, None) == []
    assert check_exactly_once(found, {0: 5}, {0: 4}) == []
    assert check_nothing_lost(found) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (without(CLASSIFIED, 0), "raw events lost"),
        (without(DEAD_LETTER, 0), "raw events lost"),
        (without(CLASSIFIED, 3), "not committed together"),
        (without(USERS, 1), "classified events lost"),
        (without(FAILURES, 0), "rows missing in iam.state.failures"),
        (without(RAW, 1), "scored, but never classified"),
        (again(CLASSIFIED, 1), "classified more than once"),
        (again(CLASSIFIED, 3), "effects more than once"),
        (again(DEAD_LETTER, 0), "dead-lettered twice"),
        (again(USERS, 2), "scored more than once"),
        (again(ALERTS, 0), "told more than once"),
        (other(ALERTS, 0, b'"1:1"', b'"1:8"'), "behind an alert, but never scored"),
        (other(ALERTS, 0, b'"subject": "1:7"', b'"subject": "1:9"'), "keyed by another subject"),
        (other(FAILURES, 0, b'"count": 1', b'"count": 2'), "wrong rows in iam.state.failures"),
        (other(LOCKOUTS, 0, b'"locked": false', b'"locked": true, "cause": "locked"'), "wrong"),
        (other(LOCKOUTS, 0, b'"total": 1', b'"total": 0'), "wrong rows in iam.state.lockouts"),
        (other(USERS, 0, b'"category": "users"', b'"category": "apps"'), "its category is users"),
        (other(USERS, 0, b'"score": 9', b'"score": 8'), "do not add up"),
        (other(USERS, 0, b'\\"user_id\\": 7', b'\\"user_id\\": 8'), "text of another event"),
        (other(RAW, 4, b'{"cut', json.dumps(raw_event(4, 7, 7, 7)).encode()), "of good events"),
        (swapped, "scored out of order"),
    ],
)
def test_each_fault_is_found(change: Change, finding: str) -> None:
    """One thing wrong: the finding names it."""
    findings = check_exactly_once(seen(change(all_is_well())), None, None)
    assert any(finding in text for text in findings), findings


@pytest.mark.parametrize(
    ("raw", "assessed", "finding"),
    [
        (4, 4, "raw events done beyond the committed offset"),
        (5, 2, "classified events done beyond the committed offset"),
    ],
)
def test_what_is_ahead_of_its_offset_is_found(raw: int, assessed: int, finding: str) -> None:
    """Outputs whose source offset was not committed with them."""
    findings = check_exactly_once(seen(all_is_well()), {0: raw}, {0: assessed})
    assert any(finding in text for text in findings), findings


def test_what_lies_behind_its_offset_undone_is_found() -> None:
    """An offset that was committed past an event without an outcome."""
    found = seen(without(USERS, 1)(all_is_well()))
    findings = check_exactly_once(found, {0: 5}, {0: 4})
    assert any("lost below the committed offset" in text for text in findings), findings


def test_an_event_sent_twice_is_scored_once() -> None:
    """A repetition is classified, too, and leads to nothing more; a second score is found."""
    sent = record(RAW, 5, "", FAILED)
    repeated = classified(4, {**FAILED, "id": 5}, "1:7", effect=False)
    repeated = repeated._replace(value=(repeated.value or b"").replace(b'"1:5"', b'"1:1"'))
    found = seen([*all_is_well()[:4], sent, *all_is_well()[4:], repeated])
    assert check_exactly_once(found, None, None) == []
    found.take(scored(9, FAILED, "1:7"))
    assert any("more than once" in text for text in check_exactly_once(found, None, None))


def test_at_least_once_minds_losses_alone() -> None:
    """Repetitions are allowed, losses are not."""
    assert check_nothing_lost(seen(again(USERS, 1)(all_is_well()))) == []
    assert check_nothing_lost(seen(without(USERS, 1)(all_is_well()))) != []
