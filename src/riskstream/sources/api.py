"""OneLogin's events API over HTTP: a token when one is needed, one page per call."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp

from riskstream.config import PollSettings
from riskstream.errors import SourceError
from riskstream.events.times import format_time
from riskstream.sources.answers import (
    Calls,
    Page,
    Refusal,
    Token,
    Trouble,
    read_calls,
    read_date_ms,
    read_page,
    read_token,
)
from riskstream.sources.paging import Checkpoint

__all__ = ["OneLoginApi"]

TOKEN_PATH = "/auth/oauth2/v2/token"  # noqa: S105  (a path)
EVENTS_PATH = "/api/1/events"
RENEW_SECONDS = 120.0
"""A token is replaced so long before it ends, or after half its life where that is shorter."""
CHUNK_BYTES = 262_144
TOKEN_BYTES = 1_048_576

Secret = Callable[[], str]


class OneLoginApi:
    """Asks for pages of events.

    Args:
        settings: Of the poller.
        base_url: ``https://…`` without a path.
        secret: Gives the client secret; asked for each token, since it may have changed.
    """

    def __init__(self, settings: PollSettings, base_url: str, secret: Secret) -> None:
        self._settings = settings
        self._base = base_url.rstrip("/")
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None
        self._token: Token | None = None
        self._renew_at = 0.0
        self._clock_offset_ms = 0
        self.calls = Calls(None, None)
        """As the latest answer told."""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._settings.request_timeout_seconds),
            headers={"User-Agent": "riskstream", "Accept": "application/json"},
            trust_env=True,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def now_ms(self) -> int:
        """OneLogin's clock, as far as its answers told it."""
        return int(time.time() * 1000) + self._clock_offset_ms

    def forget_token(self) -> None:
        """Ask for a new one before the next page."""
        self._token = None

    async def page(self, at: Checkpoint) -> Page | Refusal:
        """The page that a checkpoint asks for, or why there is none.

        Raises:
            SourceError: The credentials are refused.
        """
        token = await self._valid_token()
        if isinstance(token, Refusal):
            return token
        headers = {"Authorization": f"bearer:{token.value}"}
        most = self._settings.max_page_bytes
        answer = await self._ask("GET", EVENTS_PATH, most, headers=headers, params=self._query(at))
        if isinstance(answer, Refusal):
            return answer
        status, headers, body = answer
        self.calls = read_calls(headers)
        return read_page(status, headers, body, had_cursor=at.cursor is not None)

    def _query(self, at: Checkpoint) -> dict[str, str]:
        query = {"since": format_time(at.since_ms), "limit": str(self._settings.page_size)}
        if at.until_ms is not None:
            query["until"] = format_time(at.until_ms)
        if self._settings.sort:
            query["sort"] = self._settings.sort
        if at.cursor is not None:
            query["after_cursor"] = at.cursor
        return query

    async def _valid_token(self) -> Token | Refusal:
        if self._token is not None and time.monotonic() < self._renew_at:
            return self._token
        secret = self._secret()
        who = f"client_id:{self._settings.client_id}, client_secret:{secret}"
        grant = {"grant_type": "client_credentials"}
        answer = await self._ask(
            "POST", TOKEN_PATH, TOKEN_BYTES, headers={"Authorization": who}, json=grant
        )
        if isinstance(answer, Refusal):
            return answer
        token = read_token(*answer)
        if isinstance(token, Refusal):
            if token.trouble is Trouble.REFUSED:
                raise SourceError(
                    f"OneLogin refuses the API credentials ({token.detail}). Check "
                    "poll.client_id and the client secret, and that both belong to this account."
                )
            return token
        self._token = token
        life = token.lifetime_seconds
        self._renew_at = time.monotonic() + max(life - RENEW_SECONDS, life / 2)
        return token

    async def _ask(
        self,
        method: str,
        path: str,
        most: int,
        **request: Any,
    ) -> tuple[int, dict[str, str], bytes] | Refusal:
        """Status, headers in lower case and body; a refusal where no whole answer came."""
        if self._session is None:
            raise RuntimeError("not entered")
        try:
            async with self._session.request(
                method,
                self._base + path,
                **request,
                allow_redirects=False,  # the next host must not get the credentials
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    body += chunk
                    if len(body) > most:
                        return Refusal(Trouble.BAD_ANSWER, f"an answer of more than {most} bytes")
                found = {name.lower(): value for name, value in response.headers.items()}
                self._set_clock(found)
                return response.status, found, bytes(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            return Refusal(Trouble.NETWORK, f"{type(fault).__name__}: {fault}"[:200])

    def _set_clock(self, headers: dict[str, str]) -> None:
        told = read_date_ms(headers)
        if told is not None:
            self._clock_offset_ms = told - int(time.time() * 1000)
