"""Live updates: what is new in a view, told by server-sent events.

One task looks at the store and wakes all who listen; each asks for its own view, no more often
than once a second, and is told rows for the table and numbers for the counts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from structlog import get_logger

from riskstream.console.web.events_page import PAGE_SIZE, Results, find
from riskstream.console.web.site import Site, site_of
from riskstream.console.web.view import read_view

__all__ = ["LiveFeed", "live"]

LOOK_SECONDS: Final = 0.25
TELL_SECONDS: Final = 1.0
STILL_SECONDS: Final = 15.0
"""A comment is sent then, so that whoever has left is noticed."""
MOST_LISTENERS: Final = 200

log = get_logger(__name__)


class LiveFeed:
    """Keeps the columns up with the file and says when they have changed.

    Args:
        site: Whose store.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._changed = asyncio.Event()
        self.version = 0
        self.listeners = 0
        self.closing = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look while the block lasts."""
        task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self.closing.set()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def changed(self, version: int, seconds: float) -> bool:
        """Wait for events newer than a version, at most so long; whether there are some."""
        if self.version != version:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
            return True
        return False

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                new = await asyncio.to_thread(self._site.store.columns.refresh)
            except Exception:
                log.exception("columns_not_refreshed")
                continue
            if len(new):
                self.version += 1
                self._changed.set()
                self._changed = asyncio.Event()


async def live(request: Request) -> Response:
    """``/live``: a stream of updates of a view, from the key ``after`` on."""
    site = site_of(request)
    feed: LiveFeed = request.app.state.feed
    view = read_view(request.query_params.multi_items(), ignored=frozenset({"after"}))
    after = request.query_params.get("after", "")
    newest = int(after) if after.isascii() and after.isdecimal() and len(after) < 20 else 0  # noqa: PLR2004

    async def updates() -> AsyncIterator[bytes]:
        seen, version = newest, -1
        feed.listeners += 1
        try:
            yield b"retry: 3000\n\n"
            while not feed.closing.is_set():
                if not await feed.changed(version, STILL_SECONDS):
                    yield b": still here\n\n"
                    continue
                version = feed.version
                results = await site.ask(find, site, view)
                fresh = [(key, event) for key, event in results.events if key > seen]
                seen = max([seen, *results.found.keys])
                yield _told(site, request, results, fresh)
                await asyncio.sleep(TELL_SECONDS)
        finally:
            feed.listeners -= 1

    if feed.listeners >= MOST_LISTENERS:
        return Response("Too many listen already.", 503)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(updates(), media_type="text/event-stream", headers=headers)


def _told(site: Site, request: Request, results: Results, fresh: list[Any]) -> bytes:
    values = {"results": results, "rows": fresh[:PAGE_SIZE], "view": results.view, "fresh": True}
    told = {
        "rows": site.html(request, "_rows.html", values) if fresh else "",
        "fresh": len(fresh),
        "parts": {
            "chart": site.html(request, "_chart.html", values),
            "total": results.total,
            **{
                f"count-{name}-{choice.value}": f"{choice.count:,}"
                for name, choices in results.choices.items()
                for choice in choices
            },
        },
    }
    return b"event: update\ndata: " + orjson.dumps(told) + b"\n\n"
