"""The Events page: filters, histogram, counts and a page of events."""

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from riskstream.console.store.facets import CATEGORIES, LEVELS, OUTCOMES
from riskstream.console.store.filters import ALL_TIME
from riskstream.console.store.records import Remark
from riskstream.console.store.search import MOST_COUNTED, Found
from riskstream.console.store.store import StoredEvent
from riskstream.console.web.chart import Chart, level_chart
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import Site, site_of
from riskstream.console.web.view import View, ViewError, read_view
from riskstream.console.web.wording import CATEGORY_WORDS

__all__ = ["PAGE_SIZE", "Results", "events_page", "find", "home"]

PAGE_SIZE: Final = 50
RANGES: Final = (
    ("15m", "15 min"),
    ("1h", "1 h"),
    ("24h", "24 h"),
    ("7d", "7 d"),
    ("30d", "30 d"),
    ("", "All"),
)
PLACE: Final = frozenset({"before"})
LEVEL_WORDS: Final = {"no": "No risk", "low": "Low", "medium": "Medium", "high": "High"}
OUTCOME_WORDS: Final = {"success": "Success", "failure": "Failure", "unknown": "Unknown"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter with how many events it would find."""

    value: str
    word: str
    count: int
    chosen: bool
    share: int
    """Of the largest, percent."""


@dataclass(slots=True)
class Results:
    """What the store said to a view."""

    view: View
    found: Found
    events: list[StoredEvent]
    remarks: dict[str, list[Remark]]
    chart: Chart
    before: int = ALL_TIME
    choices: dict[str, list[Choice]] = field(default_factory=dict)

    @property
    def older(self) -> str:
        """The query of the next page."""
        return self.view.query(before=str(self.found.keys[-1])) if self.found.more else ""

    @property
    def total(self) -> str:
        """How many, with a plus where counting stopped."""
        total = self.found.counts.total
        if not self.found.capped:
            return f"{total:,}"
        return f"{MOST_COUNTED:,}+" if total >= MOST_COUNTED else f"{total:,}+"

    @property
    def newest(self) -> int:
        """The key after which live updates begin."""
        return self.found.keys[0] if self.found.keys else 0


async def home(_request: Request) -> Response:
    """What opens first."""
    return RedirectResponse("/events", 307)


async def events_page(request: Request) -> Response:
    """``/events``."""
    site = site_of(request)
    fault = ""
    try:
        view = read_view(request.query_params.multi_items(), ignored=PLACE)
        before = _place(request)
        results = await site.ask(find, site, view, before)
    except ViewError as error:
        fault = str(error)
        view, before = View(), ALL_TIME
        results = await site.ask(find, site, view, before)
    if view.filtered:
        site.audit.note(person_of(request), "searched", view.query())
    values = {
        "results": results,
        "view": view,
        "query": view.query(),
        "ranges": [(span, word, _with_range(view, span)) for span, word in RANGES],
        "types": site.catalog.entries,
        "fault": fault,
        "first_page": before == ALL_TIME,
        "chips": list(_chips(view)),
    }
    return site.render(request, "events.html", values, 400 if fault else 200)


def find(site: Site, view: View, before: int = ALL_TIME, size: int = PAGE_SIZE) -> Results:
    """Ask the store. Reads, so not in the event loop.

    Raises:
        ViewError: A filter cannot be answered.
    """
    store = site.store
    now_ms = site.now_ms()
    filters = view.filters(store, site.catalog, now_ms)
    search = store.search(filters)
    if search.nothing_asked:
        raise ViewError("q holds no letter and no digit, so there is nothing to look for.")
    found = search.page(size, before)
    events = store.events(found.keys)
    remarks = store.remarks([str(event["id"]) for _key, event in events])
    chart = level_chart(found.bars, found.counts.heights)
    return Results(view, found, events, remarks, chart, before, _choices(view, found))


def _place(request: Request) -> int:
    text = request.query_params.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else ALL_TIME  # noqa: PLR2004


def _choices(view: View, found: Found) -> dict[str, list[Choice]]:
    counts = found.counts
    return {
        "level": _of(LEVELS[::-1], LEVEL_WORDS, counts.levels, view.level),
        "category": _of(CATEGORIES, CATEGORY_WORDS, counts.categories, view.category),
        "outcome": _of(OUTCOMES, OUTCOME_WORDS, counts.outcomes, view.outcome),
    }


def _of(
    values: tuple[str, ...], said: dict[str, str], counts: dict[str, int], chosen: tuple[str, ...]
) -> list[Choice]:
    most = max([1, *counts.values()])
    return [
        Choice(value, said[value], counts[value], value in chosen, _share(counts[value], most))
        for value in values
    ]


def _share(count: int, most: int) -> int:
    return max(1, 100 * count // most) if count else 0


def _with_range(view: View, span: str) -> str:
    return View.model_validate(
        view.model_dump(exclude={"start", "end", "since"}) | {"since": span}
    ).query()


def _chips(view: View) -> list[tuple[str, str, str]]:
    """Each filter that is set: what it says, and the query without it."""
    chips = []
    shown: dict[str, Any] = view.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for name, value in shown.items():
        values = value if isinstance(value, list) else [value]
        for each in values:
            left = [other for other in values if other != each]
            rest = view.query(**{name: left or None})
            chips.append((CHIP_WORDS.get(name, name), str(each), rest))
    return chips


CHIP_WORDS: Final = {
    "q": "text",
    "ip": "address",
    "score_min": "score from",
    "score_max": "score to",
    "outcome": "status",
    "since": "last",
}
