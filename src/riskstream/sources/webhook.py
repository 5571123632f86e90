"""The receiver of OneLogin's event broadcaster, as an ASGI application.

A delivery is answered with 200 only after Kafka has it on all in-sync replicas. Its body becomes
the value of one raw record, byte for byte: what is in it is ingest's business.
"""

import asyncio
import time
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog import get_logger

from riskstream.config import WebhookSettings
from riskstream.observability.metrics import WebhookMetrics
from riskstream.sources.secret_files import AcceptedSecrets
from riskstream.streaming.raw_sink import Taken

__all__ = ["Result", "Sink", "Webhook"]

BEARER: Final = "bearer "
COMPLAIN_SECONDS: Final = 10.0
"""Between two log lines on refused deliveries: whoever knocks must not fill the disk."""

log = get_logger(__name__)


class Sink(Protocol):
    """Where bodies go."""

    async def put(self, key: bytes, value: bytes) -> Taken:
        """Write one record, and return when it is safe, or will not be."""


class Result(StrEnum):
    """How a delivery was answered; values are those of the metric's label."""

    ACCEPTED = "accepted"
    EMPTY = "empty"
    UNAUTHORIZED = "unauthorized"
    ENCODED = "encoded"
    TOO_LARGE = "too_large"
    SLOW_SENDER = "slow_sender"
    DISCONNECTED = "disconnected"
    OVERLOADED = "overloaded"
    KAFKA_UNAVAILABLE = "kafka_unavailable"


ANSWERS: Final[dict[Result, tuple[HTTPStatus, str]]] = {
    Result.ACCEPTED: (HTTPStatus.OK, "accepted"),
    Result.EMPTY: (HTTPStatus.OK, "nothing in it"),
    Result.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "the secret header is missing or wrong"),
    Result.ENCODED: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without content encoding"),
    Result.TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large"),
    Result.SLOW_SENDER: (HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time"),
    Result.DISCONNECTED: (HTTPStatus.BAD_REQUEST, "the connection ended within the body"),
    Result.OVERLOADED: (HTTPStatus.SERVICE_UNAVAILABLE, "too much is waiting; come again"),
    Result.KAFKA_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "not stored; come again"),
}
NOT_TO_BE_TRUSTED: Final = frozenset({Result.SLOW_SENDER, Result.DISCONNECTED})
"""To send the rest of a body. Of others the server drops it, so that they see the answer."""
COME_AGAIN: Final = frozenset({Result.OVERLOADED, Result.KAFKA_UNAVAILABLE})


class Webhook:
    """Takes deliveries in.

    Args:
        settings: Of the webhook.
        secrets: Which ones a sender may give.
        sink: Where bodies go.
        metrics: Count it.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        secrets: AcceptedSecrets,
        sink: Sink,
        metrics: WebhookMetrics,
    ) -> None:
        self._settings, self._secrets = settings, secrets
        self._sink, self._metrics = sink, metrics
        self._key = settings.key.encode()
        self._writes: set[asyncio.Task[Taken]] = set()
        self._complained = -COMPLAIN_SECONDS
        self._unsaid = 0
        self.pending_bytes = 0
        """Bodies, or parts of them, that Kafka has not acknowledged."""
        self.app = Starlette(routes=[Route(settings.path, self._deliver, methods=["POST"])])

    async def drain(self) -> None:
        """Wait for what was handed to Kafka and not answered for in time."""
        if self._writes:
            await asyncio.wait(self._writes)

    async def _deliver(self, request: Request) -> Response:
        started = time.monotonic()
        result = await self._take(request)
        self._metrics.requests.labels(result.value).inc()
        self._metrics.seconds.observe(time.monotonic() - started)
        if result not in {Result.ACCEPTED, Result.EMPTY}:
            self._complain(result)
        status, text = ANSWERS[result]
        key = "status" if status is HTTPStatus.OK else "error"
        headers = {}
        if result in COME_AGAIN:
            headers["Retry-After"] = str(self._settings.retry_after_seconds)
        if result in NOT_TO_BE_TRUSTED:
            headers["Connection"] = "close"
        return JSONResponse({key: text}, status_code=status, headers=headers)

    async def _take(self, request: Request) -> Result:
        """Everything that can be refused by the head is, before any of the body is read."""
        if not self._is_allowed(request):
            return Result.UNAUTHORIZED
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            return Result.ENCODED
        declared = request.headers.get("content-length", "")
        length = int(declared) if declared.isdecimal() else 0
        if length > self._settings.max_body_bytes:
            return Result.TOO_LARGE
        if self.pending_bytes + length > self._settings.max_pending_bytes:
            return Result.OVERLOADED
        body = bytearray()
        try:
            refused = await self._read(request, body)
            value = bytes(body)
        finally:
            self._hold(-len(body))
        if refused is not None or not value:
            return refused or Result.EMPTY
        return await self._write(value)

    def _is_allowed(self, request: Request) -> bool:
        given = request.headers.getlist(self._settings.header)
        if len(given) != 1:
            return False
        text = given[0].strip()
        if text[: len(BEARER)].lower() == BEARER:
            text = text[len(BEARER) :].strip()
        return self._secrets.allow(text)

    async def _read(self, request: Request, body: bytearray) -> Result | None:
        """Read the body, within its bounds; why it was refused, if it was."""
        try:
            async with asyncio.timeout(self._settings.body_timeout_seconds):
                async for part in request.stream():
                    body += part
                    self._hold(len(part))
                    if len(body) > self._settings.max_body_bytes:
                        return Result.TOO_LARGE
                    if self.pending_bytes > self._settings.max_pending_bytes:
                        return Result.OVERLOADED
        except TimeoutError:
            return Result.SLOW_SENDER
        except ClientDisconnect:
            return Result.DISCONNECTED
        return None

    async def _write(self, body: bytes) -> Result:
        """Hand it to Kafka; what is not acknowledged in time still counts as pending."""
        self._hold(len(body))
        write = asyncio.create_task(self._sink.put(self._key, body))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
        write.add_done_callback(lambda _: self._hold(-len(body)))
        done, _ = await asyncio.wait({write}, timeout=self._settings.ack_timeout_seconds)
        taken = write.result() if done else Taken.FAILED
        match taken:
            case Taken.WRITTEN:
                self._metrics.bytes.inc(len(body))
                self._metrics.body_bytes.observe(len(body))
                self._metrics.last_accepted.set(time.time())
                return Result.ACCEPTED
            case Taken.TOO_LARGE:
                return Result.TOO_LARGE
            case Taken.FAILED:
                return Result.KAFKA_UNAVAILABLE

    def _hold(self, number: int) -> None:
        self.pending_bytes += number
        self._metrics.pending.set(self.pending_bytes)

    def _complain(self, result: Result) -> None:
        now = time.monotonic()
        if now - self._complained < COMPLAIN_SECONDS:
            self._unsaid += 1
            return
        log.warning("delivery_refused", result=result.value, others=self._unsaid)
        self._complained, self._unsaid = now, 0
