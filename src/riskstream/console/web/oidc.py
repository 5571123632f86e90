"""Login by OpenID Connect: the code flow with PKCE, state and nonce, kept by Authlib."""

from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from structlog import get_logger

from riskstream.config import ConsoleSettings
from riskstream.console.web.access import Person, role_of
from riskstream.console.web.site import site_of

__all__ = ["oidc_routes"]

MOST_GROUPS: Final = 200
"""In a session's cookie."""

log = get_logger(__name__)


def oidc_routes(settings: ConsoleSettings) -> list[Route]:
    """``/login``, ``/login/done`` and ``/logout``; none where nobody logs in here."""
    if settings.access != "oidc":
        return []
    flow = _Flow(settings)
    return [
        Route("/login", flow.begin),
        Route("/login/done", flow.end),
        Route("/logout", leave, methods=["POST"]),
    ]


class _Flow:
    """The way to the provider and back."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        oidc = settings.oidc
        registry = OAuth()
        registry.register(
            "provider",
            client_id=oidc.client_id,
            client_secret=oidc.client_secret.get_secret_value() or None,
            server_metadata_url=f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": oidc.scopes, "code_challenge_method": "S256"},
        )
        self._provider: Any = registry.create_client("provider")

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        request.session["next"] = _local(request.query_params.get("next", ""))
        back = f"{self._settings.public_url.rstrip('/')}/login/done"
        try:
            answer: Response = await self._provider.authorize_redirect(request, back)
        except (AuthlibBaseError, httpx.HTTPError) as fault:
            raise _failed(fault) from fault
        return answer

    async def end(self, request: Request) -> Response:
        """Take what the provider says, and go where the person wanted to."""
        try:
            told = await self._provider.authorize_access_token(request)
        except (AuthlibBaseError, JoseError, httpx.HTTPError, KeyError, ValueError) as fault:
            raise _failed(fault) from fault
        claims = told.get("userinfo") or {}
        oidc = self._settings.oidc
        name = str(claims.get(oidc.name_claim) or claims.get("sub") or "")
        if not name:
            raise HTTPException(403, f"The provider does not say {oidc.name_claim} of you.")
        wanted = _local(request.session.get("next", ""))
        groups = _groups(claims.get(oidc.groups_claim))
        request.session.clear()
        request.session.update({"name": name, "groups": groups})
        person = Person(name, role_of(self._settings, name, groups))
        site_of(request).audit.note(person, "logged in")
        return RedirectResponse(wanted, 303)


async def leave(request: Request) -> Response:
    """End the session."""
    request.session.clear()
    return JSONResponse({"left": True})


def _failed(fault: Exception) -> HTTPException:
    log.warning("login_failed", fault=repr(fault))
    return HTTPException(502, "The login did not work. Begin again; if it stays so, see the log.")


def _groups(told: Any) -> list[str]:
    if isinstance(told, str):
        told = told.split(",")
    if not isinstance(told, list):
        return []
    return [str(group).strip() for group in told if str(group).strip()][:MOST_GROUPS]


def _local(text: str) -> str:
    """A path of ours; anything else is the first page: nobody is sent elsewhere after a login."""
    parts = urlsplit(text)
    safe = text.startswith("/") and not text.startswith(("//", "/\\")) and "\\" not in text
    return text if safe and not parts.scheme and not parts.netloc else "/"
