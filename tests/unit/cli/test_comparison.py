"""What a replay says against what was said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.cli.comparison import NOT_SCORED, Comparison, Said, Sayings
from riskstream.events.record import Output
from riskstream.risk.levels import level_of

IDS = st.text(alphabet="0123456789:abcü", min_size=1, max_size=8)
SAYINGS = st.lists(st.tuples(IDS, st.integers(0, 100)), max_size=40)


def _headers(event_id: str, score: int) -> dict[str, bytes]:
    return {
        "ce_id": event_id.encode(),
        "risk_score": str(score).encode(),
        "risk_level": level_of(score).value.encode(),
    }


def _output(event_id: str, score: int) -> Output:
    value = {
        "id": event_id,
        "time": "2026-11-23T13:00:00.000Z",
        "subject": "1234:7",
        "event_type": {"name": "USER_LOGGED_INTO_ONELOGIN"},
        "risk": {"reasons": "because"},
    }
    return Output(
        "iam.scored.users.v1",
        b"1234:7",
        json.dumps(value).encode(),
        tuple(_headers(event_id, score).items()),
    )


@given(SAYINGS)
def test_the_last_saying_of_an_id_is_remembered(said: list[tuple[str, int]]) -> None:
    """Packed and unpacked it is what was said."""
    sayings = Sayings()
    for event_id, score in said:
        sayings.add(_headers(event_id, score))
    for event_id, score in dict(said).items():
        assert sayings.get(event_id) == Said(score, level_of(score).value)
    assert sayings.get("never said") is None


@given(SAYINGS, SAYINGS)
def test_every_event_is_counted_once(
    then: list[tuple[str, int]], now: list[tuple[str, int]]
) -> None:
    """The table of levels adds up, and rises and falls are those between known levels."""
    sayings, comparison = Sayings(), Comparison(keep=3)
    for event_id, score in then:
        sayings.add(_headers(event_id, score))
    changes = [comparison.add(_output(event_id, score), sayings) for event_id, score in now]
    assert comparison.levels.total() == len(now)
    assert comparison.unmatched == sum(event_id not in dict(then) for event_id, _ in now)
    assert comparison.compared + comparison.unmatched == len(now)
    changed = [change for change in changes if change is not None]
    assert comparison.raised + comparison.lowered == len(changed)
    moves = sorted((abs(one.now.score - one.then.score) for one in changed), reverse=True)
    kept = [abs(one.now.score - one.then.score) for one in comparison.changes]
    assert kept == moves[:3]


def test_a_change_says_what_and_why() -> None:
    """Id, then, now and the reasons now."""
    sayings, comparison = Sayings(), Comparison(keep=5)
    sayings.add(_headers("1234:1", 12))
    comparison.add(_output("1234:1", 60), sayings)
    comparison.add(_output("1234:2", 60), sayings)
    document = comparison.document()
    assert document["levels"] == [
        {"then": "low", "now": "high", "events": 1},
        {"then": NOT_SCORED, "now": "high", "events": 1},
    ]
    (change,) = document["changes"]
    assert change["then"] == {"score": 12, "level": "low"}
    assert change["now"] == {"score": 60, "level": "high"}
    assert change["reasons"] == "because"
    assert comparison.rows() == [("low", "", "", "", "1"), (NOT_SCORED, "", "", "", "1")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ce_id": b"1", "risk_score": b"many", "risk_level": b"low"},
        {"ce_id": b"1", "risk_score": b"7", "risk_level": b"grave"},
        {"risk_score": b"7", "risk_level": b"low"},
    ],
)
def test_records_of_others_are_passed_over(headers: dict[str, bytes]) -> None:
    """What riskstream did not write says nothing."""
    sayings = Sayings()
    sayings.add(headers)
    assert len(sayings) == 0
    comparison = Comparison(keep=1)
    if "ce_id" in headers:
        comparison.add(Output("t", b"k", b"{}", tuple(headers.items())), sayings)
    assert comparison.levels.total() == 0
