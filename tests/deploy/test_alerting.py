"""The real Prometheus and Alertmanager with our files; the mark ``tools`` brings them."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskstream.events.topics import RAW
from tests.deploy.test_alert_files import ALERTS
from tests.support.cli import one_event
from tests.support.kafka import Stored, produce
from tests.support.processes import wait_for
from tests.support.prometheus import (
    ALERTMANAGER_FILE,
    PROMETHEUS_FILE,
    RULES,
    Alertmanager,
    Watched,
    WebhookReceiver,
    read_yaml,
    watched_worker,
)

pytestmark = pytest.mark.tools

SECONDS = 90
HOST = "127.0.0.1"
LOCKED = 19
"""The event type USER_LOCKED."""


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_finds_no_fault_in_rules_and_configuration() -> None:
    """With every lint, each finding fatal."""
    rules = [str(path) for path in sorted(RULES.glob("*.yml"))]
    _tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", *rules)
    _tool("promtool", "check", "config", "--lint=all", "--lint-fatal", str(PROMETHEUS_FILE))


@pytest.mark.parametrize(
    "file", sorted((PROMETHEUS_FILE.parent / "tests").glob("*.yml")), ids=lambda path: path.stem
)
def test_the_alerts_fire_when_they_should_and_not_otherwise(file: Path) -> None:
    """By promtool's own evaluation of series made up for the purpose."""
    _tool("promtool", "test", "rules", str(file))


def test_amtool_finds_no_fault_in_the_configuration() -> None:
    """Routes, inhibition, receivers and templates."""
    _tool("amtool", "check-config", str(ALERTMANAGER_FILE))


RECEIVERS = {
    ("operations", "critical"): "operations-page,operations-chat",
    ("operations", "warning"): "operations-chat",
    ("operations", "info"): "operations-chat",
    ("security", "critical"): "security-page,security-chat",
    ("security", "warning"): "security-chat",
    ("security", "info"): "security-chat",
}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_reaches_who_it_is_for(rule: dict[str, dict[str, str]]) -> None:
    """By amtool's own routing of the labels that the rule gives."""
    labels = rule["labels"]
    wanted = RECEIVERS[labels["area"], labels["severity"]]
    given = [f"{name}={value}" for name, value in labels.items()]
    config = f"--config.file={ALERTMANAGER_FILE}"
    names = [f"--verify.receivers={wanted}", f"alertname={rule['alert']}", "job=riskstream"]
    _tool("amtool", "config", "routes", "test", config, *names, *given)


def test_what_nobody_foresaw_reaches_somebody() -> None:
    """An alert without our labels goes to the operations chat."""
    config = f"--config.file={ALERTMANAGER_FILE}"
    verify = "--verify.receivers=operations-chat"
    _tool("amtool", "config", "routes", "test", config, verify, "alertname=SomethingElse")


def test_a_message_says_what_is_wrong_and_where_the_page_is(tmp_path: Path) -> None:
    """The templates, rendered by amtool with an alert as Alertmanager would have it."""
    rule = next(rule for rule in ALERTS if rule["alert"] == "RiskstreamNoWorker")
    labels = {"alertname": rule["alert"], "job": "riskstream", **rule["labels"]}
    alert = {"status": "firing", "labels": labels, "annotations": rule["annotations"]}
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"status": "firing", "alerts": [alert], "commonLabels": labels}))

    def rendered(name: str) -> str:
        templates = ALERTMANAGER_FILE.parent / "templates" / "*.tmpl"
        given = [f"--template.glob={templates}", f"--template.data={data}"]
        text = f'--template.text={{{{ template "riskstream.{name}" . }}}}'
        return _tool("amtool", "template", "render", *given, text).strip()

    assert rendered("title") == "1 firing: RiskstreamNoWorker (riskstream)"
    assert rendered("severity") == "critical"
    lines = rendered("text").splitlines()
    assert lines[1] == rule["annotations"]["description"]
    documents = rendered("documents")
    assert documents.endswith("/")
    assert lines[2] == f"What to do: {documents}{rule['annotations']['runbook_url']}"


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """One that nobody looks at but the tests."""
    with (
        WebhookReceiver() as webhook,
        Alertmanager(tmp_path_factory.mktemp("alertmanager"), webhook, group_wait="1h") as running,
    ):
        yield running


INHIBITED = [
    (rule["source_matchers"][0].removeprefix("alertname = "), target, "namespace" in str(rule))
    for rule in read_yaml(ALERTMANAGER_FILE)["inhibit_rules"]
    if "alertname" in rule["source_matchers"][0]
    for target in re.findall(r"Riskstream\w+", str(rule["target_matchers"]))
]
SEVERITY = {rule["alert"]: rule["labels"] for rule in ALERTS}


@pytest.mark.parametrize(("cause", "consequence", "here"), INHIBITED)
def test_what_follows_from_something_told_is_not_told(
    alertmanager: Alertmanager, cause: str, consequence: str, here: bool
) -> None:
    """Of the same application alone, unless no worker of any is left."""
    app, other = f"{cause}-{consequence}", f"other-{cause}-{consequence}"
    where = {"job": app} if here else {}
    posted = [
        {"alertname": cause, **where},
        {"alertname": consequence, "job": app},
        {"alertname": consequence, "job": other},
    ]
    alerts = [{"labels": {**SEVERITY[one["alertname"]], **one}} for one in posted]
    alertmanager.post("/api/v2/alerts", alerts)

    def inhibited(job: str) -> bool | None:
        found = alertmanager.get("/api/v2/alerts", filter=f'job="{job}"')
        state = {one["labels"]["alertname"]: one["status"]["inhibitedBy"] for one in found}
        return bool(state[consequence]) if consequence in state else None

    wait_for(lambda: inhibited(app), SECONDS, f"{cause} to inhibit {consequence}")
    if here:
        wait_for(lambda: inhibited(other) is not None, SECONDS, "the alert of another application")
        assert inhibited(other) is False
    ended = [{**alert, "endsAt": "2000-01-01T00:00:00Z"} for alert in alerts]
    alertmanager.post("/api/v2/alerts", ended)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A worker that Prometheus looks at and Alertmanager tells of."""
    with watched_worker(tmp_path_factory.mktemp("alerting")) as watched:
        yield watched


def test_promtool_finds_no_fault_in_live_metrics(running: Watched) -> None:
    """Names, types, units and help of what both roles show."""
    for number in range(2):
        address = f"http://{HOST}:{running.worker.http_port + number}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            text = answer.read()
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_locks_fire_an_alert_that_reaches_the_security_team(running: Watched) -> None:
    """From raw events to the webhook: worker, Prometheus, Alertmanager and its routes."""
    prometheus, webhook = running.prometheus, running.webhook
    zero = 'sum(riskstream_lockouts_total{scope="account"}) == 0'
    wait_for(lambda: prometheus.query(zero), SECONDS, "a look at no locks")
    assert prometheus.alerts("RiskstreamLockoutSurge") == []
    locks = [one_event(number, LOCKED, user_id=100 + number) for number in range(1, 13)]
    produce(running.broker, RAW, [_stored(event) for event in locks])
    wait_for(lambda: prometheus.alerts("RiskstreamLockoutSurge"), SECONDS, "the alert to be firing")
    told = wait_for(
        lambda: len(found := webhook.of("RiskstreamLockoutSurge")) == 2 and found,
        SECONDS,
        "both of its receivers",
    )
    assert set(told) == {"security-page", "security-chat"}
    alert = told["security-page"]
    assert alert["labels"]["scope"] == "account"
    assert "locks in 15 minutes (scope: account)" in alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"] == "docs/runbooks/RiskstreamLockoutSurge.md"


def test_no_rule_fails_on_live_data(running: Watched) -> None:
    """Each was evaluated, none with an error such as series that match more than once."""
    assert running.prometheus.rule_faults() == {}


def _stored(event: dict[str, object]) -> Stored:
    return Stored(json.dumps(event).encode(), b"key")
