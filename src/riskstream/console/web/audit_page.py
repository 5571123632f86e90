"""The audit log, for admins."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.web.access import Role
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import site_of

__all__ = ["audit_page"]

SHOWN: Final = 500


async def audit_page(request: Request) -> Response:
    """``/audit``."""
    site, person = site_of(request), person_of(request)
    if not person.may(Role.ADMIN):
        raise HTTPException(403, "The audit log needs the role admin.")
    lines = await site.ask(site.audit.latest, SHOWN)
    site.audit.note(person, "looked at the audit log")
    return site.render(request, "audit.html", {"lines": lines, "file": site.audit.path})
