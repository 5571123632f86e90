"""Context through the classified topic: it holds from its place on, however the log is cut."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from riskstream.contract.check import check_document
from riskstream.events.context import UserContext
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, CONTEXT
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.pipeline.context import REMOVED, context_output
from riskstream.pipeline.duplicates import DuplicateFilter
from riskstream.pipeline.state import PartitionState
from riskstream.risk.context_rows import ContextRow
from riskstream.risk.exceptions import ExceptionRule
from riskstream.risk.policy import Policy
from tests.support.risk import (
    DAY,
    NOON,
    Story,
    assess,
    classified,
    facts,
    live_rows,
    policy,
    record,
    run,
)

ADMIN = UserContext(groups=("Admins", "Staff"), privileged=True)
ROBOT = UserContext(service_account=True)
AWAY = {"ip": "203.0.113.9", "user_agent": "Other/1.0", "device": "phone", "system": "Other"}


def said(context: UserContext, offset: int, user: int = 7, at: int = NOON) -> InputRecord:
    """The record that says so."""
    output = context_output(1234, user, context, at)
    return InputRecord(CLASSIFIED, 0, offset, NOON, output.key, output.value)


def told(story: Story, context: UserContext) -> None:
    """The story's user has this context from now on."""
    story.offset += 1
    result = story.by([said(context, story.offset)], story.state)
    assert not result.outputs
    assert result.tally.contexts == 1
    story.state.apply(result.changes)


def _away(context: UserContext | None, by: Policy | None = None, **changes: Any) -> Any:
    """A login from elsewhere, after a month of habits."""
    story = Story(by=assess(by=by))
    story.habits(20)
    if context is not None:
        told(story, context)
    return story.happens(Kind.LOGIN_SUCCESS, DAY, **(AWAY | changes))


def test_the_record_is_valid_and_says_it_all() -> None:
    """By the schema of the classified topic; it is neither event nor effect."""
    for context in (ADMIN, ROBOT, REMOVED, UserContext(email="user7@example.com")):
        value = json.loads(context_output(1234, 7, context, NOON).value or b"")
        assert check_document("classified", value) == []
        assert "event" not in value


def test_it_becomes_a_row_and_goes_again() -> None:
    """Written to its topic; removed by a tombstone; nothing is routed or counted as an event."""
    (first, second), state = run([said(ADMIN, 0), said(REMOVED, 1, at=NOON + 1)], [1])
    (row,) = first.changes.changelog(NOON)
    assert (row.topic, row.key) == (CONTEXT, b"1234:7")
    assert json.loads(row.value or b"") == {
        "schema_version": 1,
        "subject": "1234:7",
        "offset": 0,
        "groups": ["Admins", "Staff"],
        "privileged": True,
        "service_account": False,
    }
    assert [(each.topic, each.value) for each in second.changes.changelog(NOON)] == [
        (CONTEXT, None)
    ]
    assert first.tally.outcomes == second.tally.outcomes == 0
    assert not state.contexts
    assert state.watermark_ms == 0


def test_within_a_chunk_the_last_one_holds() -> None:
    """A removal does not let the row from before the chunk shine through."""
    _, state = run([said(ADMIN, 0)])
    (result,), state = run([said(REMOVED, 1, at=1), said(ROBOT, 2, at=2)], state=state)
    assert [row.context for row in state.contexts.values()] == [ROBOT]
    (result,), state = run([said(ADMIN, 3, at=3), said(REMOVED, 4, at=4)], state=state)
    assert list(result.changes.contexts.values()) == [None]


def test_an_older_record_changes_nothing() -> None:
    """At or below the row's offset it is in the row already."""
    _, state = run([said(ADMIN, 5)])
    _, state = run([said(ROBOT, 5, at=1), said(ROBOT, 4, at=2)], state=state)
    assert [row.context for row in state.contexts.values()] == [ADMIN]


def test_a_reload_within_the_hour_is_no_duplicate() -> None:
    """The filter of duplicates is for what channels send again; the last one said holds."""
    source = [said(ADMIN, 0), said(ROBOT, 1, at=NOON + 1), said(ADMIN, 2)]
    result = assess()(source, PartitionState(), DuplicateFilter(DAY, 100))
    assert (result.tally.contexts, result.tally.filtered.total()) == (3, 0)
    assert list(result.changes.contexts.values()) == [ContextRow("1234:7", 2, ADMIN)]


def test_rows_never_expire() -> None:
    """However far the watermark is: an account may sleep for years and is still privileged."""
    story = Story()
    told(story, ADMIN)
    for _ in range(10):
        story.happens(Kind.READ, 100 * DAY)
    assert list(story.state.contexts) == ["1234:7"]


def test_a_record_with_an_event_is_an_event() -> None:
    """Nothing is lost by a record that is both: nobody writes one."""
    both = replace(classified(facts()), context=ADMIN)
    (result,), state = run([record(both)])
    assert result.tally.routed == 1
    assert not state.contexts


def test_a_privileged_user_weighs_more_where_something_is_odd() -> None:
    """And scores as anybody where nothing is."""
    plain, admin = _away(None), _away(ADMIN)
    assert admin.signals["privileged_user"] == 0.3
    assert admin.score > plain.score
    assert {**admin.signals, "privileged_user": 0} == {**plain.signals, "privileged_user": 0}
    story = Story()
    story.habits(20)
    told(story, ADMIN)
    assert "privileged_user" not in story.happens(Kind.LOGIN_SUCCESS, DAY).signals


def test_failing_does_not_weigh_more() -> None:
    """Nobody got in: failing alone stays below High for everybody."""
    story = Story()
    story.habits(20)
    told(story, ADMIN)
    for _ in range(60):
        last = story.happens(Kind.LOGIN_FAILURE, 1000, **AWAY)
        assert "privileged_user" not in last.signals
    assert "high" not in story.levels


def test_signals_about_people_are_silent_for_service_accounts() -> None:
    """Where it comes from is still looked at."""
    plain, robot = _away(None), _away(ROBOT)
    silent = set(policy().context.human_only)
    assert plain.signals.keys() & silent
    assert robot.signals.keys() == plain.signals.keys() - silent
    assert "new_network" in robot.signals


def test_denied_factors_of_a_service_account_are_no_fatigue() -> None:
    """There is nobody to be worn out."""
    for context, speaks in ((None, True), (ROBOT, False)):
        story = Story()
        story.habits(20)
        if context is not None:
            told(story, context)
        for _ in range(4):
            story.happens(Kind.MFA_DENIED)
        last = story.happens(Kind.MFA_SUCCESS)
        assert ("success_after_mfa_denials" in last.signals) is speaks


@pytest.mark.parametrize("type_", ["client", "system"])
def test_clients_and_systems_are_no_people(type_: str) -> None:
    """By the form of their subject, without any context."""
    rule = policy().context.model_copy(update={"human_only": ("mfa_failures_5m",)})
    for by, speaks in ((policy(), True), (policy().model_copy(update={"context": rule}), False)):
        story = Story(by=assess(by=by))
        for _ in range(5):
            last = story.happens(Kind.MFA_FAILURE, 1000, subject="1234:x:x", subject_type=type_)
        assert ("mfa_failures_5m" in last.signals) is speaks


def test_an_exception_names_a_group() -> None:
    """Of those in it, and of nobody else."""
    rule = ExceptionRule(
        signals=("new_network",), groups=("Staff",), until=date(2099, 1, 1), reason="moving"
    )
    excepting = policy().model_copy(update={"exceptions": (rule,)})
    assert "new_network" not in _away(ADMIN, excepting).signals
    for other in (None, UserContext(groups=("staff", "Admins"))):
        assert "new_network" in _away(other, excepting).signals


def test_privileged_is_silent_with_what_it_stands_beside() -> None:
    """An exception that silences all else leaves it nothing to speak beside."""
    everything = tuple(id_ for id_ in _away(ADMIN).signals if id_ != "privileged_user")
    rule = ExceptionRule(
        signals=everything, groups=("Admins",), until=date(2099, 1, 1), reason="a drill"
    )
    assert not _away(ADMIN, policy().model_copy(update={"exceptions": (rule,)})).signals


EVENTS = st.tuples(
    st.sampled_from([Kind.LOGIN_SUCCESS, Kind.LOGIN_FAILURE, Kind.MFA_DENIED, Kind.MFA_SUCCESS]),
    st.integers(1, 2),
    st.sampled_from(["198.51.100.7", "203.0.113.9"]),
)
SAID = st.tuples(st.sampled_from([ADMIN, ROBOT, REMOVED, UserContext()]), st.integers(1, 2))


@settings(max_examples=60)
@given(st.lists(EVENTS | SAID, max_size=40), st.data())
def test_cuts_and_recovery_change_nothing(drawn: list[Any], data: st.DataObject) -> None:
    """The same log gives the same bytes and rows: cut anywhere, rebuilt anywhere."""
    source = []
    for place, each in enumerate(drawn):
        if isinstance(each[0], UserContext):
            source.append(said(each[0], place, each[1], NOON + place))
            continue
        kind, user, ip = each
        failed = kind is not Kind.LOGIN_SUCCESS and kind is not Kind.MFA_SUCCESS
        of = facts(
            kind,
            id=f"1234:{place}",
            time_ms=NOON + place * 60_000,
            subject=f"1234:{user}",
            user_id=user,
            ip=ip,
            outcome=EventOutcome.FAILURE if failed else EventOutcome.SUCCESS,
            sensitivity=Sensitivity.NONE,
        )
        source.append(record(classified(of), place))
    cuts = data.draw(st.lists(st.integers(0, len(source)), max_size=6))
    (whole,), at_once = run(source)
    parts, in_parts = run(source, cuts)
    assert [output for part in parts for output in part.outputs] == whole.outputs
    assert live_rows(in_parts) == live_rows(at_once)

    cut = data.draw(st.integers(0, len(source)))
    (before, after), state = run(source, [cut])
    recovered = PartitionState()
    for output in before.changes.changelog(None):
        recovered.load(output.topic, output.key, output.value)
    (again,), _ = run(source[cut:], state=recovered)
    assert again.outputs == after.outputs
    assert live_rows(recovered) == live_rows(state)
    assert len(recovered.contexts) == len(dict(state.contexts))
