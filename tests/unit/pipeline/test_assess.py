"""assess: splicing, flags, routing, dead letters, all or nothing."""

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from riskstream.events.event import Origin
from riskstream.events.topics import DEAD_LETTER, RAW, SCORED
from riskstream.events.vocabulary import Category, Change, Kind
from riskstream.pipeline import assess as module
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.score import scored_output
from riskstream.pipeline.state import PartitionState
from tests.support.risk import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    assess,
    classified,
    facts,
    public,
    record,
    records,
    run,
)


def _value(output: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(output.value)
    return decoded


def test_the_scored_value_is_the_event_with_risk_windows_and_raw_after_it() -> None:
    """Byte for byte: nothing of the event is parsed or written again."""
    of = facts(Kind.READ, ip="203.0.113.9")
    (output,) = assess()([record(classified(of, received_ms=NOON + 5))], PartitionState()).outputs
    assert output.value == public(of)[:-1] + (
        b',"risk":{"score":3,"level":"no","policy":"2026-11-25.5",'
        b'"prior":{"evidence":-2.2,"points":3},"signals":[],"signal_ids":[],"reasons":""},'
        b'"windows":{"login_failures_5m":0,"login_failures_1h":0,"mfa_failures_5m":0,'
        b'"locked":false,"lockouts_24h":0},'
        b'"raw":"{\\"id\\": \\"1234:1\\", \\"event_type_id\\": 900}"}'
    )
    assert (output.topic, output.key) == (SCORED[Category.USERS], b"1234:7")
    assert output.timestamp == NOON + 5


@pytest.mark.parametrize("category", Category)
def test_each_category_goes_to_its_own_topic(category: Category) -> None:
    """The category decides the topic, and stands in a header with score and level."""
    source = [record(classified(facts(category=category)))]
    result = assess()(source, PartitionState())
    (output,) = result.outputs
    assert output.topic == f"iam.scored.{category.value}.v1"
    headers = dict(output.headers)
    assert headers["category"] == category.value.encode()
    assert headers["risk_score"] == b"13"
    assert headers["risk_level"] == b"low"
    assert headers["ce_subject"] == b"1234:7"
    assert result.tally.uncataloged == (category is Category.UNCATALOGED)


def test_windows_and_signals_stand_as_they_are_after_the_event() -> None:
    """The third failure sees three."""
    failures = [facts(Kind.LOGIN_FAILURE, time_ms=NOON + each * 1000) for each in range(3)]
    (result,), _ = run(records(failures))
    values = [_value(output) for output in result.outputs]
    assert [each["windows"]["login_failures_5m"] for each in values] == [1, 2, 3]
    assert values[-1]["risk"]["signal_ids"] == ["login_failures_5m"]
    assert values[-1]["risk"]["reasons"] == "3 failed logins in 5 minutes"
    assert result.tally.failures == {("users", "login"): 3}


def test_an_effect_folds_and_gives_no_output() -> None:
    """An admin locks user 7: it is in user 7's row, and no outcome."""
    lock = facts(Kind.LOCKOUT, change=Change.LOCK)
    result = assess()([record(classified(lock, effect=True))], PartitionState())
    assert not result.outputs
    assert result.tally.outcomes == 0
    assert result.tally.effects == 1
    assert result.tally.lockouts == {"account": 1}
    assert list(result.changes.lockouts) == ["1234:7"]


def test_an_effect_of_a_failing_kind_is_no_failure_of_the_user_acted_upon() -> None:
    """Only the change is folded; the failure is its subject's."""
    effect = facts(Kind.ADMIN_DENIED, change=Change.RESET)
    result = assess()([record(classified(effect, effect=True))], PartitionState())
    assert not len(result.changes)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"\xff\xfe",
        b"[1]",
        b'"text"',
        msgspec.json.encode(classified(facts(), schema_version=2)),
        msgspec.json.encode(classified(facts(), event=msgspec.Raw(b"[1, 2, 3, 4]"))),
        msgspec.json.encode(classified(facts(), event=msgspec.Raw(b"{}"))),
        msgspec.json.encode(classified(facts(), raw=msgspec.Raw(b"17"))),
    ],
)
def test_what_riskstream_did_not_write_is_a_dead_letter(value: bytes | None) -> None:
    """A closed reason, the bytes as they were, and the rest of the chunk goes on."""
    source = [record(value, 0), record(classified(facts()), 1)]
    result = assess()(source, PartitionState())
    letter, scored = result.outputs
    assert letter.topic == DEAD_LETTER
    assert letter.value == (value or b"")
    assert dict(letter.headers)["x-riskstream-reason"] == b"malformed_classified"
    assert scored.topic == SCORED[Category.USERS]
    assert result.tally.dead_lettered == {("assess", "malformed_classified"): 1}


def test_a_bug_on_one_event_is_a_dead_letter_and_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Raw text, origin and key of the raw record; no row moves; the next event is scored."""
    honest = scored_output

    def broken(incoming: Any, *rest: Any) -> Any:
        if incoming.classified.facts.id == "1234:13":
            raise ZeroDivisionError
        return honest(incoming, *rest)

    monkeypatch.setattr(module, "scored_output", broken)
    bad = classified(
        facts(Kind.LOGIN_FAILURE, id="1234:13"),
        origin=Origin(RAW, 3, 99, 4),
        key=b64encode(b"k\x00").decode(),
        received_ms=NOON,
        raw=msgspec.Raw(b'"{\\"id\\": \\"\\u00e9\\"}"'),
    )
    good = classified(facts(Kind.LOGIN_FAILURE))
    result = assess()([record(bad, 0), record(good, 1)], PartitionState())
    letter, scored = result.outputs
    headers = dict(letter.headers)
    assert letter.value == '{"id": "é"}'.encode()
    assert letter.key == b"k\x00"
    assert headers["x-riskstream-reason"] == b"internal_error"
    assert headers["x-riskstream-member"] == b"4"
    assert (headers["__connect.errors.partition"], headers["__connect.errors.offset"]) == (
        b"3",
        b"99",
    )
    assert _value(scored)["windows"]["login_failures_5m"] == 1
    assert result.tally.failures == {("users", "login"): 1}
    assert result.tally.outcomes == 2


def test_a_bug_on_an_effect_is_shown_and_is_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event that had the effect has its own outcome already."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "forgive", broken)
    effect = classified(facts(change=Change.LOCK), effect=True)
    result = assess()([record(effect)], PartitionState())
    assert [output.topic for output in result.outputs] == [DEAD_LETTER]
    assert result.tally.outcomes == 0
    assert not len(result.changes)


def test_raw_gives_way_where_the_value_would_be_too_large() -> None:
    """Hash, size and origin in its place, marked; everything else is kept."""
    limits = Limits(max_message_bytes=2000)
    big = classified(facts(), raw=msgspec.Raw(msgspec.json.encode("x" * 3000)))
    result = assess(limits)([record(big)], PartitionState())
    value = _value(result.outputs[0])
    assert value["raw_truncated"] is True
    assert "bytes=3000" in value["raw"]
    assert result.tally.truncated == 1
    assert len(result.outputs[0].value or b"") <= 2000


def test_raw_that_ingest_left_behind_stays_marked() -> None:
    """It is counted once, by ingest."""
    reference = msgspec.Raw(b'"sha256=0 bytes=1 origin=a-0-0"')
    result = assess()(
        [record(classified(facts(), raw=reference, raw_truncated=True))], PartitionState()
    )
    value = _value(result.outputs[0])
    assert value["raw_truncated"] is True
    assert value["raw"] == "sha256=0 bytes=1 origin=a-0-0"
    assert result.tally.truncated == 0


def test_a_late_event_is_scored_marked_counted_and_not_folded() -> None:
    """A failure a day and a quarter behind its row."""
    events = [
        facts(Kind.LOGIN_FAILURE, time_ms=NOON),
        facts(Kind.LOGIN_FAILURE, time_ms=NOON - DAY - 15 * MINUTE),
        facts(Kind.LOGIN_FAILURE, time_ms=NOON - DAY + 15 * MINUTE),
    ]
    (result,), state = run(records(events))
    values = [_value(output) for output in result.outputs]
    assert ["late" in value for value in values] == [False, True, False]
    assert values[1]["late"] is True
    assert result.tally.late == 1
    assert result.tally.failures == {("users", "login"): 2}
    (kind,) = state.failures["1234:7"].kinds
    assert sum(events for _, events in kind.quarters) == 2


def test_a_time_from_the_future_is_clipped_for_folding_and_marked() -> None:
    """Five minutes after the raw record's timestamp; the event keeps its own time."""
    ahead = facts(Kind.LOGIN_FAILURE, time_ms=NOON + DAY)
    result = assess()([record(classified(ahead, received_ms=NOON))], PartitionState())
    value = _value(result.outputs[0])
    assert value["time_clipped"] is True
    assert value["time"] == "2026-11-24T12:00:00.000Z"
    assert value["windows"]["login_failures_5m"] == 1
    assert result.changes.failures["1234:7"].as_of_ms == NOON + 5 * MINUTE  # type: ignore[union-attr]
    assert result.changes.watermark_ms == NOON + 5 * MINUTE
    assert result.tally.clipped == 1


def test_without_a_timestamp_nothing_is_clipped() -> None:
    """There is nothing to measure the event's clock by."""
    result = assess()([record(classified(facts(time_ms=NOON + DAY)))], PartitionState())
    assert "time_clipped" not in _value(result.outputs[0])


def test_a_repeated_record_is_scored_and_not_folded_again() -> None:
    """At or below the row's offset: it is in the row already."""
    source = records([facts(Kind.LOGIN_FAILURE), facts(Kind.LOGIN_FAILURE)])
    _, state = run(source)
    again, state = run(source, state=state)
    (kind,) = state.failures["1234:7"].kinds
    assert sum(events for _, events in kind.minutes) == 2
    assert [_value(each)["windows"]["login_failures_5m"] for each in again[0].outputs] == [2, 2]
    assert not len(again[0].changes)


def test_a_lock_is_seen_until_its_presumed_end_or_a_login() -> None:
    """``windows.locked`` after the event; the success that ends the lock is activity under it."""
    events = [
        facts(Kind.LOCKOUT, id="1234:1", change=Change.LOCK),
        facts(Kind.LOGIN_FAILURE, id="1234:2", time_ms=NOON + MINUTE),
        facts(Kind.LOGIN_SUCCESS, id="1234:3", time_ms=NOON + 2 * MINUTE),
        facts(Kind.LOCKOUT, id="1234:4", time_ms=NOON + 3 * MINUTE, change=Change.LOCK),
        facts(Kind.LOGIN_FAILURE, id="1234:5", time_ms=NOON + HOUR),
    ]
    (result,), _ = run(records(events))
    values = [_value(output) for output in result.outputs]
    assert [each["windows"]["locked"] for each in values] == [True, True, False, True, False]
    assert [each["windows"]["lockouts_24h"] for each in values] == [1, 1, 1, 2, 2]
    assert "activity_while_locked" in values[2]["risk"]["signal_ids"]
    assert "activity_while_locked" not in values[1]["risk"]["signal_ids"]


def test_assess_does_not_modify_the_state() -> None:
    """The changes are all there is until they are applied."""
    state = PartitionState()
    first = assess()(records([facts(Kind.LOGIN_FAILURE)]), state)
    assert (state.failures, state.profiles, state.watermark_ms) == ({}, {}, 0)
    second = assess()(records([facts(Kind.LOGIN_FAILURE)]), state)
    assert first.outputs == second.outputs
    assert first.changes.changelog(1) == second.changes.changelog(1)


def test_the_tally_counts_what_left() -> None:
    """Records, routed, scores and levels, newest event."""
    source = records([facts(), facts(Kind.READ, time_ms=NOON + 5)])
    tally = assess()(source, PartitionState()).tally
    assert (tally.records, tally.routed, tally.received) == (2, 2, 0)
    assert tally.scored == {("users", "low"): 1, ("users", "no"): 1}
    assert tally.scores == {13: 1, 3: 1}
    assert tally.newest_event_ms == NOON + 5
