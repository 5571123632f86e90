"""The JSON API: the same filters as the pages, described by ``/api/v1/openapi.json``."""

from typing import Any, Final

import msgspec
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from riskstream.console.store.facets import time_of
from riskstream.console.store.filters import ALL_TIME
from riskstream.console.store.records import MOST_NOTE, VERDICTS, Feedback, Remark
from riskstream.console.web.access import Role
from riskstream.console.web.events_page import PAGE_SIZE, find
from riskstream.console.web.guard import person_of
from riskstream.console.web.openapi import openapi_document
from riskstream.console.web.site import site_of
from riskstream.console.web.view import ViewError, read_view
from riskstream.events.event import SCHEMA_VERSION
from riskstream.events.times import format_time
from riskstream.events.topics import FEEDBACK

__all__ = ["ROUTES", "Json", "body_of", "number"]

MOST_EVENTS: Final = 500
MOST_BODY: Final = 16_384
NAMED: Final = frozenset({"user", "actor", "app"})


class Json(Response):
    """An answer of the API."""

    media_type = "application/json"

    @override
    def render(self, content: Any) -> bytes:
        """As orjson writes it."""
        return orjson.dumps(content)


async def events(request: Request) -> Response:
    """``GET /api/v1/events``."""
    site = site_of(request)
    view = read_view(request.query_params.multi_items(), ignored=frozenset({"before", "limit"}))
    limit = number(request, "limit", PAGE_SIZE, 1, MOST_EVENTS)
    before = number(request, "before", ALL_TIME, 0, ALL_TIME)
    results = await site.ask(find, site, view, before, limit)
    site.audit.note(person_of(request), "asked the API", view.query())
    found, counts = results.found, results.found.counts
    return Json(
        {
            "events": [event for _key, event in results.events],
            "next": str(found.keys[-1]) if found.more and found.keys else None,
            "total": counts.total,
            "total_is_exact": not found.capped,
            "counted_back_to": format_time(found.looked_back_to) if found.capped else None,
            "levels": counts.levels,
            "categories": counts.categories,
            "outcomes": counts.outcomes,
            "histogram": {
                "start": format_time(max(found.bars.start_ms, 0)),
                "step_seconds": found.bars.step_ms // 1000,
                "counts": counts.heights.tolist(),
            },
        }
    )


async def event(request: Request) -> Response:
    """``GET /api/v1/events/{event_id}``."""
    site = site_of(request)
    event_id = request.path_params["event_id"]
    found = await site.ask(site.store.event, event_id)
    if found is None:
        raise HTTPException(404, "There is no such event, or it is older than what is kept.")
    remarks = await site.ask(site.store.remarks, [event_id])
    site.audit.note(person_of(request), "looked at event", event_id)
    feedback = [remark_document(remark) for remark in remarks.get(event_id, [])]
    return Json(
        {"event": found[1], "feedback": feedback, "shown_at": format_time(time_of(found[0]))}
    )


async def feedback(request: Request) -> Response:
    """``POST /api/v1/events/{event_id}/feedback``."""
    site, person = site_of(request), person_of(request)
    if not person.may(Role.ANALYST):
        raise HTTPException(403, "Feedback needs the role analyst.")
    told = await body_of(request)
    verdict, note = told.get("verdict"), told.get("note", "")
    if verdict not in VERDICTS or not isinstance(note, str) or len(note) > MOST_NOTE:
        raise HTTPException(
            422,
            f"verdict is {' or '.join(VERDICTS)}, note a text of at most {MOST_NOTE} characters.",
        )
    if set(told) - {"verdict", "note"}:
        raise HTTPException(422, "There are verdict and note, and nothing else.")
    event_id = request.path_params["event_id"]
    found = await site.ask(site.store.event, event_id)
    if found is None:
        raise HTTPException(404, "There is no such event, or it is older than what is kept.")
    value = _feedback(found[1], str(verdict), note, person.name, site.now_ms())
    await site.send(FEEDBACK, value.event_id.encode(), msgspec.json.encode(value))
    site.audit.note(person, "gave feedback", event_id, verdict=verdict)
    return Json(msgspec.to_builtins(value), 201)


async def names(request: Request) -> Response:
    """``GET /api/v1/names``."""
    site = site_of(request)
    kind, text = request.query_params.get("kind", ""), request.query_params.get("text", "")
    if kind not in NAMED or not 0 < len(text) <= 200:  # noqa: PLR2004
        raise HTTPException(400, "kind is user, actor or app; text has 1 to 200 characters.")
    found = await site.ask(site.store.named, kind, text, 20)
    return Json({"names": [{"key": entity.key, "name": entity.name} for entity in found]})


async def openapi(_request: Request) -> Response:
    """``GET /api/v1/openapi.json``."""
    return Json(openapi_document())


def remark_document(remark: Remark) -> dict[str, str]:
    """Feedback as JSON."""
    return {
        "verdict": remark.verdict,
        "note": remark.note,
        "author": remark.author,
        "time": remark.time,
    }


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that was sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send application/json.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            raise HTTPException(413, f"More than {MOST_BODY} bytes.")
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise HTTPException(400, f"That is no JSON: {fault}.") from fault
    if not isinstance(told, dict):
        raise HTTPException(422, "Send a JSON object.")
    return told


def _feedback(event: dict[str, Any], verdict: str, note: str, author: str, now_ms: int) -> Feedback:
    risk = event["risk"]
    value = {
        "schema_version": SCHEMA_VERSION,
        "event_id": event["id"],
        "subject": event["subject"],
        "verdict": verdict,
        "note": note,
        "author": author,
        "time": format_time(now_ms),
        "event_time": event["time"],
        "event_type_id": event["event_type"]["id"],
        "score": risk["score"],
        "level": risk["level"],
        "policy": risk.get("policy", ""),
        "signal_ids": risk.get("signal_ids", []),
    }
    return msgspec.convert(value, Feedback)


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A parameter that is a number.

    Raises:
        ViewError: It is none of these.
    """
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):  # noqa: PLR2004
        raise ViewError(f"{name} is a number from {least} to {most}.")
    return int(text)


ROUTES: Final = [
    Route("/api/v1/openapi.json", openapi),
    Route("/api/v1/names", names),
    Route("/api/v1/events", events),
    Route("/api/v1/events/{event_id:path}/feedback", feedback, methods=["POST"]),
    Route("/api/v1/events/{event_id:path}", event),
]
