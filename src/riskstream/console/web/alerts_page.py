"""Alerts: the list with its filters, and one alert with what it came from."""

from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.rows import standing_now
from riskstream.console.store.alerts import AlertFilters, StoredAlert
from riskstream.console.store.store import Store
from riskstream.console.web.event_page import name_of_key
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import Site, site_of
from riskstream.console.web.view import (
    SPAN_PATTERN,
    Text,
    ViewError,
    read_params,
    time_range,
)
from riskstream.events.topics import USERS
from riskstream.risk.policy import Family

__all__ = [
    "MOST_ALERTS",
    "MOST_STANDINGS",
    "PLACE",
    "AlertView",
    "Place",
    "ShownAlert",
    "ShownCause",
    "alert_page",
    "alerts_page",
    "find_alerts",
    "named_place",
    "place_of",
    "shown_alerts",
    "shown_causes",
]

SHOWN: Final = 50
MOST_ALERTS: Final = 500
MOST_STANDINGS: Final = 100
"""In one answer of the API."""
PLACE: Final = frozenset({"before"})
FAINT: Final = 0.5
"""Points below are not worth a line."""

Place = tuple[int, str]
"""Of an alert in the order of time: milliseconds, id."""


class AlertView(BaseModel):
    """The filters of the Alerts page; all given ones must agree."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    user: Text = Field(default="", description="Id, name or subject key of whom it is about.")
    family: Family | None = Field(
        default=None, description="Family of signals that one of the causes is of."
    )
    since: Annotated[str, Field(pattern=SPAN_PATTERN)] = Field(
        default="", description="A span up to now: `15m`, `24h`, `7d`."
    )
    start: Text = Field(
        default="", alias="from", description="Alerts at or after this time, ISO 8601."
    )
    end: Text = Field(default="", alias="to", description="Alerts before this time, ISO 8601.")

    def query(self) -> str:
        """As it stands behind the ``?``; empty filters are left out."""
        return urlencode(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    def filters(self, store: Store, now_ms: int) -> AlertFilters:
        """For the store.

        Raises:
            ViewError: A time is none.
        """
        user = self.user.strip()
        start, end = time_range(self.since, self.start, self.end, now_ms)
        subjects = store.resolve("user", user) if user else None
        return AlertFilters(subjects, self.family.value if self.family else "", start, end)


@dataclass(frozen=True, slots=True)
class ShownCause:
    """One cause, with a link where its event is still kept."""

    family: str
    points: float
    score: int
    time: str
    event_id: str
    detail: str
    title: str
    """Of its type."""
    kept: bool


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert for people."""

    at_ms: int
    name: str
    """Of the subject."""
    alert: Any


async def alerts_page(request: Request) -> Response:
    """``/alerts``."""
    site = site_of(request)
    view = read_params(AlertView, request.query_params.multi_items(), ignored=PLACE)
    before = place_of(request.query_params.get("before", ""))
    if view.query():
        site.audit.note(person_of(request), "searched alerts", view.query())
    found, total = await site.ask(find_alerts, site, view, before, SHOWN + 1)
    shown = await site.ask(shown_alerts, site.store, found[:SHOWN])
    values = {
        "alerts": shown,
        "total": total,
        "view": view,
        "families": [family.value for family in Family],
        "filtered": bool(view.query()),
        "query": view.query(),
        "older": named_place(found[SHOWN - 1]) if len(found) > SHOWN else "",
    }
    return site.render(request, "alerts.html", values)


async def alert_page(request: Request) -> Response:
    """``/alerts/{alert_id}``."""
    site = site_of(request)
    alert_id = request.path_params["alert_id"]
    values = await site.ask(_collect, site, alert_id)
    if values is None:
        raise HTTPException(
            404, f"No alert has the id {alert_id}. It may be older than what is kept."
        )
    site.audit.note(person_of(request), "looked at alert", alert_id)
    return site.render(request, "alert.html", values)


def find_alerts(
    site: Site, view: AlertView, before: Place | None, most: int
) -> tuple[list[StoredAlert], int]:
    """The alerts of a view below a place, and how many there are in all. Reads the store.

    Raises:
        ViewError: A filter cannot be answered.
    """
    filters = view.filters(site.store, site.now_ms())
    return site.store.alerts(filters, most, before), site.store.alert_count(filters)


def shown_alerts(store: Store, found: list[StoredAlert]) -> list[ShownAlert]:
    """With names."""
    return [
        ShownAlert(each.at_ms, name_of_key(store, each.alert.subject), each.alert) for each in found
    ]


def shown_causes(site: Site, causes: Any) -> list[ShownCause]:
    """The causes of an alert or of a row, those that have faded away left out."""
    found = []
    for each in causes:
        cause = msgspec.to_builtins(each)
        if cause["points"] < FAINT:
            continue
        entry = site.catalog.lookup(cause["event_type_id"])
        found.append(
            ShownCause(
                cause["family"],
                cause["points"],
                cause["score"],
                cause["time"],
                cause["event_id"],
                cause["detail"],
                entry.title,
                site.store.event(cause["event_id"]) is not None,
            )
        )
    return found


def place_of(text: str) -> Place | None:
    """What ``before`` says; None when it says nothing.

    Raises:
        ViewError: It is no place of an alert.
    """
    if not text:
        return None
    at, _, alert_id = text.partition(".")
    if not (at.isascii() and at.isdecimal() and len(at) < 19 and len(alert_id) <= 64):  # noqa: PLR2004
        raise ViewError("before is the place of an alert.")
    return int(at), alert_id


def named_place(stored: StoredAlert) -> str:
    """As ``before`` says it."""
    return f"{stored.at_ms}.{stored.alert.id}"


def _collect(site: Site, alert_id: str) -> dict[str, Any] | None:
    stored = site.store.alert(alert_id)
    if stored is None:
        return None
    store, alert, now_ms = site.store, stored.alert, site.now_ms()
    row = store.row(USERS, alert.subject)
    others = store.alerts(AlertFilters((alert.subject,)), SHOWN)
    return {
        "alert": alert,
        "at_ms": stored.at_ms,
        "name": name_of_key(store, alert.subject),
        "causes": shown_causes(site, alert.causes),
        "now": standing_now(row, now_ms) if row else None,
        "others": [other for other in others if other.alert.id != alert.id],
    }
