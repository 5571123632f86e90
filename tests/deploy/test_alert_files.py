"""Alerts, runbooks, their tests and Alertmanager's routes, held together without any tool."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from riskstream.catalog.loader import load_catalog
from riskstream.cli.app import app
from riskstream.observability.collectors import OTHER
from tests.support.deploy import ROOT
from tests.support.metrics import metric_names
from tests.support.prometheus import ALERTMANAGER_FILE, PROMETHEUS_FILE, RULES, read_yaml

RUNBOOKS = ROOT / "docs" / "runbooks"
GROUPS = [group for file in sorted(RULES.glob("*.yml")) for group in read_yaml(file)["groups"]]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}
NAMES = sorted({rule["alert"] for rule in ALERTS})
PAGES = sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README")
TESTS = [
    test
    for file in sorted((PROMETHEUS_FILE.parent / "tests").glob("*.yml"))
    for test in read_yaml(file)["tests"]
]
SEVERITIES = {"critical", "warning", "info"}
AREAS = {"operations", "security"}


def _id(rule: dict[str, Any]) -> str:
    return "-".join([rule["alert"], rule["labels"].get("long", "")]).strip("-")


@pytest.mark.parametrize("rule", ALERTS, ids=_id)
def test_an_alert_says_how_bad_whose_and_what_to_do(rule: dict[str, Any]) -> None:
    """Severity and area choose the receiver; the runbook is a page that exists."""
    assert re.fullmatch(r"Riskstream([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["labels"]["area"] in AREAS
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    assert (ROOT / rule["annotations"]["runbook_url"]).is_file()


def test_every_page_has_its_alert_and_stands_in_the_list() -> None:
    """A page for an alert that is gone misleads."""
    assert PAGES == NAMES
    listed = re.findall(r"\[(\w+)\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(listed) == [(name, name) for name in NAMES]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_three_parts(name: str) -> None:
    """What it means, what to look at, what to do."""
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "What it means",
        "What to look at",
        "What to do",
    ]


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_what_a_page_points_to_exists(path: Path) -> None:
    """Links, metrics, event types, and every command with its options."""
    text = path.read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert (path.parent / link).resolve().exists(), link
    for metric in re.findall(r"\briskstream_\w+\b", text):
        assert metric in metric_names(), metric
    for event_type in re.findall(r"--type (\w+)", text):
        assert load_catalog().search(event_type), event_type
    for command in _commands(text):
        _parse(command)


def _commands(text: str) -> Iterator[list[str]]:
    fenced = re.findall(r"^```\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    lines += re.findall(r"`(riskstream [a-z]+ [^`]+|curl [^`]+)`", text)
    yield from (shlex.split(line) for line in lines)


def _parse(words: list[str]) -> None:
    """As the command line would, without running it."""
    if words[0] == "curl":
        path = re.sub(r"http://127\.0\.0\.1:946\d", "", words[2])
        assert path in {"/health/live", "/health/ready", "/metrics"}
        return
    assert words[0] == "riskstream", words
    command: click.Command = typer.main.get_command(app)
    context = click.Context(command, info_name="riskstream")
    rest = words[1:]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_context(words[1], rest, parent=context.parent)


@pytest.mark.parametrize("rule", ALERTS, ids=_id)
def test_an_alert_is_tested_as_it_fires_and_as_it_is_silent(rule: dict[str, Any]) -> None:
    """By promtool, in deploy/prometheus/tests: at least one case of each."""
    cases = [
        case
        for test in TESTS
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    labels = rule["labels"].items()
    fired = [
        alert
        for case in cases
        for alert in case["exp_alerts"]
        if alert["exp_labels"].items() >= labels
    ]
    assert fired
    assert [case for case in cases if not case["exp_alerts"]]
    assert all(set(alert["exp_annotations"]) == set(rule["annotations"]) for alert in fired)


def test_every_test_is_of_an_alert() -> None:
    """Promtool takes a name that does not exist as silent."""
    named = {case["alertname"] for test in TESTS for case in test["alert_rule_test"]}
    assert named == set(NAMES)


def test_expressions_use_metrics_that_exist() -> None:
    """Of the workers' own, or recorded by another rule; and each recorded one is used."""
    expressions = [rule["expr"] for group in GROUPS for rule in group["rules"]]
    known = metric_names() | RECORDED | {"up"}
    for expression in expressions:
        used = set(re.findall(r"\b(?:riskstream_|job)\w*(?::\w+)*", expression))
        names = {name for name in used if "riskstream_" in name}
        assert names <= known, names - known


def test_rules_are_evaluated_where_a_group_is_named_in_the_tests() -> None:
    """Promtool evaluates groups in the order of that list, which must name all."""
    names = [group["name"] for group in GROUPS]
    for file in (PROMETHEUS_FILE.parent / "tests").glob("*.yml"):
        assert sorted(read_yaml(file)["group_eval_order"]) == sorted(names)


def test_inhibition_names_alerts_that_exist() -> None:
    """A renamed alert would be inhibited no more, without a word."""
    config = read_yaml(ALERTMANAGER_FILE)
    rules = config["inhibit_rules"]
    text = str([rule["source_matchers"] + rule["target_matchers"] for rule in rules])
    named = set(re.findall(r"Riskstream\w+", text))
    assert named
    assert named <= set(NAMES)


def test_secrets_come_from_files() -> None:
    """No address and no key stands in the configuration, and each file is explained."""
    text = ALERTMANAGER_FILE.read_text()
    files = set(re.findall(r"_file: /etc/alertmanager/secrets/(\S+)", text))
    readme = (ALERTMANAGER_FILE.parent / "secrets" / "README.md").read_text()
    assert files == set(re.findall(r"^\| `(\S+)` \|", readme, re.MULTILINE))
    assert not re.search(r"(_url|_key|password|token|url): \S", text)


def test_the_other_accounts_have_the_label_that_is_watched() -> None:
    """RiskstreamAccountsUnnamed looks for it by name."""
    (rule,) = [rule for rule in ALERTS if rule["alert"] == "RiskstreamAccountsUnnamed"]
    assert f'{{account="{OTHER}"}}' in rule["expr"]
