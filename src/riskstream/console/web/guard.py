"""Middleware: security headers on everything, the right host, who asks, and no forged requests."""

import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskstream.config import ConsoleSettings
from riskstream.console.web.access import LOCAL, Person, Role, of_proxy, role_of

__all__ = ["COOKIE_TOKEN", "Guard", "SecurityHeaders", "person_of", "token_of"]

COOKIE_TOKEN: Final = "riskstream_token"  # noqa: S105  (a name)
TOKEN_HEADER: Final = "x-csrf-token"  # noqa: S105  (a name)
OPEN_PATHS: Final = ("/static/", "/health/", "/login")
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds the headers above to every answer, and keeps pages out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class Guard:
    """Lets nobody in who may not, and puts a ``Person`` into the request's state.

    A page of another site cannot reach a console on loopback: the host must be ours (a name that
    another site's owner points at 127.0.0.1 is not), and whatever changes something must carry
    the token of the cookie in a header or in the form.
    """

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        self._app = app
        self.settings = settings
        self._secret = settings.session_secret.get_secret_value().encode() or secrets.token_bytes()
        public = urlsplit(settings.public_url).hostname
        self._hosts = {"127.0.0.1", "localhost", "::1", settings.host} | (
            {public} if public else set()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = self._refusal(request) or self._forged(request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        fresh = getattr(request.state, "fresh", "")

        async def with_cookie(message: Message) -> None:
            if fresh and message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", self._cookie(fresh))
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _cookie(self, value: str) -> str:
        secure = "; Secure" if self.settings.public_url.startswith("https://") else ""
        return f"{COOKIE_TOKEN}={value}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def _refusal(self, request: Request) -> Response | None:
        if _host(request) not in self._hosts:
            return PlainTextResponse("This is not the address of this console.", 421)
        path = request.url.path
        if path.startswith(OPEN_PATHS):
            return None
        person = self._person(request)
        if person is None:
            if self.settings.access == "oidc" and not path.startswith("/api/"):
                return RedirectResponse(f"/login?next={quote(_local(request))}", 303)
            return _refused(request, 401, "Log in first.")
        if not person.may(Role.VIEWER):
            return _refused(request, 403, f"{person.name} has no role in this console.")
        request.state.person = person
        cookie = request.cookies.get(COOKIE_TOKEN)
        if not cookie:
            cookie = request.state.fresh = secrets.token_hex()
        request.state.token = self._token(person, cookie)
        return None

    def _person(self, request: Request) -> Person | None:
        settings = self.settings
        if settings.access == "open":
            return LOCAL
        if settings.access == "proxy":
            return of_proxy(settings, request)
        session = request.session
        if not session.get("name"):
            return None
        role = role_of(settings, session["name"], session.get("groups", ()))
        return Person(session["name"], role, can_leave=True)

    def _token(self, person: Person, cookie: str) -> str:
        """Of this person and this browser: nobody else's page can know it."""
        said = f"{person.name}\n{cookie}".encode()
        return hmac.digest(self._secret, said, "sha256").hex()

    def _forged(self, request: Request) -> Response | None:
        if request.method in SAFE_METHODS or request.url.path.startswith(OPEN_PATHS):
            return None
        given = request.headers.get(TOKEN_HEADER) or ""
        cookie = request.cookies.get(COOKIE_TOKEN)
        site = request.headers.get("sec-fetch-site", "same-origin")
        if not cookie or site not in {"same-origin", "none"}:
            return _refused(request, 403, "The request came from another page.")
        if not hmac.compare_digest(given.encode(), request.state.token.encode()):
            return _refused(request, 403, "The page is too old. Load it again.")
        return None


def person_of(request: Request) -> Person:
    """Whoever asks."""
    person: Person = request.state.person
    return person


def token_of(request: Request) -> str:
    """What a page must send with whatever changes something."""
    return str(request.state.token)


def _host(request: Request) -> str | None:
    return urlsplit(f"//{request.headers.get('host', '')}").hostname


def _local(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _refused(request: Request, status: int, why: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return PlainTextResponse(why, status)
