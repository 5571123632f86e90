"""The commands that talk to Kafka, as installed from the wheel, against a broker."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from riskstream.demo.broker import EmbeddedBroker
from riskstream.events.topics import ALL_TOPICS, CLASSIFIED, DEAD_LETTER, FAILURES, LOCKOUTS, RAW
from tests.support.cli import mixed_file, ndjson, store_lines
from tests.support.kafka import Broker, Stored, create_topics, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for


class Cli:
    """The installed command with the broker's address in its environment."""

    def __init__(self, command: Path, broker: Broker) -> None:
        self._command = command
        self.broker = broker

    def __call__(self, *arguments: str, stdin: bytes = b"") -> "CompletedProcess[bytes]":
        settings = {"KAFKA__BOOTSTRAP_SERVERS": self.broker.bootstrap_servers}
        return run(arguments, settings=settings, stdin=stdin, command=self._command)

    def json(self, *arguments: str) -> Any:
        """The one document that the command prints."""
        done = self(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def lines(self, *arguments: str) -> list[Any]:
        """The NDJSON that the command prints."""
        done = self(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return ndjson(done.stdout.decode())


@pytest.fixture(scope="module")
def module_broker() -> Iterator[EmbeddedBroker]:
    """One broker for the tests that only read."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="module")
def filled(installed_riskstream: Path, module_broker: EmbeddedBroker) -> Cli:
    """All topics, with the outputs of the mixed file in them."""
    cli = Cli(installed_riskstream, module_broker)
    assert cli("topics", "create", "--partitions", "3").returncode == 0
    store_lines(module_broker, ndjson(cli("score", "-", stdin=mixed_file()).stdout.decode()))
    return cli


@pytest.fixture
def empty(installed_riskstream: Path, kafka_broker: Broker) -> Cli:
    """A broker without any topic: the embedded one, and with the mark ``kafka`` Apache Kafka."""
    return Cli(installed_riskstream, kafka_broker)


def test_topics_are_created_once_and_pass_the_check(empty: Cli) -> None:
    """Missing, would be created, created, there: and only then fit."""
    before = empty("topics", "check")
    assert before.returncode == 1
    assert b"riskstream topics create" in before.stderr
    planned = empty.json("topics", "create", "--dry-run")
    assert {one["verdict"] for one in planned} == {"would_create"}
    assert empty("topics", "check").returncode == 1
    made = empty.json("topics", "create", "--partitions", "6")
    assert [(one["topic"], one["verdict"], one["partitions"]) for one in made] == [
        (spec.name, "created", 6) for spec in ALL_TOPICS
    ]
    assert {one["verdict"] for one in empty.json("topics", "create")} == {"exists"}
    assert {one["verdict"] for one in empty.json("topics", "check")} == {"ok"}


def test_a_missing_table_gets_the_classified_topics_partitions(empty: Cli) -> None:
    """Whatever the settings say, so that create cannot make what check refuses."""
    create_topics(empty.broker, {CLASSIFIED: 5})
    made = {one["topic"]: one["partitions"] for one in empty.json("topics", "create")}
    assert made[FAILURES] == made[LOCKOUTS] == made[CLASSIFIED] == 5
    assert made[RAW] == 4


def test_a_table_with_other_partitions_fails_the_check(empty: Cli) -> None:
    """The verdict names both counts and the cure."""
    create_topics(empty.broker, {FAILURES: 2})
    assert empty("topics", "create").returncode == 0
    done = empty("topics", "check", "--format", "json")
    assert done.returncode == 1
    verdicts = {one["topic"]: one for one in json.loads(done.stdout)}
    assert verdicts[FAILURES]["verdict"] == "partitions"
    assert "2 partitions" in verdicts[FAILURES]["detail"]
    assert verdicts[FAILURES]["cure"].encode() in done.stderr


def test_events_are_listed_newest_first_and_filtered(filled: Cli) -> None:
    """Each filter keeps what it names, over all scored topics."""
    everything = filled.lines("events")
    assert len(everything) == 17
    times = [event["time"] for event in everything]
    assert times == sorted(times, reverse=True)
    assert filled.lines("events", "--limit", "3") == everything[:3]
    failures = filled.lines("events", "--type", "6", "--status", "failure", "--user", "7")
    assert len(failures) == 9
    levels = Counter(event["risk"]["level"] for event in everything)
    for level in ("no", "low", "medium", "high"):
        kept = filled.lines("events", "--risk", level)
        assert [event["risk"]["level"] for event in kept] == [level] * levels[level]
    assert (
        len(filled.lines("events", "--risk", "no", "--risk", "low")) == levels["no"] + levels["low"]
    )
    assert {
        event["category"] for event in filled.lines("events", "--category", "provisioning")
    } == {"provisioning"}
    assert len(filled.lines("events", "--since", "2026-11-23T13:03:00Z")) == 7
    table = filled("events", "--risk", "low")
    assert b"%d events." % levels["low"] in table.stderr
    assert b"low" in table.stdout


def test_one_event_is_shown_in_full(filled: Cli) -> None:
    """As a document, and as tables with the signals and the raw text."""
    event = filled.json("events", "--id", "1234:200")
    assert event["id"] == "1234:200"
    shown = filled("events", "--id", "1234:200").stdout.decode()
    assert all(signal["detail"] in shown for signal in event["risk"]["signals"])
    assert '"event_type_id": 5' in shown
    assert filled("events", "--id", "1234:nonsense").returncode == 1


def test_events_can_be_followed(empty: Cli, tmp_path: Path) -> None:
    """What comes later is printed as it comes, and filtered."""
    (line, *_others) = ndjson(empty("score", "-", stdin=mixed_file(0)).stdout.decode())
    assert empty("topics", "create").returncode == 0
    follower = Riskstream(
        ["events", "--follow", "--since", "1w", "--user", "follower", "--format", "json"],
        tmp_path,
        settings={"KAFKA__BOOTSTRAP_SERVERS": empty.broker.bootstrap_servers},
    )
    line["value"]["user"]["name"] = "Follower"
    line["value"]["time"] = "2100-01-01T00:00:00.000Z"
    line["headers"]["ce_time"] = line["value"]["time"]
    with follower:
        for attempt in range(2):
            line["value"]["id"] = line["headers"]["ce_id"] = f"1234:follow-{attempt}"
            store_lines(empty.broker, [line])
            wait_for(lambda: f"follow-{attempt}" in follower.log, 30, "the event")  # noqa: B023
    assert [event["id"] for event in ndjson(follower.log)] == ["1234:follow-0", "1234:follow-1"]


def test_dead_letters_are_listed_and_shown(filled: Cli) -> None:
    """With reason, origin and the original bytes."""
    letters = filled.lines("dlq", "list")
    reasons = sorted(letter["headers"]["x-riskstream-reason"] for letter in letters)
    assert reasons == ["invalid_utf8", "malformed_json", "missing_field", "unexpected_shape"]
    (letter,) = filled.lines("dlq", "list", "--reason", "malformed_json")
    place = f"{letter['partition']}:{letter['offset']}"
    assert filled.json("dlq", "show", place) == letter
    assert letter["payload"] == "not json"
    shown = filled("dlq", "show", place)
    assert b"not json" in shown.stdout
    assert b"x-riskstream-reason" in shown.stdout
    assert filled("dlq", "show", "0:999999").returncode == 1
    assert filled("dlq", "show", "nonsense").returncode == 2
    assert len(filled.lines("dlq", "list", "--limit", "2")) == 2


def test_replay_sends_the_original_bytes_once(empty: Cli) -> None:
    """Key and value as they were; a second run sends nothing unless told to."""
    assert empty("topics", "create").returncode == 0
    store_lines(empty.broker, ndjson(empty("score", "-", stdin=mixed_file(1)).stdout.decode()))
    planned = empty.json("dlq", "replay", "--dry-run")
    assert (planned["chosen"], planned["sent"]) == (4, 0)
    assert planned["by_reason"]["invalid_utf8"] == 1
    assert read_topic(empty.broker, RAW) == []
    assert empty.json("dlq", "replay", "--yes", "--reason", "invalid_utf8")["sent"] == 1
    (record,) = read_topic(empty.broker, RAW)
    assert record.value == b'{"user_name":"\xff"}'
    assert record.key is None
    assert record.header("x-riskstream-replayed") == "1"
    rest = empty.json("dlq", "replay", "--yes", "--rate", "1000")
    assert (rest["sent"], rest["replayed_before"]) == (3, 1)
    assert empty.json("dlq", "replay", "--yes")["sent"] == 0
    assert empty.json("dlq", "replay", "--yes", "--again", "--limit", "2")["sent"] == 2
    assert len(read_topic(empty.broker, RAW)) == 6


def test_replay_asks_before_it_sends(empty: Cli) -> None:
    """Without --yes and without an answer nothing goes."""
    assert empty("topics", "create").returncode == 0
    store_lines(empty.broker, ndjson(empty("score", "-", stdin=b"not json").stdout.decode()))
    refused = empty("dlq", "replay", stdin=b"n\n")
    assert refused.returncode == 1
    assert read_topic(empty.broker, RAW) == []
    assert empty("dlq", "replay", stdin=b"y\n").returncode == 0
    assert len(read_topic(empty.broker, RAW)) == 1


def test_tables_show_the_last_row_of_each_key(filled: Cli) -> None:
    """Later values win, tombstones remove, JSON is the row as stored."""
    row = json.loads(
        (
            Path(__file__).parents[2] / "schemas" / "examples" / "failures_row.v1" / "valid.json"
        ).read_text(encoding="utf-8")
    )
    old = {**row, "as_of": "2026-11-20T00:00:00.000Z"}
    gone = {**row, "subject": "1234:8"}
    produce(
        filled.broker,
        FAILURES,
        [
            Stored(json.dumps(old).encode(), b"1234:7"),
            Stored(json.dumps(gone).encode(), b"1234:8"),
            Stored(json.dumps(row).encode(), b"1234:7"),
            Stored(None, b"1234:8"),
        ],
    )
    assert filled.lines("tables", "failures") == [row]
    assert filled.lines("tables", "failures", "--key", "1234:7") == [row]
    assert filled("tables", "failures", "--key", "1234:8").returncode == 1
    then = filled("tables", "failures", "--at", row["as_of"]).stdout.decode()
    total = row["windows"][2]["total"]
    assert f"login {total}" in then
    later = filled("tables", "failures", "--at", "2027-01-01").stdout.decode()
    assert "login" not in later
    assert filled("tables", "lockouts").returncode == 0


def test_a_topic_is_checked_against_its_schema(filled: Cli) -> None:
    """By the topic's name; dead letters by their headers."""
    for topic in ("iam.scored.users.v1", DEAD_LETTER):
        assert filled("schemas", "check", "--topic", topic).returncode == 0
    assert filled.json("schemas", "check", "--topic", DEAD_LETTER, "--limit", "2")["checked"] == 2


@pytest.mark.parametrize(
    "command",
    [
        ["topics", "check"],
        ["topics", "create"],
        ["events"],
        ["tables", "failures"],
        ["dlq", "list"],
        ["schemas", "check", "--topic", DEAD_LETTER],
    ],
    ids=" ".join,
)
def test_no_broker_is_one_clear_message(installed_riskstream: Path, command: list[str]) -> None:
    """Exit 3, the address, what to do, and no traceback."""
    arguments = [*command, "--bootstrap-servers", "127.0.0.1:1"]
    done = run(arguments, command=installed_riskstream)
    assert done.returncode == 3
    assert done.stdout == b""
    assert b"127.0.0.1:1" in done.stderr
    assert b"--bootstrap-servers" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [["events"], ["tables", "lockouts"], ["dlq", "list"]], ids=" ".join
)
def test_a_missing_topic_is_one_clear_message(empty: Cli, command: list[str]) -> None:
    """Exit 3, and the command that makes it; asking does not create it."""
    done = empty(*command)
    assert done.returncode == 3
    assert b"riskstream topics create" in done.stderr
    assert b"Traceback" not in done.stderr
    assert {one["verdict"] for one in empty.json("topics", "create", "--dry-run")} == {
        "would_create"
    }
