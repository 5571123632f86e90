"""The reduced job, as riskstream's shell runs it."""

import json
from collections.abc import Sequence

import orjson
import pytest

from benchmarks.contenders.programs.reduced_hop import ReducedIngest, score_record
from benchmarks.contenders.reduced_catalog import reduced_types
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, RAW

LOGIN_FAILURE, LOGIN = 6, 5


def event(number: int, kind: int, second: int) -> dict[str, object]:
    """An event of one user in the first hour of a day."""
    return {
        "id": number,
        "account_id": 1234,
        "user_id": 7,
        "event_type_id": kind,
        "created_at": f"2026-09-07T00:{second // 60:02d}:{second % 60:02d}.000Z",
    }


def classify(*values: object) -> list[Output]:
    """What the first hop makes of these raw values."""
    records = [
        InputRecord(RAW, 0, offset, 1, b"key", json.dumps(value).encode())
        for offset, value in enumerate(values)
    ]
    return ReducedIngest()(records).outputs


def scores(outputs: Sequence[Output]) -> list[tuple[int, int]]:
    """(failures of the minute, score) of each, in order."""
    changed: dict[bytes, tuple[int, int]] = {}
    values = [
        orjson.loads(
            score_record(
                InputRecord(CLASSIFIED, 0, offset, 1, output.key, output.value), {}, changed
            ).value
            or b""
        )
        for offset, output in enumerate(outputs)
    ]
    return [(value["failures_1m"], value["score"]) for value in values]


def test_failures_of_a_minute_add_up() -> None:
    """Each failure of the minute adds to the score; the next minute begins anew."""
    told = scores(
        classify(*(event(n, LOGIN_FAILURE, second) for n, second in enumerate((0, 1, 59, 60))))
    )

    assert [count for count, _ in told] == [1, 2, 3, 1]
    assert told[0][1] < told[1][1] < told[2][1]
    assert told[3] == told[0]


def test_other_events_see_the_count_of_their_minute() -> None:
    """A success in the same minute carries the failures; one in another minute does not."""
    told = scores(classify(event(1, LOGIN_FAILURE, 0), event(2, LOGIN, 30), event(3, LOGIN, 90)))

    assert [count for count, _ in told] == [1, 1, 0]


def test_an_array_is_as_many_records() -> None:
    """Members of an array and events of their own end the same."""
    members = [event(1, LOGIN_FAILURE, 0), event(2, 999_999, 1)]

    together, alone = classify(members), classify(*members)

    assert [output.key for output in together] == [b"1234:7", b"1234:7"]
    assert scores(together) == scores(alone)


@pytest.mark.parametrize(("kind", "failure"), [(LOGIN_FAILURE, True), (LOGIN, False)])
def test_the_catalog_says_what_fails(kind: int, failure: bool) -> None:
    """The reduced catalog is made from riskstream's."""
    assert {entry.id: entry.failure for entry in reduced_types()}[kind] is failure
