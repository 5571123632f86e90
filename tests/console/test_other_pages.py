"""The other pages in Chromium: detail, user, feedback, permissions, hostile text, looks, labels."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from riskstream.console.store.alerts import AlertFilters
from riskstream.console.store.filters import Filters
from tests.console.conftest import HOSTILE_ALERT, Console

pytestmark = pytest.mark.tools

PAGES = {
    "events": "/events",
    "events-filtered": "/events?level=high&level=medium&q=first",
    "nothing-found": "/events?q=nothingwhatsoever",
    "event": "{event}",
    "user": "{user}",
    "overview": "/overview?since=30d",
    "alerts": "/alerts",
    "alerts-filtered": "/alerts?family=consent&since=7d",
    "no-alerts": "/alerts?user=nobody",
    "alert": "{alert}",
    "catalog": "/catalog?q=lock",
    "alerted": "{alerted}",
    "dead-letters": "/dead-letters",
    "dead-letter": "{letter}",
    "audit": "/audit",
    "missing": "/events/none",
}
PICTURES = ("events", "event", "user", "overview", "alert")


@pytest.fixture(scope="session")
def addresses(console: Console) -> dict[str, str]:
    """Every page, with an event, a user and a letter that there are."""
    found = console.site.store.search(Filters(text="denials")).page(1).keys
    ((_key, event),) = console.site.store.events(found)
    user = f"/users/1234:{event['user']['id']}"
    (risen,) = console.site.store.alerts(AlertFilters((event["subject"],)), 10)
    letter = console.site.store.letters("malformed_json", 1, None)[0]
    places = {
        "event": f"/events/{event['id']}",
        "user": user,
        "alert": f"/alerts/{risen.alert.id}",
        "alerted": f"/events/{risen.alert.event_ids[-1]}",
        "letter": f"/dead-letters/{letter.partition}/{letter.offset}",
    }
    return {name: path.format(**places) for name, path in PAGES.items()}


def test_an_event_tells_everything(page: Page, addresses: dict[str, str]) -> None:
    """Who, what, where, when; points that add up; what was usual; what is around; the raw text."""
    page.goto(addresses["event"])
    points = page.locator(".steps li:not(.sum) .points").all_inner_texts()
    total = int(page.locator(".steps .sum .points").inner_text())
    assert sum(int(text) for text in points) == total
    for heading in ("Who, what, where", "Windows at that moment", "Feedback", "As received"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator(".steps").get_by_text("accepted after 4 MFA denials")).to_be_visible()
    expect(page.locator("table.facts")).to_contain_text("ordinary events before")
    expect(page.locator(".near [aria-current]").first).to_be_visible()
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("status").filter(has_text="copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert '"risk"' in copied
    page.get_by_role("button", name="Copy as OCSF").click()
    expect(page.locator("#event-ocsf")).to_contain_text('"class_uid"')
    page.get_by_role("link", name=re.compile("all about")).click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_a_user_page_tells_what_is_usual(page: Page, addresses: dict[str, str]) -> None:
    """Risk over time, places, hours, failures, timeline."""
    page.goto(addresses["user"])
    for heading in ("Usual addresses", "Usual hours", "Timeline"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_text("Failures in 24h")).to_be_visible()
    page.get_by_role("link", name=re.compile("High")).first.click()
    expect(page.locator("#chips a")).to_have_count(2)


def test_the_overview_says_who_stands_worst_and_leads_to_why(page: Page) -> None:
    """From the riskiest to the event that it came from, and from an alert to its subject."""
    page.goto("/overview")
    riskiest = page.get_by_role("region", name="Riskiest now")
    scores = [int(text) for text in riskiest.locator(".level b").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    assert scores
    name = riskiest.get_by_role("rowheader").first.inner_text()
    riskiest.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    standing = page.get_by_role("region", name=re.compile("Standing"))
    expect(standing).to_contain_text("points halve every 24 hours")
    standing.locator(".steps a").first.click()
    expect(page.get_by_role("heading", name=re.compile("Why"))).to_be_visible()
    page.goto("/overview")
    newest = page.get_by_role("region", name=re.compile("Newest alerts"))
    newest.locator(".time a").first.click()
    expect(page.get_by_role("heading", name=re.compile("rose to High"))).to_be_visible()


def test_an_alert_is_linked_from_its_events_and_its_user(
    page: Page, addresses: dict[str, str]
) -> None:
    """Event, alert, user, timeline and back."""
    page.goto(addresses["alerted"])
    page.get_by_role("link", name=re.compile("Behind the alert of")).first.click()
    expect(page).to_have_url(re.compile(addresses["alert"]))
    expect(page.locator(".steps li").first).to_contain_text("scored")
    page.locator("dl.facts a").first.click()
    page.get_by_role("link", name="Alert: the standing rose to High").first.click()
    expect(page.get_by_role("heading", name=re.compile("rose to High"))).to_be_visible()


def test_alerts_are_found_by_user_family_and_time(page: Page, console: Console) -> None:
    """As many as the store has; the filters stand in the address bar; keys lead there."""
    page.goto("/events")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")
    rows = page.locator("tbody tr")
    everything = console.site.store.alerts(AlertFilters(), 1000)
    expect(rows).to_have_count(min(len(everything), 50))
    page.get_by_label("Family").select_option("consent")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile("family=consent"))
    wanted = console.site.store.alerts(AlertFilters(family="consent"), 1000)
    expect(rows).to_have_count(len(wanted))
    for text in page.locator("tbody tr td:last-child").all_inner_texts():
        assert "consent" in text
    name = rows.first.get_by_role("rowheader").inner_text()
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("User", exact=True).fill(name)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("user="))
    assert set(rows.get_by_role("rowheader").all_inner_texts()) == {name}


def test_feedback_is_shown_on_the_event_and_in_the_list(
    page: Page, addresses: dict[str, str]
) -> None:
    """With who said it, as text."""
    page.goto(addresses["event"])
    page.get_by_label("False positive").check()
    page.get_by_label("Note").fill("a <b>test</b> by the owner")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.locator("#remarks")).to_contain_text("a <b>test</b> by the owner")
    expect(page.locator("#remarks")).to_contain_text("local")
    page.goto("/events?level=high")
    expect(page.locator("#rows .verdict").first).to_have_text("False positive")


def test_hostile_text_is_text(page: Page) -> None:
    """In the list, on the event and on its user's page; the ``page`` fixture sees any script."""
    hostile = ("/events?q=onerror", "/events/1234:900000", "/users/1234:66")
    for path in (*hostile, "/overview", "/alerts?user=1234:66", f"/alerts/{HOSTILE_ALERT:032x}"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text("<img src=x onerror=alert(1)>")
        assert page.locator("main img").count() == 0
        assert page.locator("main script").count() == 0


def test_a_viewer_sees_no_more_than_a_viewer_may(chromium: Browser, console: Console) -> None:
    """No export, no feedback, no replay, no audit log; and no page without a name."""
    console_settings = console.site.settings.console
    changed = console_settings.model_copy(
        update={
            "access": "proxy",
            "public_url": console.address,
            "viewers": ("*",),
            "analysts": (),
            "admins": (),
        }
    )
    with _access(console, changed):
        context = chromium.new_context(
            base_url=console.address, extra_http_headers={"X-Forwarded-User": "v@example.com"}
        )
        page = context.new_page()
        page.goto("/events/1234:900000")
        expect(page.get_by_text("v@example.com")).to_be_visible()
        expect(page.get_by_role("button", name="Send feedback")).to_have_count(0)
        expect(page.get_by_role("link", name="Audit")).to_have_count(0)
        page.goto("/events")
        expect(page.get_by_text("Export", exact=True)).to_have_count(0)
        for path in ("/audit", "/export.csv"):
            answer = context.request.get(path)
            assert answer.status == 403
        context.close()
        nobody = chromium.new_context(base_url=console.address)
        assert nobody.request.get("/events").status == 401
        nobody.close()


class _access:  # noqa: N801  (used as a function)
    """The guard of the served console under other settings, for a while."""

    def __init__(self, console: Console, settings: object) -> None:
        self._guard = console.guard()
        self._before, self._settings = self._guard.settings, settings

    def __enter__(self) -> None:
        self._guard.settings = self._settings  # type: ignore[assignment]  (a copy of its own kind)

    def __exit__(self, *_: object) -> None:
        self._guard.settings = self._before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(context: BrowserContext, addresses: dict[str, str], scheme: str) -> None:
    """On any page, light or dark."""
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  (one of the two)
    failed = {}
    for name, path in addresses.items():
        page.goto(path)
        found = Axe().run(page)
        if found.violations_count:
            failed[name] = [
                (each["id"], [node["target"] for node in each["nodes"]])
                for each in found.response["violations"]
            ]
    assert failed == {}


def test_dark_and_light_by_key_and_kept(page: Page) -> None:
    """The browser's wish first, then one's own, over page loads."""
    page.emulate_media(color_scheme="dark")
    page.goto("/events")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.keyboard.press("t")
    light = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == light


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["desk", "phone"])
def test_no_page_is_wider_than_the_screen(
    context: BrowserContext, addresses: dict[str, str], size: tuple[int, int]
) -> None:
    """Tables scroll in themselves; the page does not."""
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wide = {}
    for name, path in addresses.items():
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size[0]:
            wide[name] = width
    assert wide == {}


def test_pictures(context: BrowserContext, addresses: dict[str, str], screenshots: Path) -> None:
    """Of the pages, for the documents."""
    screenshots.mkdir(parents=True, exist_ok=True)
    page = context.new_page()
    for name in PICTURES:
        page.goto(addresses[name])
        page.screenshot(path=screenshots / f"{name}.png")
    page.emulate_media(color_scheme="dark")
    page.goto("/events?level=high&level=medium")
    page.screenshot(path=screenshots / "events-dark.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/events")
    page.screenshot(path=screenshots / "events-phone.png")
    assert len(list(screenshots.glob("*.png"))) == len(PICTURES) + 2
