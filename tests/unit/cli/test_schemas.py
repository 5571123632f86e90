"""riskstream schemas."""

import json
from pathlib import Path

import pytest

from riskstream.contract.registry import names
from tests.support.cli import invoke, mixed_file


def test_list_names_every_schema_and_its_topics() -> None:
    """One JSON document, and the same names in the table."""
    found = json.loads(invoke("schemas", "list", "--format", "json").stdout)
    assert [one["name"] for one in found] == names()
    scored = next(one for one in found if one["name"] == "scored.v1")
    assert "iam.scored.users.v1" in scored["topics"]
    assert all(name in invoke("schemas", "list").stdout for name in names())


def test_show_prints_the_schema() -> None:
    """With or without its version."""
    shown = json.loads(invoke("schemas", "show", "scored").stdout)
    assert shown["$id"] == "urn:riskstream:schema:scored:v1"
    assert invoke("schemas", "show", "nonsense").exit_code == 2


def test_check_picks_the_schema_by_topic() -> None:
    """The output of score passes; a changed line fails with its place."""
    good = invoke("score", "-", stdin=mixed_file()).stdout_bytes
    assert invoke("schemas", "check", "-", stdin=good).exit_code == 0
    bad = good.replace(b'"level":"low"', b'"level":"nonsense"', 1)
    result = invoke("schemas", "check", "-", "--format", "json", stdin=bad)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["checked"], report["invalid"]) == (21, 1)
    assert report["faults"][0]["document"] == "-:1"
    assert report["faults"][0]["place"] == "/value/risk/level"


def test_check_takes_files_of_one_document(tmp_path: Path) -> None:
    """JSON over many lines, JSON on one line, TOML, several at once; --schema says which."""
    shipped = json.loads(invoke("policy", "show", "--format", "json").stdout)
    pretty, compact = tmp_path / "pretty.json", tmp_path / "compact.json"
    toml = tmp_path / "policy.toml"
    pretty.write_text(json.dumps(shipped, indent=2), encoding="utf-8")
    compact.write_text(json.dumps(shipped), encoding="utf-8")
    toml.write_text(invoke("policy", "show", "--source").stdout, encoding="utf-8")
    files = [str(path) for path in (pretty, compact, toml)]
    result = invoke("schemas", "check", "--schema", "policy", *files)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 checked, 0 not valid" in result.stderr
    del shipped["version"]
    pretty.write_text(json.dumps(shipped, indent=2), encoding="utf-8")
    result = invoke("schemas", "check", "--schema", "policy", *files)
    assert result.exit_code == 1
    assert "'version' is a required property" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "told"),
    [
        (["-"], b"", 1, "nothing to check"),
        (["-"], b"not json", 1, "-:1 is not JSON"),
        (["-"], b'{"a": 1}', 1, "has no topic"),
        (["-"], b'{"topic": "example", "value": {}}', 1, "no schema is for topic example"),
        (["no-such-file.json"], b"", 2, "There is no file"),
        ([], b"", 2, "Name files to check"),
        (["-", "--topic", "example"], b"", 2, "one of the two"),
        (["--topic", "example"], b"", 2, "No schema is for topic example"),
        (["-", "--schema", "nonsense"], b"{}", 2, "no schema nonsense"),
    ],
)
def test_what_cannot_be_checked_is_never_called_valid(
    arguments: list[str], stdin: bytes, code: int, told: str
) -> None:
    """Exit 1 for bad documents, 2 for wrong usage, and a reason for both."""
    result = invoke("schemas", "check", *arguments, stdin=stdin)
    assert result.exit_code == code
    assert told in result.stdout + result.stderr


def test_limit_checks_the_first_so_many() -> None:
    """And no more."""
    good = invoke("score", "-", stdin=mixed_file()).stdout_bytes
    assert "5 checked" in invoke("schemas", "check", "-", "--limit", "5", stdin=good).stderr


def test_export_copies_schemas_and_examples(tmp_path: Path) -> None:
    """Into a directory that need not be there; again over what is there."""
    target = tmp_path / "contract"
    for _ in range(2):
        assert invoke("schemas", "export", str(target)).exit_code == 0
    schemas = target.glob("*.schema.json")
    assert sorted(path.name.removesuffix(".schema.json") for path in schemas) == names()
    assert (target / "asyncapi.json").is_file()
    assert (target / "examples" / "scored.v1" / "valid.json").is_file()
