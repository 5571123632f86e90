"""What the demo makes of the records it reads back."""

import json

from riskstream.demo.outcomes import Alert, Outcomes
from riskstream.events.record import InputRecord
from riskstream.events.topics import ALERTS, DEAD_LETTER, LOCKOUTS


def _scored(identity: str, score: int, level: str, subject: str = "1234:7") -> InputRecord:
    signals = [
        {"id": "known_address", "points": -6, "detail": "usual address"},
        {"id": "new_user_agent", "points": 3, "detail": "new device"},
        {"id": "new_address", "points": 14, "detail": "new address"},
        {"id": "login_failures_5m", "points": 23, "detail": "7 failed logins"},
    ]
    event = {"subject": subject, "user": {"id": 7, "name": "User 7"}, "risk": {"signals": signals}}
    headers = (
        ("ce_id", identity.encode()),
        ("risk_score", b"%d" % score),
        ("risk_level", level.encode()),
        ("category", b"users"),
    )
    value = json.dumps(event).encode()
    return InputRecord("iam.scored.users.v1", 0, 0, None, subject.encode(), value, headers)


def _lockout(*locked_at: str, locked: bool, locks: int) -> InputRecord:
    row = {
        "registers": [{"kind": "locked", "time": time} for time in locked_at]
        + [{"kind": "login", "time": "2026-11-23T20:00:00.000Z"}],
        "scopes": [{"scope": "account", "locked": locked}],
        "windows": [{"window": "24h", "total": 0}, {"window": "7d", "total": locks}],
    }
    return InputRecord(LOCKOUTS, 0, 0, None, b"1234:7", json.dumps(row).encode())


def test_levels_topics_and_categories_are_counted_from_headers() -> None:
    """Every scored record counts once, whatever its score."""
    outcomes = Outcomes()
    for record in (_scored("a", 3, "no"), _scored("b", 60, "high"), _scored("c", 60, "high")):
        outcomes.add(record)
    assert outcomes.routed == 3
    assert outcomes.by_level == {"no": 1, "high": 2}
    assert outcomes.by_category == {("users", "no"): 1, ("users", "high"): 2}
    assert outcomes.by_topic == {"iam.scored.users.v1": 3}


def test_a_risky_subject_keeps_its_worst() -> None:
    """Highest score with its strongest reasons; what lowers a score is no reason."""
    outcomes = Outcomes()
    for record in (_scored("a", 55, "high"), _scored("b", 60, "high"), _scored("c", 30, "medium")):
        outcomes.add(record)
    (risky,) = outcomes.top(5)
    assert (risky.name, risky.score, risky.level, risky.high) == ("User 7", 60, "high", 2)
    assert risky.reasons == "7 failed logins; new address"


def test_the_riskiest_come_first() -> None:
    """By score, then by high events; no more than asked for."""
    outcomes = Outcomes()
    for number, score in enumerate((40, 60, 50)):
        outcomes.add(_scored(str(number), score, "medium", subject=f"1234:{number}"))
    assert [risky.subject for risky in outcomes.top(2)] == ["1234:1", "1234:2"]


def test_events_of_a_story_are_recognised() -> None:
    """A story's result is its event with the highest score, even a low one."""
    outcomes = Outcomes()
    outcomes.expect((("a", "quiet"), ("b", "quiet")))
    for record in (_scored("a", 3, "no"), _scored("b", 9, "low"), _scored("c", 99, "high")):
        outcomes.add(record)
    story = outcomes.stories["quiet"]
    assert (story.events, story.score, story.level) == (2, 9, "low")


def test_dead_letters_are_counted_by_reason() -> None:
    """With one detail for each."""
    outcomes = Outcomes()
    for detail in (b"first", b"second"):
        headers = (("x-riskstream-reason", b"missing_field"), ("x-riskstream-detail", detail))
        outcomes.add(InputRecord(DEAD_LETTER, 0, 0, None, b"k", b"v", headers))
    assert outcomes.dead_lettered == 2
    assert outcomes.dead_letters == {"missing_field": 2}
    assert outcomes.examples == {"missing_field": "first"}


def test_lockouts_are_the_rows_with_a_lock() -> None:
    """The last value of a key is its row; a row without a lock and a removed one do not count."""
    outcomes = Outcomes()
    outcomes.add(_lockout(locked=False, locks=0))
    assert outcomes.lockouts() == []
    outcomes.add(_lockout("2026-11-23T13:00:00.000Z", locked=True, locks=1))
    (lockout,) = outcomes.lockouts()
    assert (lockout.subject, lockout.locks, lockout.locked) == ("1234:7", 1, True)
    outcomes.add(InputRecord(LOCKOUTS, 0, 0, None, b"1234:7", None))
    assert outcomes.lockouts() == []


def test_alerts_are_kept_as_they_come() -> None:
    """From which score to which, and why."""
    outcomes = Outcomes()
    alert = {
        "time": "2026-11-23T13:00:00.000Z",
        "subject": "1234:7",
        "previous": {"score": 40},
        "standing": {"score": 61},
        "reasons": "accepted after 4 MFA denials",
    }
    outcomes.add(InputRecord(ALERTS, 0, 0, None, b"1234:7", json.dumps(alert).encode()))
    assert outcomes.alerts == [
        Alert("2026-11-23T13:00:00.000Z", "1234:7", 40, 61, "accepted after 4 MFA denials")
    ]
    assert outcomes.routed == outcomes.dead_lettered == 0
