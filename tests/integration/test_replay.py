"""``riskstream replay`` on a real broker: what another policy would have said."""

import json
from pathlib import Path
from typing import Any

import pytest

from riskstream.events.context import UserContext
from riskstream.events.times import format_time
from riskstream.events.topics import CONTEXT, RAW, SCORED
from riskstream.risk.context_rows import ContextRow, encode_context
from riskstream.risk.loader import SHIPPED
from tests.support.cli import invoke, mixed_file, ndjson, one_event, store_lines
from tests.support.kafka import Broker, Stored, produce, read_topic

STRICTER = {
    "login_failure = -0.8": "login_failure = -0.5",
    "{ at = 3, evidence = 0.3 }": "{ at = 3, evidence = 3.0 }",
    "{ at = 5, evidence = 0.6 }": "{ at = 5, evidence = 3.0 }",
    "{ at = 8, evidence = 1.0 }": "{ at = 8, evidence = 3.0 }",
    "cap = 1.0\nknown_device": "cap = 3.0\nknown_device",
    'version = "': 'version = "stricter-',
}


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """The shipped policy, where failed logins count for more."""
    text = SHIPPED.read_text(encoding="utf-8")
    path = tmp_path / "stricter.toml"
    for shipped, own in STRICTER.items():
        assert shipped in text
        text = text.replace(shipped, own)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def scored(kafka_broker: Broker) -> Broker:
    """Raw records in two partitions, and the scored topics as a worker would fill them.

    All events are of one subject, so its records are in one partition in their order.
    """
    assert invoke("topics", "create", "-b", kafka_broker.bootstrap_servers).exit_code == 0
    lines = [line for line in mixed_file(9).split(b"\n") if line]
    produce(kafka_broker, RAW, [Stored(line, partition=0) for line in lines])
    produce(kafka_broker, RAW, [Stored(b"[]", partition=1)])
    store_lines(kafka_broker, ndjson(invoke("score", "-", stdin=mixed_file(9)).stdout))
    return kafka_broker


def _replay(broker: Broker, *arguments: str) -> dict[str, Any]:
    done = invoke(
        *("replay", "--from", "1h", "-b", broker.bootstrap_servers, "--format", "json"), *arguments
    )
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_same_policy_says_the_same(scored: Broker) -> None:
    """Every event is found in the scored topics, with the score that it had."""
    told = _replay(scored)
    assert told["routed"] == told["compared"] == 17
    assert told["dead_lettered"] == 4
    assert told["score_moved"] == told["unmatched"] == 0


def test_it_goes_by_what_is_known_of_users(scored: Broker) -> None:
    """As workers do by now; the scored topics are from before that was known."""
    row = encode_context(ContextRow("1234:7", 0, UserContext(privileged=True)))
    produce(scored, CONTEXT, [Stored(row, b"1234:7")])
    told = _replay(scored)
    assert told["compared"] == 17
    assert told["score_moved"] > 0
    assert _replay(scored, "--against", "policy")["score_moved"] == 0


def test_another_policy_s_changes_are_counted_and_named(scored: Broker, stricter: Path) -> None:
    """Against the topics and against the present policy alike."""
    for against in ("topics", "policy"):
        told = _replay(scored, "--policy", str(stricter), "--against", against, "--changes", "2")
        assert told["score_moved"] >= 9
        assert told["raised"] >= 1
        assert told["lowered"] == 0
        moved = sum(row["events"] for row in told["levels"] if row["then"] != row["now"])
        assert moved == told["raised"]
        assert len(told["changes"]) == min(2, told["raised"])
        assert all(change["then"]["score"] < change["now"]["score"] for change in told["changes"])


def test_a_trial_s_topics_hold_what_was_said_and_nothing_else_changes(
    scored: Broker, stricter: Path
) -> None:
    """A second trial needs another prefix; the real topics stay as they are."""
    before = {name: read_topic(scored, name) for name in SCORED.values()}
    told = _replay(scored, "--policy", str(stricter), "--prefix", "trial.")
    assert told["written"] == told["routed"] + told["dead_lettered"]
    assert {name: read_topic(scored, name) for name in SCORED.values()} == before
    trial = [one for name in SCORED.values() for one in read_topic(scored, f"trial.{name}")]
    policies = {json.loads(one.value or b"")["risk"]["policy"] for one in trial}
    assert len(trial) == told["routed"]
    assert len(policies) == 1
    assert policies.pop().startswith("stricter-")
    again = invoke("replay", "--from", "1h", "-b", scored.bootstrap_servers, "--prefix", "trial.")
    assert again.exit_code == 2
    assert "hold an earlier trial" in again.stderr


def test_outputs_as_ndjson_are_those_of_score(scored: Broker, tmp_path: Path) -> None:
    """The same events, with the time at which Kafka got them."""
    out = tmp_path / "out.ndjson"
    _replay(scored, "--out", str(out))
    lines = ndjson(out.read_text(encoding="utf-8"))
    expected = ndjson(invoke("score", "-", stdin=mixed_file(9)).stdout)
    for line in lines:
        line.get("value", {}).pop("received_time", None)
    ids = [(line["topic"], line.get("value")) for line in lines]
    assert ids == [(line["topic"], line.get("value")) for line in expected]


def test_the_span_and_its_warm_up(scored: Broker) -> None:
    """Records before --from fill the windows only; those from --to on are not read."""
    earlier = read_topic(scored, RAW)
    before = max(record.timestamp for record in earlier)
    event, later = json.dumps(one_event(900)).encode(), before
    while later == before:  # until the broker's clock has gone on
        produce(scored, RAW, [Stored(event, partition=0)])
        later = max(record.timestamp for record in read_topic(scored, RAW))
    same_time = len(read_topic(scored, RAW)) - len(earlier) - 1
    then = format_time(later)
    told = _replay(scored, "--from", then)
    assert told["warm_up_records"] == len(earlier) + same_time
    assert (told["records"], told["unmatched"]) == (1, 0 if same_time else 1)
    cold = _replay(scored, "--from", then, "--warm-up", "0s")
    assert (cold["warm_up_records"], cold["records"]) == (0, 1)
    assert _replay(scored, "--to", then)["records"] == len(earlier) + same_time


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "1h", "--to", "2h"], "not before --to"),
        (["--from", "soon"], "--from takes a time span"),
        (["--from", "1h", "--warm-up", "soon"], "--warm-up takes a time span"),
        (["--from", "1h", "--prefix", "iam."], "--prefix"),
        (["--from", "1h", "--out", "-", "--format", "json"], "both go to stdout"),
        (["--from", "1h", "--policy", "absent.toml"], "absent.toml"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(arguments: list[str], says: str) -> None:
    """Exit 2, and the option's name."""
    done = invoke("replay", *arguments, "-b", "127.0.0.1:1")
    assert done.exit_code == 2
    assert says in done.stderr
