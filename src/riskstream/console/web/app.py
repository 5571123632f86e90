"""The console as one ASGI application."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from riskstream.console.web import (
    alerts_page,
    audit_page,
    catalog_page,
    event_page,
    events_page,
    letters_page,
    overview_page,
    user_page,
)
from riskstream.console.web.alerts_api import ROUTES as ALERTS_API
from riskstream.console.web.api import ROUTES as API
from riskstream.console.web.errors import HANDLERS
from riskstream.console.web.export import export_csv, export_ndjson
from riskstream.console.web.guard import Guard, SecurityHeaders
from riskstream.console.web.live import LiveFeed, live
from riskstream.console.web.oidc import oidc_routes
from riskstream.console.web.site import Site, site_of

__all__ = ["make_app"]

STATIC_SECONDS: Final = 3600


def make_app(site: Site) -> Starlette:
    """Every page and answer of a console."""
    settings = site.settings.console
    secret = settings.session_secret.get_secret_value() or secrets.token_hex()
    feed = LiveFeed(site)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with feed.running():
            yield

    app = Starlette(
        routes=[
            Route("/", events_page.home),
            Route("/events", events_page.events_page),
            Route("/events/{event_id:path}", event_page.event_page),
            Route("/users/{key:path}", user_page.user_page),
            Route("/alerts", alerts_page.alerts_page),
            Route("/alerts/{alert_id}", alerts_page.alert_page),
            Route("/overview", overview_page.overview_page),
            Route("/catalog", catalog_page.catalog_page),
            Route("/dead-letters", letters_page.letters_page),
            Route("/dead-letters/{partition:int}/{offset:int}", letters_page.letter_page),
            Route(
                "/api/v1/dead-letters/{partition:int}/{offset:int}/replay",
                letters_page.replay,
                methods=["POST"],
            ),
            Route("/audit", audit_page.audit_page),
            Route("/export.csv", export_csv),
            Route("/export.ndjson", export_ndjson),
            Route("/live", live),
            *API,
            *ALERTS_API,
            *oidc_routes(settings),
            Route("/health/live", _healthy),
            Route("/health/ready", _ready),
            Mount("/static", StaticFiles(packages=[("riskstream.console.web", "static")])),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(
                SessionMiddleware,
                secret_key=secret,
                session_cookie="riskstream_session",
                max_age=int(settings.session_hours * 3600),
                same_site="lax",
                https_only=settings.public_url.startswith("https://"),
            ),
            Middleware(Guard, settings=settings),
        ],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.feed = feed
    return app


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"alive": True})


async def _ready(request: Request) -> Response:
    following = site_of(request).following()
    ready = following.state == "following"
    body = {"ready": ready, "state": following.state, "lag": following.lag}
    return JSONResponse(body, 200 if ready else 503)
