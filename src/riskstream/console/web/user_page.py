"""The User page: risk over time, failures and lockouts, what is usual, and the latest events."""

from typing import Any, Final

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.portrait import ORDINARY, portrait_of
from riskstream.console.rows import failures_now, lockouts_now, standing_now
from riskstream.console.store.alerts import AlertFilters, StoredAlert
from riskstream.console.store.facets import first_key, time_of
from riskstream.console.store.filters import Filters
from riskstream.console.store.rankings import scores_of
from riskstream.console.store.store import StoredEvent
from riskstream.console.web.alerts_page import shown_causes
from riskstream.console.web.chart import score_chart
from riskstream.console.web.event_page import name_of_key, user_of
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import Site, site_of
from riskstream.events.topics import FAILURES, LOCKOUTS, USERS

__all__ = ["user_page"]

SAMPLE: Final = 500
SHOWN: Final = 25
DAY_MS: Final = 86_400_000
DAYS: Final = 30


async def user_page(request: Request) -> Response:
    """``/users/{key}``."""
    site = site_of(request)
    key = request.path_params["key"]
    found = await site.ask(_collect, site, key)
    if found is None:
        raise HTTPException(404, f"No event, failure or lockout names a user {key}.")
    site.audit.note(person_of(request), "looked at user", key)
    return site.render(request, "user.html", found)


def _collect(site: Site, key: str) -> dict[str, Any] | None:
    store, now_ms = site.store, site.now_ms()
    failures, lockouts = store.row(FAILURES, key), store.row(LOCKOUTS, key)
    row = store.row(USERS, key)
    standing = standing_now(row, now_ms) if row else None
    alerts = store.alerts(AlertFilters((key,)), SHOWN)
    filters = Filters(users=(key,))
    page = store.search(filters).page(SAMPLE)
    acted = store.search(Filters(actors=(key,))).page(SAMPLE)
    if not (page.keys or acted.keys or failures or lockouts or row or alerts):
        return None
    events = [event for _key, event in store.events(page.keys)]
    latest = list(zip(page.keys, events, strict=False))[:SHOWN]
    return {
        "user_key": key,
        "name": name_of_key(store, key),
        "total": page.counts.total,
        "levels": page.counts.levels,
        "events": _timeline(latest, alerts, whole=not page.more and page.counts.total <= SHOWN),
        "standing": standing,
        "causes": shown_causes(site, standing["causes"]) if standing else [],
        "acted": _timeline(
            [each for each in store.events(acted.keys) if user_of(each[1]) != key][:SHOWN],
            [],
            whole=True,
        ),
        "acted_total": acted.counts.total,
        "portrait": portrait_of(event for event in events if event["risk"]["level"] in ORDINARY),
        "failures": failures_now(failures, now_ms) if failures else None,
        "lockouts": lockouts_now(lockouts, now_ms) if lockouts else None,
        "chart": score_chart(*_daily(site, filters, now_ms)),
        "days": DAYS,
        "last_ms": time_of(page.keys[0]) if page.keys else None,
    }


def _timeline(
    events: list[StoredEvent], alerts: list[StoredAlert], *, whole: bool
) -> list[tuple[dict[str, Any] | None, StoredAlert | None]]:
    """Events and alerts in one order, the newest first; an alert stands above what raised it.

    Args:
        events: The newest first.
        alerts: The newest first.
        whole: There are no older events, so alerts of any age belong here.
    """
    oldest = 0 if whole or not events else time_of(events[-1][0])
    rows: list[tuple[int, int, tuple[dict[str, Any] | None, StoredAlert | None]]] = []
    rows += [(time_of(key), 0, (event, None)) for key, event in events]
    rows += [(each.at_ms, 1, (None, each)) for each in alerts if each.at_ms >= oldest]
    rows.sort(key=lambda row: row[:2], reverse=True)
    return [row for _at, _order, row in rows]


def _daily(site: Site, filters: Filters, now_ms: int) -> tuple[int, list[int]]:
    """The first day, and the highest score of each up to now."""
    first = now_ms // DAY_MS - DAYS + 1
    recent = filters.between(first * DAY_MS, None)
    keys, scores = scores_of(site.store.snapshot, recent)
    highest = np.zeros(DAYS, np.int64)
    day = np.clip((keys - first_key(first * DAY_MS)) // first_key(DAY_MS), 0, DAYS - 1)
    np.maximum.at(highest, day, scores.astype(np.int64))
    return first, highest.tolist()
