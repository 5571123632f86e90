"""Faults as pages and as JSON."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from structlog import get_logger

from riskstream.console.web.site import site_of
from riskstream.console.web.view import ViewError
from riskstream.errors import CheckFailedError, KafkaFaultError

__all__ = ["HANDLERS"]

log = get_logger(__name__)


async def _http(request: Request, fault: Exception) -> Response:
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    detail = fault.detail if isinstance(fault, HTTPException) else ""
    headers = fault.headers if isinstance(fault, HTTPException) else None
    return _answer(request, status, detail, dict(headers or {}))


async def _view(request: Request, fault: Exception) -> Response:
    return _answer(request, 400, str(fault), {})


async def _kafka(request: Request, fault: Exception) -> Response:
    return _answer(request, 503, str(fault), {})


async def _conflict(request: Request, fault: Exception) -> Response:
    return _answer(request, 409, str(fault), {})


async def _bug(request: Request, fault: Exception) -> Response:
    log.error("console_fault", path=request.url.path, fault=repr(fault), exc_info=fault)
    return _answer(request, 500, "The console met a bug; its log says more.", {})


def _answer(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": detail or str(status)}, status, headers)
    if not hasattr(request.state, "person"):
        return PlainTextResponse(detail or str(status), status, headers)
    values: dict[str, Any] = {"status": status, "detail": detail}
    answer = site_of(request).render(request, "error.html", values, status)
    answer.headers.update(headers)
    return answer


HANDLERS = {
    HTTPException: _http,
    ViewError: _view,
    KafkaFaultError: _kafka,
    CheckFailedError: _conflict,
    Exception: _bug,
}
"""By what was raised."""
