"""assess as a whole: cutting, recovering and interleaving change nothing that they should not."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from riskstream.events.event import Facts
from riskstream.events.topics import ALERTS
from riskstream.events.vocabulary import Category, Change, Kind, LockScope, Sensitivity
from riskstream.pipeline.state import PartitionState
from tests.support.risk import (
    DAY,
    HOME,
    HOUR,
    MINUTE,
    NOON,
    assess,
    classified,
    facts,
    live_rows,
    record,
    records,
    run,
    vendor,
)

KINDS = (
    Kind.LOGIN_SUCCESS,
    Kind.LOGIN_FAILURE,
    Kind.MFA_SUCCESS,
    Kind.MFA_DENIED,
    Kind.APP_ACCESS,
    Kind.LOCKOUT,
    Kind.UNLOCK,
    Kind.PRIVILEGE_CHANGE,
    Kind.USER_LIFECYCLE,
    Kind.PROVISIONING_FAILURE,
)
CHANGE_OF = {Kind.LOCKOUT: Change.LOCK, Kind.UNLOCK: Change.UNLOCK}
STEPS = (0, 1000, MINUTE, 7 * MINUTE, HOUR, -HOUR, -2 * DAY, 3 * DAY, 15 * DAY, 95 * DAY)


@st.composite
def _streams(draw: st.DrawFn) -> list[Facts]:
    """Three users over months, out of order here and there."""
    now, events = NOON, []
    for place in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(KINDS))
        now += draw(st.sampled_from(STEPS))
        user = draw(st.integers(1, 3))
        theirs = vendor(draw(st.integers(0, 100))) if draw(st.integers(0, 5)) == 0 else None
        sensitive = kind in {Kind.PRIVILEGE_CHANGE, Kind.USER_LIFECYCLE}
        events.append(
            facts(
                kind,
                id=f"1234:{place}",
                time_ms=now,
                subject=f"1234:{user}",
                user_id=user,
                category=draw(st.sampled_from(Category)),
                ip=draw(st.sampled_from([None, HOME, "203.0.113.9"])),
                user_agent=draw(st.sampled_from([None, "one", "other"])),
                change=CHANGE_OF.get(kind),
                sensitivity=Sensitivity.SENSITIVE if sensitive else Sensitivity.NONE,
                vendor=theirs,
            )
        )
    return events


@settings(max_examples=40)
@given(_streams(), st.data())
def test_cutting_the_input_anywhere_gives_the_same_bytes_and_rows(
    events: list[Facts], data: st.DataObject
) -> None:
    """Jumps of the watermark, tombstones and all."""
    source = records(events)
    cuts = data.draw(st.lists(st.integers(0, len(source)), max_size=6))
    whole, at_once = run(source)
    parts, in_parts = run(source, cuts)
    assert [output for part in parts for output in part.outputs] == whole[0].outputs
    assert live_rows(in_parts) == live_rows(at_once)
    assert in_parts.watermark_ms == at_once.watermark_ms


@settings(max_examples=40)
@given(_streams(), st.data())
def test_a_chunk_may_be_fed_in_pieces(events: list[Facts], data: st.DataObject) -> None:
    """One unit of work, whatever pieces it was worked on in."""
    source = records(events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=6)))
    (whole,), _ = run(source)
    assessment = assess().begin(PartitionState())
    for start, end in pairwise([0, *cuts, len(source)]):
        assessment.feed(source[start:end])
    outputs, changes, tally = assessment.finish()
    assert outputs == whole.outputs
    assert changes.changelog(None) == whole.changes.changelog(None)
    assert tally == whole.tally


@settings(max_examples=40)
@given(_streams(), st.data())
def test_a_worker_that_recovers_from_the_changelog_goes_on_with_the_same_bytes(
    events: list[Facts], data: st.DataObject
) -> None:
    """Whatever was committed is in the changelog, and nothing else is needed."""
    source = records(events)
    cut = data.draw(st.integers(0, len(source)))
    (before, after), state = run(source, [cut])
    recovered = PartitionState()
    for output in before.changes.changelog(None):
        recovered.load(output.topic, output.key, output.value)
    (again,), _ = run(source[cut:], state=recovered)
    assert again.outputs == after.outputs
    assert live_rows(recovered) == live_rows(state)


@settings(max_examples=40)
@given(_streams())
def test_points_add_up_in_every_scored_event(events: list[Facts]) -> None:
    """Along whole histories, with the vendor's score among them."""
    (result,), _ = run(records(events))
    scored = [output for output in result.outputs if output.topic != ALERTS]
    assert len(scored) == len(events)
    for output in scored:
        risk = json.loads(output.value or b"")["risk"]
        points = [each["points"] for each in risk["signals"]]
        assert risk["prior"]["points"] + sum(points) == risk["score"]
        assert risk["signal_ids"] == [each["id"] for each in risk["signals"]]
        assert risk["reasons"] == "; ".join(each["detail"] for each in risk["signals"])


def _tables(events: list[Facts]) -> dict[str, Any]:
    _, state = run([record(classified(of), place) for place, of in enumerate(events)])
    rows = live_rows(state)
    return {
        name: {key: replace(row, offset=0) for key, row in rows[name].items()}
        for name in ("failures", "lockouts")
    }


_FAILING = [(Kind.LOGIN_FAILURE, None), (Kind.MFA_FAILURE, None)]
_LOCKING = [
    (Kind.LOGIN_SUCCESS, None),
    (Kind.LOCKOUT, Change.LOCK),
    (Kind.UNLOCK, Change.UNLOCK),
    (Kind.USER_LIFECYCLE, Change.SUSPEND),
    (Kind.USER_LIFECYCLE, Change.REINSTATE),
    (Kind.CREDENTIAL_CHANGE, Change.RESET),
]


def _one_subject(
    what: list[tuple[Kind, Change | None]], quarters: int
) -> st.SearchStrategy[list[Facts]]:
    happening = st.tuples(
        st.sampled_from(what),
        st.integers(0, quarters).map(lambda quarter: NOON + quarter * 15 * MINUTE),
        st.sampled_from(LockScope),
    )
    return st.lists(happening, max_size=25).map(
        lambda drawn: [
            facts(kind, id=f"1234:{place}", time_ms=time_ms, change=change, scope=scope)
            for place, ((kind, change), time_ms, scope) in enumerate(drawn)
        ]
    )


@settings(max_examples=60)
@given(
    _one_subject(_FAILING + _LOCKING, 96) | _one_subject(_LOCKING, 7 * 96),
    st.randoms(use_true_random=False),
)
def test_any_interleaving_of_one_subjects_events_gives_the_same_tables(
    events: list[Facts], shuffle: object
) -> None:
    """Locks before the login that ends them or after: the profile remembers the login.

    Within a table's time to live less its longest window: 24 hours for failures, 7 days for locks.
    """
    other = list(events)
    shuffle.shuffle(other)  # type: ignore[attr-defined]
    assert _tables(other) == _tables(events)
