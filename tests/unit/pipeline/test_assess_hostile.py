"""assess on records of the classified topic that riskstream did not write."""

import json
from typing import Any

import pytest

from riskstream.events.outcome import Reason
from riskstream.events.topics import DEAD_LETTER
from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.outputs import REASON
from riskstream.pipeline.state import PartitionState
from tests.support.events import header
from tests.support.risk import assess, classified, facts, policy, record

SENSITIVE = facts(Kind.PRIVILEGE_CHANGE, sensitivity=Sensitivity.SENSITIVE)


def written(**changes: Any) -> bytes:
    """A record of ours, with some of its facts changed afterwards."""
    value = json.loads(record(classified(SENSITIVE)).value or b"")
    value["facts"] |= changes
    return json.dumps(value).encode()


def whole(**changes: Any) -> bytes:
    """The same, with other parts changed."""
    value: dict[str, Any] = json.loads(record(classified(SENSITIVE)).value or b"")
    return json.dumps(value | changes).encode()


@pytest.mark.parametrize(
    "value",
    [
        b'{"schema_version":1,"event":' + b"[" * 100_000,
        written(event_type_id=2**70),
        written(event_type_id=-1),
        written(account_id=2**64),
        written(time_ms=-1),
        written(time_ms=2**60),
        written(subject=""),
        written(subject="x" * 2_000),
        written(id="x" * 2_000),
        written(vendor={"score": 101}),
        whole(received_ms=-1),
        whole(origin={"topic": "raw", "partition": -1, "offset": 0, "member": 0}),
        whole(raw="\ud800"),
        whole(raw="User Seven").replace(b"Seven", b"Sev\xffen"),
        whole().replace(b"Something", b"Some\xed\xa0\x80thing"),
    ],
    ids=lambda value: repr(value[-60:]),
)
def test_what_no_row_and_no_output_can_hold_is_refused(value: bytes) -> None:
    """Never an exception, neither here nor when the rows are written."""
    result = assess()([record(value)], PartitionState())
    (output,) = result.outputs
    assert output.topic == DEAD_LETTER
    assert header(output, REASON) == Reason.MALFORMED_CLASSIFIED
    assert output.value == value
    assert result.changes.changelog(None) == []


def test_a_bug_on_a_record_of_others_is_a_dead_letter_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that is no base64 stops nothing."""
    stage = Assess(policy(), Limits())
    monkeypatch.setattr(stage, "_score", lambda _: 1 // 0)
    (output,) = stage([record(whole(key="x"))], PartitionState()).outputs
    assert header(output, REASON) == Reason.INTERNAL_ERROR
    assert output.key == b"iam.events.raw.v1-0-17"
