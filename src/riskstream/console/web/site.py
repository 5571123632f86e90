"""What every page and answer needs: the store, the catalog, the clock, templates, who asks."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import anyio
from jinja2 import ChainableUndefined, Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from riskstream.catalog.catalog import Catalog
from riskstream.config import Settings
from riskstream.console.follower import Following
from riskstream.console.store.store import Store
from riskstream.console.web import wording
from riskstream.console.web.audit import Audit
from riskstream.console.web.guard import person_of, token_of
from riskstream.errors import KafkaFaultError

__all__ = ["Site", "site_of"]

P = ParamSpec("P")
T = TypeVar("T")

QUERIES_AT_ONCE: Final = 4
"""They share the machine's cores: more at once would only make each wait longer."""


async def _nowhere(topic: str, _key: bytes, _value: bytes) -> None:
    raise KafkaFaultError(f"This console has no Kafka to write to {topic}.")


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("riskstream.console.web"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(wording.FILTERS)
    return environment


@dataclass
class Site:
    """One console."""

    settings: Settings
    store: Store
    catalog: Catalog
    audit: Audit
    following: Callable[[], Following] = Following
    send: Callable[[str, bytes, bytes], Awaitable[None]] = _nowhere
    """Write a record: topic, key, value."""
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)
    templates: Environment = field(default_factory=_templates)
    _limit: anyio.CapacityLimiter | None = None

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what reads the store, beside the event loop."""
        if self._limit is None:
            self._limit = anyio.CapacityLimiter(QUERIES_AT_ONCE)
        return await anyio.to_thread.run_sync(
            partial(question, *args, **kwargs), limiter=self._limit
        )

    def render(
        self, request: Request, name: str, values: Mapping[str, Any], status: int = 200
    ) -> Response:
        """A page."""
        return HTMLResponse(self.html(request, name, values), status)

    def html(self, request: Request, name: str, values: Mapping[str, Any]) -> str:
        """A template's text."""
        shared = {
            "person": person_of(request),
            "token": token_of(request),
            "path": request.url.path,
            "following": self.following(),
            "now_ms": self.now_ms(),
            "count_all": self.store.snapshot.count,
        }
        return self.templates.get_template(name).render(shared | dict(values))


def site_of(request: Request) -> Site:
    """The console that this request came to."""
    site: Site = request.app.state.site
    return site
