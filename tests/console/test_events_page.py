"""The Events page in Chromium: each filter alone and in pairs, paging, live updates, the chart."""

import itertools
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect

from riskstream.console.store.database import unpack
from riskstream.console.store.facets import stored_words
from riskstream.console.store.words import parse_text
from tests.console.conftest import END_MS, STORY_NAMES, Console
from tests.support.console import as_record, scored

pytestmark = pytest.mark.tools

FILTERS: dict[str, tuple[str, str]] = {
    "q": ("Search", "login"),
    "level": ("Medium", ""),
    "category": ("OneLogin", ""),
    "outcome": ("Failure", ""),
    "score_min": ("Score from", "20"),
    "score_max": ("to", "40"),
    "user": ("User", "User 70"),
    "actor": ("Actor", "User 70"),
    "type": ("Event type", "USER_FAILED_ONELOGIN_LOGIN"),
    "ip": ("Address", "203.0.113.39"),
    "app": ("App", "Wiki"),
    "resolution": ("Resolution", "1"),
    "to": ("To", "2026-11-23T13:00:00"),
}
"""By parameter: the label, and what is typed; nothing where the label is a box to tick."""
PAIRS = list(itertools.combinations(FILTERS, 2))


def passes(name: str, event: dict[str, Any], value: bytes) -> bool:
    """What each of the filters above asks for, said a second time."""
    risk, user, actor = event["risk"], event.get("user", {}), event.get("actor", {})
    checks = {
        "q": lambda: parse_text("login").match(stored_words(value)),
        "level": lambda: risk["level"] == "medium",
        "category": lambda: event["category"] == "onelogin",
        "outcome": lambda: event["outcome"] == "failure",
        "score_min": lambda: risk["score"] >= 20,
        "score_max": lambda: risk["score"] <= 40,
        "user": lambda: user.get("name") == "User 70",
        "actor": lambda: actor.get("name") == "User 70",
        "type": lambda: event["event_type"]["name"] == "USER_FAILED_ONELOGIN_LOGIN",
        "ip": lambda: event.get("source", {}).get("ip") == "203.0.113.39",
        "app": lambda: event.get("app", {}).get("name") == "Wiki",
        "resolution": lambda: event.get("resolution") == 1,
        "to": lambda: event["time"] < "2026-11-23T13:00:00.000Z",
    }
    return bool(checks[name]())


def choose(page: Page, name: str) -> None:
    """Set one filter by its label, as a person does."""
    label, text = FILTERS[name]
    if not text:
        page.locator("#view").get_by_role("checkbox", name=re.compile(f"^{label}")).check()
        return
    field = page.locator(f'#view [name="{name}"]')
    expect(field).to_have_accessible_name(label)
    field.fill(text)
    field.dispatch_event("change")


def shown(page: Page) -> int:
    """The total that the page says."""
    return int(page.locator("#total").inner_text().replace(",", ""))


@pytest.fixture
def everything(console: Console) -> list[tuple[dict[str, Any], bytes]]:
    """All events of the store now, with their values: other tests add some."""
    found = []
    for (value,) in console.writer.link.execute("SELECT value FROM event"):
        plain = unpack(value)
        found.append((orjson.loads(plain), plain))
    return found


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_by_its_label(
    page: Page, name: str, everything: list[tuple[dict[str, Any], bytes]]
) -> None:
    """It finds what it says, stands in the address bar, and the link opens the same view."""
    wanted = sum(passes(name, event, value) for event, value in everything)
    page.goto("/events")
    choose(page, name)
    expect(page.locator("#total")).to_have_text(f"{wanted:,}")
    page.wait_for_url(re.compile(rf"[?&]{name}="))
    page.goto(page.url)
    assert shown(page) == wanted
    expect(page.locator("#chips a")).to_have_count(1)
    page.locator("#chips a").click()
    expect(page.locator("#total")).to_have_text(f"{len(everything):,}")


def test_filters_in_pairs(page: Page, everything: list[tuple[dict[str, Any], bytes]]) -> None:
    """Every pair of filters, by the address that its form makes."""
    parameters = {
        name: text or {"level": "medium", "category": "onelogin", "outcome": "failure"}[name]
        for name, (_label, text) in FILTERS.items()
    }
    page.goto("/events")
    wrong = {}
    for one, other in PAIRS:
        wanted = sum(
            passes(one, event, value) and passes(other, event, value) for event, value in everything
        )
        query = f"/events?{one}={parameters[one]}&{other}={parameters[other]}"
        said = page.evaluate(
            """async (url) => {
                const text = await (await fetch(url)).text();
                const page = new DOMParser().parseFromString(text, "text/html");
                return [page.querySelector("#total").textContent,
                        page.querySelectorAll("#rows tr").length];
            }""",
            query,
        )
        if said != [f"{wanted:,}", min(wanted, 50)]:
            wrong[one, other] = (said, wanted)
    assert wrong == {}


def test_paging_goes_to_the_end_and_back(page: Page) -> None:
    """No event twice, none left out; the browser's back button goes back."""
    page.goto("/events?level=no")
    total, seen = shown(page), []
    while True:
        seen += page.locator("#rows tr").evaluate_all("rows => rows.map(row => row.dataset.key)")
        older = page.get_by_role("link", name="Older events")
        if not older.count():
            break
        first = page.locator("#rows tr").first.get_attribute("data-key")
        older.click()
        expect(page.locator("#rows tr").first).not_to_have_attribute("data-key", first or "")
    assert len(seen) == len(set(seen)) == total
    page.go_back()
    expect(page.get_by_role("link", name="Older events")).to_be_visible()
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("#rows tr").first).to_have_attribute("data-key", seen[0])


def test_new_events_come_by_themselves_until_paused(page: Page, console: Console) -> None:
    """With their counts; what came in the pause is there after it; a filter holds for them."""
    page.goto("/events?q=newcomer")
    expect(page.get_by_text("No such events")).to_be_visible()

    def arrive(number: int, text: str = "newcomer") -> None:
        console.take(as_record(scored(910_000 + number, END_MS - 50_000 + number, message=text)))

    arrive(1)
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#total")).to_have_text("1")
    arrive(2, "somebody else")
    arrive(3)
    expect(page.locator("#rows tr")).to_have_count(2)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    arrive(4)
    other = page.context.new_page()
    other.goto("/events?q=newcomer")
    arrive(5)
    expect(other.locator("#rows tr")).to_have_count(4)
    other.close()
    expect(page.locator("#rows tr")).to_have_count(2)
    page.get_by_role("button", name="Paused").click()
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(page.get_by_role("button", name="Live")).to_be_visible()


def test_dragging_over_the_histogram_zooms(page: Page) -> None:
    """To the range dragged over; a click on a bar is that bar."""
    page.goto("/events")
    before = shown(page)
    box = page.locator(".bars").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=5)
    expect(page.locator(".select")).to_be_visible()
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    expect(page.locator("#chips a")).to_have_count(2)
    assert 0 < shown(page) < before
    zoomed = page.url
    bar = page.locator(".bars g[data-from]").nth(3).bounding_box()
    assert bar
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url(lambda url: url != zoomed)
    expect(page.locator("#chips a")).to_have_count(2)


def test_everything_goes_by_keyboard(page: Page) -> None:
    """Search, walk, open, go back, ask for the keys."""
    page.goto("/events")
    page.keyboard.press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.type("denials")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("2")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#rows tr").first.locator("a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Why "))).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_nothing_moves_while_it_loads_or_updates(page: Page, console: Console) -> None:
    """No layout shift that the browser counts, over load, a filter and a live update."""
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const each of list.getEntries())"
        " if (!each.hadRecentInput) window.moved += each.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page.goto("/events")
    console.take(as_record(scored(920_000, END_MS - 40_000, message="late guest")))
    expect(page.locator("#rows tr.fresh")).not_to_have_count(0)
    assert page.evaluate("window.moved") < 0.1


def test_the_names_of_users_are_offered(page: Page) -> None:
    """While typing."""
    page.goto("/events")
    page.get_by_label("User", exact=True).press_sequentially("User 7")
    expect(page.locator("#users option")).not_to_have_count(0)


def test_exports_are_of_the_view(page: Page, tmp_path: Path) -> None:
    """As many lines as the page says."""
    page.goto("/events?outcome=failure")
    total = shown(page)
    for form, head in (("CSV", 1), ("NDJSON", 0)):
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=form, exact=True).click()
        path = tmp_path / form
        download.value.save_as(path)
        assert path.read_bytes().count(b"\n") == total + head
        page.get_by_text("Export", exact=True).click()


STORIES = {
    "guessing_lockout": (("Search", "user locked"), "User locked"),
    "guessing_success": (("Risk level", "High"), "User revealed password"),
    "push_fatigue": (("Risk level", "High"), "accepted after 4 MFA denials"),
    "privilege": (("Risk level", "High"), "Privilege granted to user"),
    "unlisted": (("Category", "Uncataloged"), "Unknown event type 60001"),
    "api_lock": (("Search", "api locked"), "API locked user"),
    "mass_deletion": (("Search", "user deleted"), "10 sensitive actions in 10 minutes"),
}


def test_the_demo_has_no_other_stories() -> None:
    """A new one is looked for here, too."""
    assert set(STORY_NAMES) == set(STORIES)


@pytest.mark.parametrize("story", STORIES)
def test_each_story_of_the_demo_is_found_in_three_actions(page: Page, story: str) -> None:
    """From the first page, by visible labels: a filter, its value, the event."""
    (label, value), what = STORIES[story]
    page.goto("/events")
    if label == "Search":
        page.get_by_label("Search", exact=True).fill(value)  # 1
        page.keyboard.press("Enter")  # 2
    else:
        group = page.get_by_role("group", name=label)
        group.get_by_role("checkbox", name=re.compile(f"^{value}")).check()  # 1
    row = page.locator("#rows tr").filter(has_text=what).first
    row.get_by_role("link").click()  # 3
    expect(page.get_by_role("heading", name=re.compile("^Why "))).to_be_visible()
