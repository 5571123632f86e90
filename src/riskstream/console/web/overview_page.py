"""The Overview: what the night brought, who stands out, and whether everything runs."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.rows import locked_now, standing_at
from riskstream.console.store.alerts import AlertFilters
from riskstream.console.store.facets import time_of
from riskstream.console.store.filters import Filters
from riskstream.console.store.rankings import Ranked, busiest, riskiest
from riskstream.console.store.store import Store
from riskstream.console.web.alerts_page import ShownCause, shown_alerts, shown_causes
from riskstream.console.web.chart import level_chart
from riskstream.console.web.event_page import name_of_key, user_of
from riskstream.console.web.site import Site, site_of
from riskstream.console.web.view import ViewError
from riskstream.events.topics import LOCKOUTS
from riskstream.risk.standing import Standing

__all__ = ["overview_page"]

SHOWN: Final = 10
MOST_LOCKED: Final = 50
SPANS: Final = {"24h": 86_400_000, "7d": 7 * 86_400_000, "30d": 30 * 86_400_000}


async def overview_page(request: Request) -> Response:
    """``/overview``."""
    site = site_of(request)
    span = request.query_params.get("since") or "24h"
    if span not in SPANS:
        raise ViewError(f"since is {', '.join(SPANS)}.")
    return site.render(request, "overview.html", await site.ask(_collect, site, span))


def _collect(site: Site, span: str) -> dict[str, Any]:
    store, now_ms = site.store, site.now_ms()
    snapshot = store.snapshot
    recent = Filters().between(now_ms - SPANS[span], None)
    failed = Filters(outcomes=("failure",)).between(now_ms - SPANS[span], None)
    search = store.search(recent)
    counts = search.page(0).counts
    worst = store.worst(now_ms, SHOWN)
    alerts = AlertFilters(start_ms=now_ms - SPANS[span])
    locked = list(locked_now(store.rows(LOCKOUTS), now_ms))
    locked.sort(key=lambda each: str(each[1].get("since", "")), reverse=True)
    return {
        "span": span,
        "spans": list(SPANS),
        "counts": counts,
        "chart": level_chart(counts.bars, counts.heights),
        "worst": [_standing(site, row, now_ms) for _found, row in worst.first],
        "high_count": worst.high,
        "alerts": shown_alerts(store, store.alerts(alerts, SHOWN)),
        "alert_count": store.alert_count(alerts),
        "users": _with_events(store, riskiest(snapshot, recent, SHOWN)),
        "addresses": _with_events(store, busiest(snapshot, failed, SHOWN)),
        "locked": [(key, name_of_key(store, key), scope) for key, scope in locked[:MOST_LOCKED]],
        "locked_count": len(locked),
        "reasons": store.letter_reasons(now_ms - SPANS[span]),
        "tallies": store.tallies(),
        "newest_ms": None if snapshot.last is None else time_of(snapshot.last),
        "oldest_ms": None if snapshot.first is None else time_of(snapshot.first),
    }


def _standing(
    site: Site, row: Standing, now_ms: int
) -> tuple[str, dict[str, Any], list[ShownCause]]:
    """Name, row and causes of a subject as they are now."""
    found = standing_at(row, now_ms)
    return name_of_key(site.store, row.subject), found, shown_causes(site, found["causes"])


def _with_events(store: Store, ranked: list[Ranked]) -> list[tuple[Ranked, dict[str, Any], str]]:
    found = []
    for each in ranked:
        for _key, event in store.events([each.key]):
            found.append((each, event, user_of(event)))
    return found
