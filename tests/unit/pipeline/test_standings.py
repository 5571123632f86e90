"""Standings and alerts as assess writes them."""

import json
from typing import Any

import pytest

from riskstream.events.event import Facts
from riskstream.events.record import Output
from riskstream.events.topics import ALERTS, USERS
from riskstream.events.vocabulary import Kind
from riskstream.pipeline import assess as module
from riskstream.pipeline.assess import Assessed
from riskstream.pipeline.state import PartitionState
from riskstream.risk.standing import STANDINGS_TTL_MS
from tests.support.risk import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    Story,
    assess,
    classified,
    facts,
    live_rows,
    record,
    records,
    run,
    vendor,
)


def _alerts(result: Assessed) -> list[Output]:
    return [output for output in result.outputs if output.topic == ALERTS]


def _bad(score: int, at: int = NOON, **changes: Any) -> Facts:
    """A login that OneLogin itself scores so."""
    return facts(vendor=vendor(score), time_ms=at, **changes)


def test_a_high_event_is_an_alert_that_says_why() -> None:
    """Right after the event's own record, under the subject's key, with headers as scored ones."""
    event = _bad(77, id="1234:99")
    value = classified(event, received_ms=NOON + 5)
    result = assess()([record(value)], PartitionState())
    scored, alert = result.outputs
    assert (alert.topic, alert.key, alert.timestamp) == (ALERTS, b"1234:7", NOON + 5)
    told = json.loads(alert.value or b"")
    assert told["previous"]["level"] == "no"
    assert (told["standing"]["score"], told["standing"]["level"]) == (77, "high")
    assert told["event_ids"] == ["1234:99"]
    assert told["reasons"] == "OneLogin's own risk score is 77"
    assert told["policy"] == json.loads(scored.value or b"")["risk"]["policy"]
    headers = dict(alert.headers)
    assert headers["ce_id"] == told["id"].encode()
    assert (headers["ce_type"], headers["ce_subject"]) == (b"riskstream.alert", b"1234:7")
    assert (headers["risk_score"], headers["risk_level"]) == (b"77", b"high")
    assert result.tally.alerts == {"vendor": 1}
    assert result.tally.routed == 1


def test_an_alert_has_the_trace_of_its_event() -> None:
    """W3C, as the scored record."""
    parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = record(classified(_bad(77)))._replace(headers=(("traceparent", parent),))
    for output in assess()([given], PartitionState()).outputs:
        assert dict(output.headers)["traceparent"] == parent


def test_ordinary_events_have_no_standing() -> None:
    """Low events neither make a row nor change one."""
    (result,), state = run(records([facts(Kind.READ), facts(Kind.LOGIN_FAILURE), _bad(25)]))
    assert not result.changes.standings
    assert not state.standings


def test_a_doubtful_event_makes_a_row_and_no_alert() -> None:
    """From Medium on."""
    (result,), state = run(records([_bad(26)]))
    assert list(state.standings) == ["1234:7"]
    assert [each.topic for each in result.changes.changelog(None)].count(USERS) == 1
    assert _alerts(result) == []


def test_repeats_are_counted_and_not_told() -> None:
    """In the row, in the tally, and in the alert that comes next."""
    results, state = run(records([_bad(77, NOON + each * HOUR) for each in (0, 1, 2, 72)]), [3])
    assert [len(_alerts(result)) for result in results] == [1, 1]
    assert results[0].tally.repeats == 2
    second = json.loads(_alerts(results[1])[0].value or b"")
    assert second["repeats"] == 2
    assert state.standings["1234:7"].repeats == 0


def test_events_that_failed_are_of_one_family() -> None:
    """Nobody got in, whatever was strange about each: they never add up to an alert."""
    failed = [
        facts(kind, vendor=vendor(45), time_ms=NOON + place * MINUTE, ip=f"203.0.113.{place}")
        for place, kind in enumerate([Kind.LOGIN_FAILURE, Kind.MFA_FAILURE, Kind.ADMIN_DENIED] * 9)
    ]
    (result,), state = run(records(failed))
    assert [each.family for each in state.standings["1234:7"].causes] == ["failures"]
    assert _alerts(result) == []


def test_a_story_of_takeover_is_told_once() -> None:
    """Push fatigue, then what the intruder does: one alert, and the rest are repeats."""
    story = Story()
    story.habits()
    for _ in range(4):
        story.happens(Kind.MFA_DENIED)
    story.happens(Kind.MFA_SUCCESS)
    story.acts(Kind.PRIVILEGE_CHANGE)
    story.acts(Kind.FACTOR_CHANGE)
    (alert,) = story.alerts
    assert alert["causes"][0]["signal"] == "success_after_mfa_denials"
    assert alert["causes"][0]["event_id"] in alert["event_ids"]
    assert story.state.standings["1234:7"].repeats >= 1


def test_history_neither_raises_nor_tells() -> None:
    """Warm-up has routing and alerts off."""
    result = assess()([record(classified(_bad(90), warming=True))], PartitionState())
    assert result.outputs == []
    assert not result.changes.standings


def test_a_late_event_is_marked_where_the_standing_did_not_take_it() -> None:
    """As with the other tables."""
    (result,), state = run(records([_bad(60), _bad(60, NOON - 9 * DAY)]))
    assert json.loads(result.outputs[-1].value or b"")["late"] is True
    assert result.tally.late == 1
    assert state.standings["1234:7"].as_of_ms == NOON


def test_a_record_that_is_in_the_row_already_is_not_folded_again() -> None:
    """Its offset says so."""
    source = records([_bad(60, id="1234:1"), _bad(99, id="1234:2")])
    _, state = run(source)
    before = state.standings["1234:7"]
    result = assess()(source, state)
    state.apply(result.changes)
    assert state.standings["1234:7"] == before
    assert _alerts(result) == []


def test_a_bug_on_an_event_leaves_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: an event that ends as a dead letter raised nobody."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "scored_output", broken)
    result = assess()([record(classified(_bad(90)))], PartitionState())
    assert [output.topic for output in result.outputs] == ["iam.events.dead-letter.v1"]
    assert not result.changes.standings
    assert not result.tally.alerts


def test_a_row_expires_when_nothing_is_left_of_its_causes() -> None:
    """A tombstone in the changelog, and it reads as absent before that."""
    _, state = run(records([_bad(90)]))
    later = facts(Kind.LOGIN_FAILURE, subject="1234:8", time_ms=NOON + STANDINGS_TTL_MS + 1)
    results, _ = run(records([later], 1), state=state)
    assert "1234:7" not in live_rows(state)["users"]
    removed = assess()([], state).changes.changelog(None)
    assert (USERS, b"1234:7", None) in [(each.topic, each.key, each.value) for each in removed]
    assert results[0].tally.expired_rows == 0
