"""A view as CSV or NDJSON, streamed: as many events as there are, in little memory."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import anyio
import anyio.lowlevel
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from riskstream.console.web.access import Role
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import Site, site_of
from riskstream.console.web.view import View, read_view

__all__ = ["COLUMNS", "export_csv", "export_ndjson", "harmless"]

CHUNK: Final = 200
COLUMNS: Final = (
    *("time", "id", "account_id", "category", "event_type_id", "event_type", "message", "outcome"),
    *("score", "level", "reasons", "user_id", "user_name", "actor_id", "actor_name", "app_id"),
    *("app_name", "ip", "user_agent", "resolution", "subject"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so may be run by a spreadsheet; the last four are the wide forms."""


async def export_csv(request: Request) -> Response:
    """``/export.csv``."""
    return _export(request, "csv", "text/csv; charset=utf-8", _csv)


async def export_ndjson(request: Request) -> Response:
    """``/export.ndjson``."""
    return _export(request, "ndjson", "application/x-ndjson", _ndjson)


def _export(request: Request, form: str, kind: str, written: Any) -> Response:
    site, person = site_of(request), person_of(request)
    if not person.may(Role.ANALYST):
        raise HTTPException(403, "An export needs the role analyst.")
    view = read_view(request.query_params.multi_items())
    view.times(site.now_ms())
    site.audit.note(person, f"exported {form}", view.query())
    headers = {"Content-Disposition": f'attachment; filename="riskstream-events.{form}"'}
    return StreamingResponse(_streamed(site, view, written), headers=headers, media_type=kind)


async def _streamed(site: Site, view: View, written: Any) -> Any:
    """Chunk by chunk, each made in a thread of its own turn."""
    parts: Iterator[bytes] = written(_values(site, view))
    while part := await site.ask(_next, parts):
        yield part
        await anyio.lowlevel.checkpoint()  # others first


def _next(parts: Iterator[bytes]) -> bytes:
    return next(parts, b"")


def _values(site: Site, view: View) -> Iterator[bytes]:
    """The events' values; a connection is looked up for each chunk, in the thread that runs it."""
    filters = view.filters(site.store, site.catalog, site.now_ms())
    keys = site.store.search(filters).downwards()
    while chunk := list(islice(keys, CHUNK)):
        yield from site.store.values(chunk)


def _ndjson(values: Iterator[bytes]) -> Iterator[bytes]:
    while lines := list(islice(values, CHUNK)):
        yield b"\n".join(lines) + b"\n"


def _csv(values: Iterator[bytes]) -> Iterator[bytes]:
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(COLUMNS)
    while True:
        chunk = list(islice(values, CHUNK))
        out.writerows(_row(orjson.loads(value)) for value in chunk)
        yield text.getvalue().encode()
        if not chunk:
            return
        text.seek(0)
        text.truncate()


def _row(event: dict[str, Any]) -> Iterable[object]:
    user, actor = event.get("user", {}), event.get("actor", {})
    app, source, risk = event.get("app", {}), event.get("source", {}), event["risk"]
    cells = (
        *(event["time"], event["id"], event["account_id"], event["category"]),
        *(event["event_type"]["id"], event["event_type"]["name"], event["message"]),
        *(event["outcome"], risk["score"], risk["level"], risk.get("reasons", "")),
        *(user.get("id"), user.get("name"), actor.get("id")),
        *(actor.get("name") or actor.get("system"), app.get("id"), app.get("name")),
        *(source.get("ip"), source.get("user_agent"), event.get("resolution"), event["subject"]),
    )
    return (
        "" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in cells
    )


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that could be gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA) else text
