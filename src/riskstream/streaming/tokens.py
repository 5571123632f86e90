"""Where the tokens of SASL OAUTHBEARER come from: a file, or a server that gives them out.

aiokafka asks from the event loops of two threads, so nothing here belongs to a loop.
"""

import asyncio
import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError
from structlog import get_logger
from typing_extensions import override

from riskstream.errors import ConfigError
from riskstream.security import SecuritySettings, read_secret

__all__ = ["ClientCredentials", "TokenError", "TokenFile"]

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 262_144
RENEW_AT = 0.8
"""Share of its lifetime after which a token is renewed, as Kafka's own clients do."""
LIFETIME_SECONDS = 300.0
"""Of a token whose server does not say."""

log = get_logger(__name__)


class TokenError(KafkaConnectionError):
    """No token could be had. aiokafka tries again, as when a broker is away."""

    retriable = True


class TokenFile(AbstractTokenProvider):
    """A file that somebody else renews, such as a token that Kubernetes projects; never cached."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @override
    async def token(self) -> str:
        return await asyncio.to_thread(self._read)

    def _read(self) -> str:
        try:
            text = read_secret(None, self._file, "kafka.security.oauth_token_file") or ""
        except ConfigError as fault:
            raise TokenError(str(fault)) from fault
        return text.strip()


class ClientCredentials(AbstractTokenProvider):
    """The OAuth 2 grant ``client_credentials``, with the secret in HTTP Basic (RFC 6749, 4.4)."""

    def __init__(self, security: SecuritySettings, context: ssl.SSLContext) -> None:
        self._security = security
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _NoRedirect()
        )
        self._lock = Lock()
        self._token = ""
        self._renew = self._expires = 0.0

    @override
    async def token(self) -> str:
        return await asyncio.to_thread(self._current)

    def _current(self) -> str:
        with self._lock:
            if time.monotonic() >= self._renew:
                try:
                    self._ask()
                except TokenError as fault:
                    if time.monotonic() >= self._expires:
                        raise
                    log.warning("token_not_renewed", error=str(fault), note="the old one still is")
            return self._token

    def _ask(self) -> None:
        url = self._security.oauth_token_url or ""
        try:
            with self._opener.open(self._request(url), timeout=TIMEOUT_SECONDS) as response:
                answer = json.loads(response.read(ANSWER_BYTES))
            lifetime = float(answer.get("expires_in", LIFETIME_SECONDS))
            self._token = str(answer["access_token"])
        except urllib.error.HTTPError as fault:
            with fault:
                raise TokenError(f"{url} gave no token: {_reason(fault)}.") from None
        except (OSError, HTTPException) as fault:
            reason = getattr(fault, "reason", fault)
            raise TokenError(f"No token could be asked for at {url}: {reason}.") from fault
        except (ValueError, KeyError, AttributeError, TypeError):
            raise TokenError(f"{url} did not answer with a token (RFC 6749).") from None
        now = time.monotonic()
        self._renew, self._expires = now + lifetime * RENEW_AT, now + lifetime

    def _request(self, url: str) -> urllib.request.Request:
        security = self._security
        try:
            secret = read_secret(
                security.oauth_client_secret,
                security.oauth_client_secret_file,
                "kafka.security.oauth_client_secret",
            )
        except ConfigError as fault:
            raise TokenError(str(fault)) from fault
        wanted = {
            "grant_type": "client_credentials",
            "scope": security.oauth_scope,
            "audience": security.oauth_audience,
        }
        form = urlencode({name: value for name, value in wanted.items() if value})
        login = f"{quote(security.oauth_client_id or '', safe='')}:{quote(secret or '', safe='')}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Accept": "application/json",
        }
        return urllib.request.Request(url, form.encode(), headers)  # noqa: S310  (settings see to https)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever we are sent on to must not get the secret."""

    @override
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _reason(fault: urllib.error.HTTPError) -> str:
    """Status, and the standard's error code where there is one; nothing else of the answer."""
    try:
        code = json.loads(fault.read(ANSWER_BYTES)).get("error", "")
    except (OSError, ValueError, AttributeError, HTTPException):
        code = ""
    known = code if isinstance(code, str) and code.replace("_", "").isalnum() else ""
    return f"{fault.code} {fault.reason}" + (f" ({known})" if known else "")
