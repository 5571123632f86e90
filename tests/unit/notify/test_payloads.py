"""What is selected, what messages say, and that nobody's name can break out of its place."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.contract.registry import schemas_dir
from riskstream.errors import ConfigError
from riskstream.notify.message import (
    NAMES,
    alert_key,
    alert_values,
    dedup_key,
    message_key,
    message_values,
)
from riskstream.notify.selection import Selection, read_alert
from riskstream.notify.template import load_templates

HEADERS = (
    ("ce_id", b"1234:1"),
    ("ce_type", b"com.onelogin.event.lockout"),
    ("risk_level", b"high"),
    ("category", b"users"),
)


def event(**parts: Any) -> dict[str, Any]:
    """A scored event."""
    signals = [
        {"id": "new_address", "points": 14},
        {"id": "login_failures_5m", "points": 23},
        {"id": "vendor", "points": -3},
    ]
    return {
        "id": "1234:1",
        "time": "2026-11-23T13:00:00.000Z",
        "account_id": 1234,
        "subject": "1234:7",
        "category": "users",
        "event_type": {"id": 6, "name": "X", "title": "User locked", "kind": "lockout"},
        "message": "It happened",
        "user": {"id": 7, "name": "User Seven"},
        "source": {"ip": "203.0.113.9"},
        "risk": {"score": 56, "level": "high", "signals": signals, "reasons": "7 failed logins"},
        **parts,
    }


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(frozenset({"medium"})), False),
        (Selection(frozenset()), True),
        (Selection(kinds=frozenset({"lockout", "unlock"})), True),
        (Selection(kinds=frozenset({"unlock"})), False),
        (Selection(categories=frozenset({"apps"})), False),
        (Selection(frozenset({"high"}), frozenset({"lockout"}), frozenset({"users"})), True),
    ],
)
def test_events_are_chosen_by_their_headers(selection: Selection, taken: bool) -> None:
    """All filters must agree."""
    assert (selection.select(HEADERS, orjson.dumps(event())) is not None) is taken


@pytest.mark.parametrize("value", [None, b"", b"no json", b"[]", b"{}", b'{"risk": 7}'])
def test_what_riskstream_did_not_write_is_no_event(value: bytes | None) -> None:
    """Nor is a record without its headers."""
    assert Selection().select(HEADERS, value) is None
    assert Selection().select((), orjson.dumps(event())) is None


def test_the_reason_is_the_signal_that_weighs_most() -> None:
    """Without one it is the kind of event."""
    assert message_key(event()) == "1234:7|login_failures_5m"
    plain = event(risk={"score": 30, "level": "medium", "signals": []})
    assert message_key(plain) == "1234:7|lockout"
    assert dedup_key("a") != dedup_key("b")
    assert len(dedup_key("a" * 1000)) < 64


def test_every_name_has_a_text() -> None:
    """Also of an event that tells nearly nothing."""
    for one in (event(), {"risk": {}}, {"risk": {"signals": None}, "user": 7, "event_type": []}):
        values = message_values({"risk": {}} if one.get("risk") is None else _with_signals(one))
        assert sorted(values) == sorted(NAMES)
        assert all(values[name] for name in NAMES if name not in {"routing_key", "link"})


def _with_signals(one: dict[str, Any]) -> dict[str, Any]:
    risk = {key: part for key, part in one["risk"].items() if part is not None}
    return {**one, "risk": risk}


def test_slack_gets_its_escapes() -> None:
    """A user's name mentions no channel and makes no link."""
    hostile = event(user={"name": "<!channel> & <https://example.com|me>"})
    payload = json.loads(load_templates("slack")[0].render(message_values(hostile)))
    text = json.dumps(payload)
    assert "<" not in text
    assert "&lt;!channel&gt; &amp;" in text
    assert payload["text"].startswith("Risk 56 (high): User locked")
    assert [block["type"] for block in payload["blocks"]] == ["section", "section", "context"]


def test_pagerduty_gets_what_its_events_api_asks_for() -> None:
    """Version 2: a trigger with key, severity and summary."""
    payload = json.loads(load_templates("pagerduty")[0].render(message_values(event(), "R0UT1NG")))
    assert payload["routing_key"] == "R0UT1NG"
    assert payload["event_action"] == "trigger"
    assert payload["dedup_key"] == dedup_key(message_key(event()))
    assert payload["payload"]["severity"] == "critical"
    assert payload["payload"]["timestamp"] == "2026-11-23T13:00:00.000Z"
    assert len(payload["payload"]["summary"]) <= 1024


@pytest.mark.parametrize("style", ["slack", "pagerduty", "json"])
@given(name=st.text(max_size=2000), reasons=st.text(max_size=2000))
def test_no_value_breaks_out_of_its_text(style: Any, name: str, reasons: str) -> None:
    """Whatever is in an event, the payload has the template's own structure."""
    template = load_templates(style)[0]
    plain = json.loads(template.render(message_values(event())))
    hostile = event(user={"name": name}, message=name, risk={**event()["risk"], "reasons": reasons})
    payload = json.loads(template.render(message_values(hostile)))
    assert _shape(payload) == _shape(plain)


def _shape(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _shape(part) for key, part in document.items()}
    if isinstance(document, list):
        return [_shape(part) for part in document]
    return type(document).__name__


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    """Any JSON; what is no text stays as it is."""
    file = tmp_path / "own.json"
    file.write_text('{"t": "${level}: $$5 $title", "n": [1, null, true]}', encoding="utf-8")
    payload = json.loads(load_templates("json", file)[0].render(message_values(event())))
    assert payload == {"t": "high: $5 User locked", "n": [1, None, True]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"t": "$levle and $title"}', "has $levle; there are $account"),
        ('{"t": "5 $"}', "has a $ without a name"),
        ("no json", "is not JSON"),
        (None, "cannot be read"),
    ],
)
def test_faults_of_a_template_are_told_before_anything_is_sent(
    text: str | None, told: str, tmp_path: Path
) -> None:
    """With the names that there are."""
    file = tmp_path / "own.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as fault:
        load_templates("json", file)[0]
    assert told in str(fault.value)


def test_the_document_lists_every_name() -> None:
    """docs/operations.md has each as templates write it, and no other."""
    text = (Path(__file__).resolve().parents[3] / "docs/operations.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("`$account`"))
    assert line == ", ".join(f"`${name}`" for name in NAMES)


def alert(**parts: Any) -> dict[str, Any]:
    """The published example."""
    example = orjson.loads((schemas_dir() / "examples/alert.v1/valid.json").read_bytes())
    return {**example, **parts}


def test_an_alert_says_who_rose_and_why() -> None:
    """To each receiver in its form; one incident per subject."""
    values = alert_values(alert(), "R0UT1NG")
    pagerduty = json.loads(load_templates("pagerduty")[1].render(values))
    assert pagerduty["routing_key"] == "R0UT1NG"
    assert pagerduty["event_action"] == "trigger"
    assert pagerduty["payload"]["severity"] == "critical"
    summary = "Alert: 1234:7 rose to 70 (high): accepted after 4 MFA denials"
    assert pagerduty["payload"]["summary"] == summary
    again = alert_values(alert(id="f" * 32, time="2026-11-30T13:10:00.000Z"))
    assert again["dedup_key"] == pagerduty["dedup_key"]
    assert alert_values(alert(subject="1234:8"))["dedup_key"] != again["dedup_key"]
    assert alert_key(alert()) != alert_key(alert(id="f" * 32))
    slack = json.loads(load_templates("slack")[1].render(values))
    assert slack["text"] == summary
    assert "from 0 (no)" in slack["blocks"][0]["text"]["text"]
    plain = json.loads(load_templates("json")[1].render(values))
    assert plain["events"] == "1234:15"
    assert plain["score"] == "70"


def test_an_alert_with_nothing_but_its_subject_has_every_text() -> None:
    """Whoever wrote it."""
    for one in (
        alert(),
        {"id": "1", "subject": "1:2", "standing": {}},
        alert(causes=[7, {}], previous=None, standing={"level": 9}),
    ):
        values = alert_values(one)
        assert sorted(values) == sorted(NAMES)
        assert all(values[name] for name in NAMES if name not in {"routing_key", "link"})


def test_the_same_reason_is_said_once() -> None:
    """Causes of two families may say the same."""
    (cause,) = alert()["causes"]
    values = alert_values(alert(causes=[cause, {**cause, "family": "place", "event_id": "1234:9"}]))
    assert values["reasons"] == cause["detail"]
    assert values["events"] == "1234:15, 1234:9"


@pytest.mark.parametrize("value", [None, b"", b"no", b"[]", b"{}", b'{"id": 7, "subject": "x"}'])
def test_what_riskstream_did_not_write_is_no_alert(value: bytes | None) -> None:
    """But the published example is."""
    assert read_alert(value) is None
    assert read_alert(orjson.dumps(alert())) == alert()


def test_an_own_template_serves_alerts_as_well(tmp_path: Path) -> None:
    """Unless there is one for them."""
    own, other = tmp_path / "own.json", tmp_path / "other.json"
    own.write_text('{"said": "$title", "kind": "$kind"}')
    other.write_text('{"alert": "$subject"}')
    both = load_templates("slack", own)
    assert json.loads(both[1].render(alert_values(alert())))["kind"] == "alert"
    apart = load_templates("slack", own, other)
    assert json.loads(apart[1].render(alert_values(alert()))) == {"alert": "1234:7"}
    assert json.loads(apart[0].render(message_values(event())))["said"] == "User locked"


@pytest.mark.parametrize("style", ["slack", "pagerduty", "json"])
@given(subject=st.text(min_size=1, max_size=300), detail=st.text(max_size=300))
def test_no_alert_breaks_out_of_its_text(style: Any, subject: str, detail: str) -> None:
    """Whatever is in it, the payload has the template's own structure."""
    template = load_templates(style)[1]
    (cause,) = alert()["causes"]
    hostile = alert(subject=subject, causes=[{**cause, "detail": detail}])
    payload = json.loads(template.render(alert_values(hostile)))
    assert _shape(payload) == _shape(json.loads(template.render(alert_values(alert()))))


def test_a_message_leads_to_its_page() -> None:
    """In the console, where its address is known; whatever is in the id."""
    url = "https://events.example.com/"
    hostile = message_values(event(id="1234:a/b?<c>"), "", url)["link"]
    assert hostile == "https://events.example.com/events/1234:a%2Fb%3F%3Cc%3E"
    values = alert_values(alert(), "", url)
    assert values["link"] == f"https://events.example.com/alerts/{alert()['id']}"
    for style in ("slack", "pagerduty", "json"):
        assert values["link"] in load_templates(style)[1].render(values).decode()
        assert hostile in load_templates(style)[0].render({**values, "link": hostile}).decode()
    assert alert_values(alert())["link"] == ""
