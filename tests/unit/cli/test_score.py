"""riskstream score: the pipeline over a file."""

import json
from base64 import b64decode
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.contract.check import check_line
from riskstream.events.topics import DEAD_LETTER
from tests.support.cli import ONE_LOGIN, invoke, mixed_file, ndjson, one_event


def test_every_event_has_one_outcome_in_the_order_of_the_file() -> None:
    """Routed events and dead letters of both stages stand where their event stood."""
    result = invoke("score", "-", stdin=mixed_file(2))
    assert result.exit_code == 0
    told = [
        line["value"]["id"] if "value" in line else line["headers"]["x-riskstream-reason"]
        for line in ndjson(result.stdout)
    ]
    assert told == [
        "1234:1",
        "1234:100",
        "1234:101",
        "malformed_json",
        "1234:200",
        "1234:201",
        "1234:202",
        "1234:203",
        "unexpected_shape",
        "1234:204",
        "1234:u-1",
        "1234:205",
        "missing_field",
        "invalid_utf8",
    ]


def test_every_line_is_valid_by_the_published_schemas() -> None:
    """What score prints is the wire contract, dead letters by their headers."""
    lines = ndjson(invoke("score", "-", stdin=mixed_file()).stdout)
    assert [check_line(line) for line in lines] == [[] for _ in lines]
    assert len({line["topic"] for line in lines}) == 4


def test_the_summary_balances(tmp_path: Path) -> None:
    """The events are routed + dead_lettered + filtered, and by_topic counts the lines."""
    target = tmp_path / "summary.json"
    result = invoke("score", "-", "--summary", str(target), stdin=mixed_file())
    counts = json.loads(target.read_bytes())
    assert counts["events"] == 22
    assert (counts["routed"], counts["dead_lettered"], counts["filtered"]) == (17, 4, 1)
    assert counts["by_topic"] == Counter(line["topic"] for line in ndjson(result.stdout))
    assert sum(counts["by_level"].values()) == counts["routed"]
    assert sum(counts["dead_letters_by_reason"].values()) == counts["dead_lettered"]
    assert counts["records"] == 20


@settings(deadline=None, max_examples=15)
@given(chunk=st.integers(min_value=1, max_value=30))
def test_the_output_does_not_depend_on_the_chunks(chunk: int) -> None:
    """Cut anywhere, the same bytes come out."""
    whole = invoke("score", "-", stdin=mixed_file(4)).stdout_bytes
    assert (
        invoke("score", "-", "--chunk-records", str(chunk), stdin=mixed_file(4)).stdout_bytes
        == whole
    )


def test_raw_is_the_received_text_unchanged() -> None:
    """Odd spacing, key order and unknown keys of the event survive in raw."""
    text = (
        '{"zeta" : 1.50,  "id":1,"created_at":"2026-11-23T13:00:00Z",'
        '"account_id":1,"event_type_id":5}'
    )
    (line,) = ndjson(invoke("score", "-", stdin=text.encode()).stdout)
    assert line["value"]["raw"] == text
    assert "received_time" not in line["value"]


def test_dead_letters_carry_their_bytes() -> None:
    """As text where they are UTF-8, else in base64; never as a value."""
    result = invoke("score", "-", stdin=b'not json\n{"user_name":"\xff"}\n')
    text, binary = ndjson(result.stdout)
    assert text["payload"] == "not json"
    assert b64decode(binary["payload_base64"]) == b'{"user_name":"\xff"}'
    assert {text["topic"], binary["topic"]} == {DEAD_LETTER}
    assert not {"value"} & (text.keys() | binary.keys())


def test_strict_fails_on_dead_letters_only() -> None:
    """--strict exits 1 and says how many for which reason; the output is the same."""
    bad = invoke("score", "-", "--strict", stdin=b"not json\n" + ONE_LOGIN)
    assert bad.exit_code == 1
    assert "1 dead letters: 1 malformed_json" in bad.stderr
    assert len(ndjson(bad.stdout)) == 2
    assert invoke("score", "-", "--strict", stdin=ONE_LOGIN).exit_code == 0


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    """An empty file has no records, and a summary of noughts."""
    empty, target = tmp_path / "empty.json", tmp_path / "summary.json"
    empty.touch()
    result = invoke("score", str(empty), "--summary", str(target))
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(target.read_bytes())["events"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-file.json"], "There is no file no-such-file.json"),
        (
            [
                ".",
            ],
            "is a directory",
        ),
        (["-", "--policy", "no-such-policy.toml"], "no-such-policy.toml"),
        (["-", "--catalog", "no-such-catalog.tsv"], "no-such-catalog.tsv"),
        (["-", "--summary", "no-such-directory/summary.json"], "no directory no-such-directory"),
        (["-", "--chunk-records", "0"], "chunk-records"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_exits_2(arguments: list[str], told: str) -> None:
    """One message on stderr, nothing on stdout, exit code 2."""
    result = invoke("score", *arguments, stdin=ONE_LOGIN)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_a_refused_size_says_how_to_lift_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's large array is one dead letter, as in Kafka, and the way out is told."""
    page = json.dumps([one_event(number) for number in range(3)]).encode()
    monkeypatch.setenv("RISKSTREAM_LIMITS__MAX_EVENTS_PER_RECORD", "2")
    refused = invoke("score", "-", stdin=page)
    assert len(ndjson(refused.stdout)) == 1
    assert "RISKSTREAM_LIMITS__MAX_EVENTS_PER_RECORD" in refused.stderr
    monkeypatch.setenv("RISKSTREAM_LIMITS__MAX_EVENTS_PER_RECORD", "3")
    assert len(ndjson(invoke("score", "-", stdin=page).stdout)) == 3


def test_an_own_policy_and_catalog_are_used(tmp_path: Path) -> None:
    """--policy stands in risk.policy; --catalog changes the category and so the topic."""
    policy, overlay = tmp_path / "policy.toml", tmp_path / "types.tsv"
    shipped = invoke("policy", "show", "--source").stdout
    policy.write_text(shipped.replace('version = "', 'version = "own-', 1), encoding="utf-8")
    overlay.write_text("id\tcategory\tbasis\n99999\tapps\tinferred\n", encoding="utf-8")
    (line,) = ndjson(invoke("score", "-", "--policy", str(policy), stdin=ONE_LOGIN).stdout)
    assert line["value"]["risk"]["policy"].startswith("own-")
    bad = invoke("score", "-", "--catalog", str(overlay), stdin=ONE_LOGIN)
    assert bad.exit_code == 2
    assert "types.tsv" in bad.stderr
