"""riskstream catalog and riskstream policy."""

import json
from pathlib import Path

from riskstream.risk.loader import SHIPPED
from riskstream.risk.signals.registry import SIGNAL_IDS
from tests.support.cli import invoke


def test_list_filters_by_category_kind_and_outcome() -> None:
    """All filters must agree; the JSON is one document."""
    found = json.loads(
        invoke(
            "catalog",
            "list",
            "--category",
            "users",
            "--kind",
            "login_failure",
            "--outcome",
            "failure",
            "--format",
            "json",
        ).stdout
    )
    assert 6 in {entry["id"] for entry in found}
    assert {(entry["category"], entry["kind"], entry["outcome"]) for entry in found} == {
        ("users", "login_failure", "failure")
    }


def test_list_shows_everything_without_filters() -> None:
    """539 ids and two lines that have none."""
    assert len(json.loads(invoke("catalog", "list", "--format", "json").stdout)) == 541


def test_show_takes_id_and_api_name() -> None:
    """Both find the same row."""
    by_id = json.loads(invoke("catalog", "show", "6", "--format", "json").stdout)
    by_name = invoke("catalog", "show", "user_failed_onelogin_login", "--format", "json").stdout
    assert by_id == json.loads(by_name)
    assert by_id["kind"] == "login_failure"
    assert "login_failure" in invoke("catalog", "show", "6").stdout


def test_show_of_an_unknown_type_fails_the_check() -> None:
    """Exit 1, and where events of unknown types go."""
    result = invoke("catalog", "show", "99999")
    assert result.exit_code == 1
    assert "iam.scored.uncataloged.v1" in result.stderr


def test_search_wants_all_words() -> None:
    """Words in titles, in any order and case."""
    result = invoke("catalog", "search", "LOCKED user")
    assert result.exit_code == 0
    assert "USER_LOCKED" in result.stdout
    assert "event types." in result.stderr


def test_policy_check_says_which_version_is_good(tmp_path: Path) -> None:
    """The shipped one is; a broken one is refused with every fault."""
    assert "is good" in invoke("policy", "check").stderr
    broken = tmp_path / "broken.toml"
    broken.write_text('version = ""\n', encoding="utf-8")
    result = invoke("policy", "check", str(broken))
    assert result.exit_code == 2
    assert "priors" in result.stderr


def test_policy_show_prints_weights_and_source(tmp_path: Path) -> None:
    """The source is a policy again; the JSON has the same version as the table."""
    copy = tmp_path / "copy.toml"
    copy.write_text(invoke("policy", "show", "--source").stdout, encoding="utf-8")
    assert invoke("policy", "check", str(copy)).exit_code == 0
    document = json.loads(invoke("policy", "show", str(copy), "--format", "json").stdout)
    table = invoke("policy", "show").stdout
    assert f"Policy {document['version']}" in table
    assert "login_failures_5m" in table


def test_policy_check_runs_the_examples(tmp_path: Path) -> None:
    """One that does not end as it says is the check's failure, with its score."""
    path = tmp_path / "policy.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(text.replace('expect = { at_most = "low" }', 'expect = { at_least = "high" }'))
    found = invoke("policy", "check", str(path))
    assert found.exit_code == 1
    assert "an ordinary morning: at least high expected, scores" in found.stderr


def test_policy_diff_shows_what_differs(tmp_path: Path) -> None:
    """By place, with both values."""
    path = tmp_path / "policy.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(text.replace("half_life_days = 30", "half_life_days = 60"))
    found = invoke("policy", "diff", str(SHIPPED), str(path), "--format", "json")
    assert json.loads(found.stdout) == [
        {"place": "usual.half_life_days", "before": 30, "after": 60}
    ]
    assert "say the same" in invoke("policy", "diff", str(SHIPPED), str(SHIPPED)).stderr


def test_policy_explain_tells_every_signal() -> None:
    """And what is meant where there is none."""
    for id_ in SIGNAL_IDS:
        told = invoke("policy", "explain", id_)
        assert told.exit_code == 0
        assert told.stdout.startswith(f"{id_}: ")
        assert "It is off" not in told.stdout
    missing = invoke("policy", "explain", "new_land")
    assert missing.exit_code == 2
    assert "There is no signal new_land" in missing.stderr
