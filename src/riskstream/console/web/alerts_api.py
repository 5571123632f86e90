"""Alerts and standings in the JSON API."""

from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from riskstream.console.rows import standing_at, standing_now
from riskstream.console.web.alerts_page import (
    MOST_ALERTS,
    MOST_STANDINGS,
    AlertView,
    Place,
    find_alerts,
    named_place,
    place_of,
)
from riskstream.console.web.api import Json, number
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import site_of
from riskstream.console.web.view import read_params
from riskstream.events.times import format_time
from riskstream.events.topics import USERS

__all__ = ["ROUTES"]

PAGE: Final = 50
PAGING: Final = frozenset({"before", "limit"})


async def alerts(request: Request) -> Response:
    """``GET /api/v1/alerts``."""
    site = site_of(request)
    view = read_params(AlertView, request.query_params.multi_items(), ignored=PAGING)
    limit = number(request, "limit", PAGE, 1, MOST_ALERTS)
    before: Place | None = place_of(request.query_params.get("before", ""))
    found, total = await site.ask(find_alerts, site, view, before, limit + 1)
    site.audit.note(person_of(request), "asked the API", f"alerts {view.query()}".strip())
    shown = found[:limit]
    more = len(found) > limit
    return Json(
        {
            "alerts": [_document(each.alert) for each in shown],
            "next": named_place(shown[-1]) if more else None,
            "total": total,
        }
    )


async def alert(request: Request) -> Response:
    """``GET /api/v1/alerts/{alert_id}``."""
    site = site_of(request)
    alert_id = request.path_params["alert_id"]
    found = await site.ask(site.store.alert, alert_id)
    if found is None:
        raise HTTPException(404, "There is no such alert, or it is older than what is kept.")
    site.audit.note(person_of(request), "looked at alert", alert_id)
    return Json({"alert": _document(found.alert)})


async def standings(request: Request) -> Response:
    """``GET /api/v1/standings``."""
    site = site_of(request)
    limit = number(request, "limit", PAGE, 1, MOST_STANDINGS)
    now_ms = site.now_ms()
    worst = await site.ask(site.store.worst, now_ms, limit)
    site.audit.note(person_of(request), "asked the API", "standings")
    rows = [standing_at(row, now_ms) for _found, row in worst.first]
    return Json({"at": format_time(now_ms), "high": worst.high, "standings": rows})


async def standing(request: Request) -> Response:
    """``GET /api/v1/standings/{subject}``."""
    site = site_of(request)
    subject, now_ms = request.path_params["subject"], site.now_ms()
    value = await site.ask(site.store.row, USERS, subject)
    found = standing_now(value, now_ms) if value else None
    if found is None:
        raise HTTPException(
            404, "This subject has no standing: nothing of Medium or more is known."
        )
    site.audit.note(person_of(request), "looked at standing", subject)
    return Json({"at": format_time(now_ms), "standing": found})


def _document(told: object) -> Any:
    """As the topic carries it."""
    return msgspec.to_builtins(told)


ROUTES: Final = [
    Route("/api/v1/alerts", alerts),
    Route("/api/v1/alerts/{alert_id}", alert),
    Route("/api/v1/standings", standings),
    Route("/api/v1/standings/{subject:path}", standing),
]
