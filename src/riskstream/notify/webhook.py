"""Delivering one payload to a webhook, however long that takes, up to a limit.

An address may itself be a secret, so no message and no log line has it.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from structlog import get_logger

from riskstream.config import NotifySettings
from riskstream.errors import ConfigError
from riskstream.security import read_secret

__all__ = ["StoppedError", "Webhook", "webhook_address"]

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
ANSWER_BYTES = 4096

log = get_logger(__name__)


def webhook_address(chosen: NotifySettings) -> str:
    """Where messages go.

    Raises:
        ConfigError: None is set, or it is no address; the text never has it.
    """
    url = read_secret(chosen.url, chosen.url_file, "notify.url")
    if url is None and chosen.style == "pagerduty" and chosen.template is None:
        return PAGERDUTY
    if url is None:
        raise ConfigError(
            "notify has no address to send to: set notify.url_file, or RISKSTREAM_NOTIFY__URL. "
            "With --dry-run it prints what it would send."
        )
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("notify.url is no address that begins with https:// or http://.")
    return url.strip()


class StoppedError(Exception):
    """We were told to stop before the payload was delivered; it will be sent again."""


class _Answer(NamedTuple):
    delivered: bool
    why: str = ""
    """Why not."""
    again: bool = False
    after: float = 0.0
    """Seconds to wait at least."""


class Webhook:
    """One receiver; to be used as an asynchronous context.

    Args:
        url: Where to POST.
        timeout_seconds: For one try.
        give_up_seconds: For all of them.
        tls: Whom to trust; None trusts whom the system trusts.
        wait: Returns True when we are told to stop, within so many seconds; else False.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        give_up_seconds: float,
        tls: ssl.SSLContext | None,
        wait: Callable[[float], Awaitable[bool]],
    ) -> None:
        self._url = url
        self._timeout = ClientTimeout(total=timeout_seconds)
        self._give_up = give_up_seconds
        self._tls = tls
        self._wait = wait

    async def __aenter__(self) -> Self:
        connector = TCPConnector(ssl=True if self._tls is None else self._tls)
        self._session = ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def deliver(self, payload: bytes) -> str | None:
        """POST until the receiver takes it. None: it has. Otherwise why it never will.

        Raises:
            StoppedError: We are to stop, and it was not delivered yet.
        """
        began, tries = monotonic(), 0
        while True:
            answer = await self._try(payload)
            tries += 1
            if answer.delivered:
                return None
            if not answer.again:
                return f"{answer.why} (try {tries})"
            backoff = min(FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 10), LONGEST_PAUSE_SECONDS)
            pause = max(answer.after, backoff * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)
            if monotonic() - began + pause > self._give_up:
                return f"{answer.why} (given up after {tries} tries)"
            log.warning("notice_retried", why=answer.why, tries=tries, in_seconds=round(pause, 1))
            if await self._wait(pause):
                raise StoppedError

    async def _try(self, payload: bytes) -> _Answer:
        headers = {"Content-Type": "application/json", "User-Agent": "riskstream"}
        try:
            async with self._session.post(
                self._url, data=payload, headers=headers, allow_redirects=False
            ) as answer:
                await answer.content.read(ANSWER_BYTES)
                if 200 <= answer.status < 300:  # noqa: PLR2004  (HTTP's own borders)
                    return _Answer(delivered=True)
                after = _seconds(answer.headers.get("Retry-After", ""))
                again = answer.status in TRY_AGAIN
                return _Answer(False, f"HTTP {answer.status}", again, after)
        except (ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as fault:
            return _Answer(False, type(fault).__name__, again=True)


def _seconds(retry_after: str) -> float:
    """Of a ``Retry-After``: a number, or a date."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0.0)
