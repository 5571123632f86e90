"""The Catalog: what every event type means, and how often it came."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.web.site import site_of
from riskstream.console.web.wording import CATEGORY_WORDS
from riskstream.events.vocabulary import Category

__all__ = ["catalog_page"]

MOST_TEXT: Final = 200


async def catalog_page(request: Request) -> Response:
    """``/catalog``."""
    site = site_of(request)
    text = request.query_params.get("q", "")[:MOST_TEXT]
    wanted = request.query_params.get("category", "")
    categories = [category.value for category in Category]
    entries = [
        entry for entry in site.catalog.search(text) if not wanted or entry.category == wanted
    ]
    values = {
        "q": text,
        "wanted": wanted if wanted in categories else "",
        "categories": [(name, CATEGORY_WORDS[name]) for name in categories],
        "entries": entries,
        "whole": len(site.catalog),
    }
    return site.render(request, "catalog.html", values)
