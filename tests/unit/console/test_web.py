"""Pages and API without a browser: what they find, refuse and let nobody do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from riskstream.console.store.writer import Writer
from riskstream.console.web.access import check_access
from riskstream.console.web.app import make_app
from riskstream.console.web.export import COLUMNS, harmless
from riskstream.console.web.site import Site
from riskstream.contract.check import check_document
from riskstream.errors import ConfigError
from riskstream.events.record import InputRecord
from riskstream.events.topics import DEAD_LETTER
from tests.support.console import NOW_MS, filled_store, make_site, scored

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
MINUTE = 60_000


def sample() -> list[dict[str, Any]]:
    """Sixty events a minute apart; the last is high and hostile."""
    events = [scored(n, NOW_MS - (60 - n) * MINUTE, score=3 + n % 40) for n in range(59)]
    agent = {"ip": "198.51.100.7", "user_agent": HOSTILE}
    last = scored(
        59,
        NOW_MS - MINUTE,
        score=77,
        user={"id": 8, "name": HOSTILE},
        source=agent,
        message=HOSTILE,
        auth={"method": "password", "reason": HOSTILE},
        raw=HOSTILE,
    )
    return [*events, last]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """Of a store with the sample in it."""
    made = filled_store(tmp_path, sample())
    headers = (
        ("x-riskstream-reason", b"malformed_json"),
        ("x-riskstream-detail", HOSTILE.encode()),
    )
    letter = InputRecord(
        DEAD_LETTER, 0, 1, NOW_MS, b"k", HOSTILE.encode() + b"\xff\x1b[31m", headers
    )
    made.take([letter], {}, {("dead", 0): 2})
    yield made
    made.close()


def client(directory: Path, **console: Any) -> tuple[TestClient, Site]:
    """A browser of sorts, and the site it looks at."""
    site = make_site(directory, **console)
    return TestClient(make_app(site), base_url="http://127.0.0.1"), site


def token(browser: TestClient) -> dict[str, str]:
    """What a page of the console sends with whatever changes something."""
    text = browser.get("/events").text
    return {"X-CSRF-Token": text.partition('csrf-token" content="')[2].partition('"')[0]}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 60),
        ("level=high", 1),
        ("user=8", 1),
        ("user=User+Seven", 59),
        ("user=nobody", 0),
        ("ip=203.0.113.9", 59),
        ("type=6", 60),
        ("type=USER_FAILED_ONELOGIN_LOGIN", 60),
        ("type=failed+login", 60),
        ("type=no+such+type", 0),
        ("category=apps", 0),
        ("outcome=failure&level=high", 1),
        ("score_min=40&score_max=100", 4),
        ("since=10m", 10),
        ("from=2026-11-23T12:30:00Z&to=2026-11-23T12:40:00Z", 10),
        ("q=seven", 60),
        ("q=onerror", 1),
        ("q=auth*+-onerror", 59),
    ],
)
def test_each_filter_finds_what_it_says(
    writer: Writer, tmp_path: Path, query: str, count: int
) -> None:
    """By the API and by the page."""
    browser, _site = client(tmp_path)
    answer = browser.get(f"/api/v1/events?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == count
    page = browser.get(f"/events?{query}")
    assert page.status_code == 200
    assert f'id="total" data-swap>{count}<' in page.text


@pytest.mark.parametrize(
    "query",
    [
        "level=worst",
        "colour=red",
        "from=yesterday",
        "score_min=50&score_max=10",
        "since=1y",
        "user=1&user=2",
        "q=%2A%2A",
        "limit=0",
        "before=-1",
        "resolution=x",
        "q=" + "x" * 501,
    ],
)
def test_what_cannot_be_answered_is_said(writer: Writer, tmp_path: Path, query: str) -> None:
    """As 400 with the reason; never as a fault."""
    browser, _site = client(tmp_path)
    answer = browser.get(f"/api/v1/events?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_pages_of_the_api_follow_each_other(writer: Writer, tmp_path: Path) -> None:
    """By ``next``, to the end."""
    browser, _site = client(tmp_path)
    seen: list[str] = []
    following = ""
    while True:
        told = browser.get(f"/api/v1/events?limit=25{following}").json()
        seen += [event["id"] for event in told["events"]]
        if told["next"] is None:
            break
        following = f"&before={told['next']}"
    assert seen == [f"1234:{n}" for n in reversed(range(60))]


def test_hostile_text_is_text_everywhere(writer: Writer, tmp_path: Path) -> None:
    """No page has a tag that an event brought along."""
    browser, _site = client(tmp_path)
    pages = ("/events", "/events/1234:59", "/events?q=onerror", "/users/1234:8", "/overview")
    for path in (*pages, f"/events?q={HOSTILE}", f"/catalog?q={HOSTILE}", "/dead-letters/0/1"):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;" in text


def test_every_answer_has_the_security_headers(writer: Writer, tmp_path: Path) -> None:
    """Pages, assets, faults and the API."""
    browser, _site = client(tmp_path)
    for path in ("/events", "/static/console.js", "/nowhere", "/api/v1/events", "/api/v1/events/x"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_no_page_has_script_or_style_of_its_own(writer: Writer, tmp_path: Path) -> None:
    """The policy would stop them, and nothing would work."""
    browser, _site = client(tmp_path)
    for path in ("/events", "/events/1234:59", "/users/1234:8", "/overview", "/catalog", "/audit"):
        text = browser.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick" not in text
        assert text.count("<script") == text.count("<script src=")


def test_exports_have_every_event_and_no_formula(tmp_path: Path) -> None:
    """The view's events, all pages of them, the newest first."""
    events = [*sample(), scored(60, NOW_MS, user={"id": 9, "name": "=cmd|' /C calc'!A0"})]
    filled_store(tmp_path, events).close()
    browser, _site = client(tmp_path)
    lines = browser.get("/export.ndjson").text.splitlines()
    assert [orjson.loads(line)["id"] for line in lines] == [
        f"1234:{n}" for n in reversed(range(61))
    ]
    assert orjson.loads(lines[1]) == events[59]
    table = browser.get("/export.csv?user=9")
    assert table.headers["content-disposition"].endswith('"riskstream-events.csv"')
    head, row = table.text.splitlines()
    assert head == ",".join(COLUMNS)
    assert "'=cmd" in row
    assert len(browser.get("/export.csv?ip=203.0.113.9").text.splitlines()) == 61
    assert browser.get("/export.csv?level=x").status_code == 400


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_what_a_spreadsheet_could_run_is_made_harmless(text: str) -> None:
    """By an apostrophe before it."""
    assert harmless(text) == f"'{text}"


def test_feedback_needs_the_token_and_goes_to_its_topic(writer: Writer, tmp_path: Path) -> None:
    """With who and when, and as its schema has it."""
    browser, site = client(tmp_path)
    sent: list[tuple[str, bytes, bytes]] = []

    async def send(*record: Any) -> None:
        sent.append(record)

    site.send = send
    url, body = "/api/v1/events/1234:59/feedback", {"verdict": "true_positive", "note": "yes"}
    assert browser.post(url, json=body).status_code == 403
    headers = token(browser)
    assert browser.post(url, json=body, headers={"X-CSRF-Token": "0" * 64}).status_code == 403
    evil = {**headers, "Sec-Fetch-Site": "cross-site"}
    assert browser.post(url, json=body, headers=evil).status_code == 403
    assert sent == []
    answer = browser.post(url, json=body, headers=headers)
    assert answer.status_code == 201
    ((topic, key, value),) = sent
    assert (topic, key) == ("iam.feedback.v1", b"1234:59")
    assert check_document("feedback", orjson.loads(value)) == []
    assert orjson.loads(value)["author"] == "local"
    assert browser.post(url, json={"verdict": "maybe"}, headers=headers).status_code == 422
    assert browser.post("/api/v1/events/no/feedback", json=body, headers=headers).status_code == 404
    assert site.audit.latest(9)[0]["action"] == "gave feedback"


def test_another_host_name_is_refused(writer: Writer, tmp_path: Path) -> None:
    """A page of a site whose name was pointed at 127.0.0.1 gets nothing."""
    browser, _site = client(tmp_path)
    assert browser.get("/events", headers={"Host": "evil.example.com"}).status_code == 421


def test_beyond_loopback_a_login_is_asked_for(tmp_path: Path) -> None:
    """Before anything listens."""
    writer = filled_store(tmp_path, [])
    cases: list[dict[str, Any]] = [
        {"host": "0.0.0.0"},  # noqa: S104  (refused)
        {"access": "proxy"},
        {"access": "proxy", "public_url": "https://events.example.com"},
        {"access": "proxy", "public_url": "http://events.example.com", "viewers": ["*"]},
        {"access": "oidc", "public_url": "https://events.example.com", "viewers": ["*"]},
    ]
    for case in cases:
        with pytest.raises(ConfigError):
            check_access(make_site(tmp_path, **case).settings.console)
    inside = {"host": "0.0.0.0", "published_on_loopback": True}  # noqa: S104  (of a container)
    check_access(make_site(tmp_path, **inside).settings.console)
    strange, _site = client(tmp_path, **inside)
    assert strange.get("/events", headers={"Host": "evil.example.com"}).status_code == 421
    writer.close()


def test_a_proxy_says_who_it_is_and_roles_bound_what_they_may(
    writer: Writer, tmp_path: Path
) -> None:
    """From a trusted address alone; a header given twice counts as none."""
    proxy = {
        "access": "proxy",
        "public_url": "https://events.example.com",
        "viewers": ["*"],
        "analysts": ["soc"],
        "admins": ["boss@example.com"],
        "trusted_proxies": ["testclient"],
    }
    browser, _site = client(tmp_path, **proxy)
    viewer = {"X-Forwarded-User": "someone@example.com"}
    analyst = {**viewer, "X-Forwarded-Groups": "staff, soc"}
    assert browser.get("/events").status_code == 401
    assert browser.get("/events", headers=viewer).status_code == 200
    assert "Export" not in browser.get("/events", headers=viewer).text
    assert browser.get("/export.csv", headers=viewer).status_code == 403
    assert browser.get("/export.csv", headers=analyst).status_code == 200
    twice = [("X-Forwarded-User", "boss@example.com"), ("X-Forwarded-User", "someone@example.com")]
    assert browser.get("/events", headers=twice).status_code == 401
    untrusted, _other = client(tmp_path, **{**proxy, "trusted_proxies": ["192.0.2.1"]})
    assert untrusted.get("/events", headers=viewer).status_code == 401


def test_an_event_says_why_and_what_is_usual(writer: Writer, tmp_path: Path) -> None:
    """The points of each signal, and what the ordinary events of the user before it had."""
    browser, _site = client(tmp_path)
    text = browser.get("/events/1234:58").text
    assert "first seen from 203.0.113.9" in text
    assert "100 % of the 41 ordinary events before" in text
    assert browser.get("/events/1234:999").status_code == 404


def test_a_dead_letter_is_shown_safely(writer: Writer, tmp_path: Path) -> None:
    """What is no text, or could steer a terminal it is pasted into, as escapes; and as bytes."""
    browser, _site = client(tmp_path)
    assert "malformed json" in browser.get("/dead-letters").text
    text = browser.get("/dead-letters/0/1").text
    assert "\\xff\\x1b[31m" in text
    assert "3c 73 63 72" in text
    assert browser.get("/dead-letters/0/99").status_code == 404
    assert browser.get("/dead-letters/0/99999999999999999999").status_code == 404
    assert browser.get("/dead-letters?reason=none").status_code == 400


def test_only_admins_replay_and_read_the_audit_log(writer: Writer, tmp_path: Path) -> None:
    """An analyst may not."""
    proxy = {
        "access": "proxy",
        "public_url": "https://127.0.0.1",
        "analysts": ["*"],
        "trusted_proxies": ["testclient"],
    }
    browser, _site = client(tmp_path, **proxy)
    browser.headers["X-Forwarded-User"] = "someone@example.com"
    browser.base_url = "https://127.0.0.1"  # type: ignore[assignment]  (the setter takes text)
    headers = token(browser)
    assert browser.get("/audit").status_code == 403
    answer = browser.post("/api/v1/dead-letters/0/1/replay", json={}, headers=headers)
    assert answer.status_code == 403
    assert "admin" in answer.json()["error"]


def test_the_audit_log_says_who_did_what(writer: Writer, tmp_path: Path) -> None:
    """Looking, searching and exporting; for admins, the newest first."""
    browser, site = client(tmp_path)
    for path in (
        "/events?level=high",
        "/events/1234:59",
        "/users/1234:8",
        "/export.csv?level=high",
    ):
        browser.get(path)
    did = [(line["action"], line["what"]) for line in site.audit.latest(10)]
    assert did == [
        ("exported csv", "level=high"),
        ("looked at user", "1234:8"),
        ("looked at event", "1234:59"),
        ("searched", "level=high"),
    ]
    assert "exported csv" in browser.get("/audit").text
