"""Who may ask for what over HTTP: a bearer token, compared in constant time."""

import hmac
from collections.abc import Callable
from ipaddress import ip_address

from aiohttp import web

from riskstream.config import HttpSettings
from riskstream.security import read_secret

__all__ = ["Gate", "is_loopback", "refusal"]

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="riskstream"'}


class Gate:
    """Lets requests with the token pass.

    Args:
        token: The token as of now; None where none is set up.
    """

    def __init__(self, token: Callable[[], str | None]) -> None:
        self._token = token

    @classmethod
    def of(cls, http: HttpSettings) -> "Gate":
        """With the token of the settings; a file is read anew for each request.

        Raises:
            ConfigError: The file cannot be read, now.
        """

        def token() -> str | None:
            return read_secret(http.token, http.token_file, "http.token")

        token()
        return cls(token)

    def refuse(self, request: web.Request) -> web.Response | None:
        """The answer to a request that may not pass; None for one that may."""
        token = self._token()
        if token is None:
            return refusal(403, "this needs a token, and none is set up: http.token_file")
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode(), token.encode())
        if kind.casefold() == "bearer" and known:
            return None
        answer = refusal(401, "this needs the token, as Authorization: Bearer …")
        answer.headers.update(CHALLENGE)
        return answer


def refusal(status: int, error: str) -> web.Response:
    """An answer that says why not."""
    return web.json_response({"error": error}, status=status)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
