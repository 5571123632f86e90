"""What one worker process shows over HTTP; on loopback unless set otherwise.

=============================  =======================================================
``GET /metrics``               Prometheus text
``GET /health/live``           200 while the event loop answers and no fault has ended work
``GET /health/ready``          200 once partitions are recovered and consumed, else 503
``POST /brake/release``        go on with braked partitions; ``?partition=N`` for one
``GET /state/{table}/{key}``   one row of ``failures`` or ``lockouts``
=============================  =======================================================

``/state`` always needs the token, ``/brake/release`` wherever more than this machine reaches it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from aiohttp import web
from typing_extensions import override

from riskstream.config import HttpSettings
from riskstream.errors import ConfigError
from riskstream.observability.gate import Gate, refusal

__all__ = ["FORWARDED", "Exposition", "HealthServer", "ReadState", "StateAnswer", "WorkerServer"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = "X-Riskstream-Forwarded"
"""Header of a request that another worker has sent on; it goes no further."""


class StateAnswer(NamedTuple):
    """What is answered to a request for a row."""

    status: int
    body: bytes
    """JSON."""
    retry_after: int | None = None
    """Seconds."""


Verdict = Callable[[], tuple[bool, dict[str, Any]]]
ReadState = Callable[[str, str, str | None], Awaitable[StateAnswer]]
"""Answers for a table and a key. The third is the request's ``Authorization``, to send it on
with; None where the request must go no further."""


class Exposition(Protocol):
    """Metrics of any process."""

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""


class HealthServer:
    """Serves ``/metrics`` and ``/health`` of any process.

    Args:
        metrics: What ``/metrics`` shows.
        live: Answers liveness as (verdict, body).
        ready: Answers readiness as (verdict, body).
    """

    def __init__(self, metrics: Exposition, *, live: Verdict, ready: Verdict) -> None:
        self._metrics = metrics
        self._live = live
        self._ready = ready
        self._runners: list[web.AppRunner] = []
        self.port = 0
        """The port of everything but, perhaps, health; once started."""
        self.health_port = 0
        """The port of ``/health``, once started."""

    async def start(self, http: HttpSettings) -> None:
        """Listen; ``http.port`` and ``http.health_port`` are this process's own.

        Raises:
            ConfigError: An address is taken or not ours.
        """
        routes = self._routes()
        health = [
            web.get("/health/live", self._on_live),
            web.get("/health/ready", self._on_ready),
        ]
        if http.health_port is None:
            self.port = self.health_port = await self._listen(http.host, http.port, routes + health)
            return
        self.port = await self._listen(http.host, http.port, routes)
        host = http.health_host or http.host
        self.health_port = await self._listen(host, http.health_port, health, "HEALTH_PORT")

    def _routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self._on_metrics)]

    async def _listen(
        self, host: str, port: int, routes: list[web.RouteDef], setting: str = "PORT"
    ) -> int:
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None)
        self._runners.append(runner)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as fault:
            await self.stop()
            raise ConfigError(
                f"The metrics address {host}:{port} cannot be used ({fault.strerror}). "
                f"Choose another with RISKSTREAM_HTTP__{setting}, or 0 for any free port."
            ) from fault
        found: int = runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        """Stop listening."""
        while self._runners:
            await self._runners.pop().cleanup()

    async def _on_metrics(self, _: web.Request) -> web.Response:
        body = self._metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _on_live(self, _: web.Request) -> web.Response:
        return _verdict(*self._live())

    async def _on_ready(self, _: web.Request) -> web.Response:
        return _verdict(*self._ready())


class WorkerServer(HealthServer):
    """Serves all of the routes above, of one worker process.

    Args:
        metrics: See ``HealthServer``.
        live: See there.
        ready: See there.
        gate: Holds the token.
        open_brake: Whether releasing the brake takes no token.
        release: Releases the brake of one partition, or of all for None; returns the partitions.
        read_state: Answers ``/state``.
    """

    def __init__(  # noqa: PLR0913  (wired in one place, by name)
        self,
        metrics: Exposition,
        *,
        live: Verdict,
        ready: Verdict,
        gate: Gate,
        open_brake: bool,
        release: Callable[[int | None], list[int]],
        read_state: ReadState,
    ) -> None:
        super().__init__(metrics, live=live, ready=ready)
        self._gate = gate
        self._open_brake = open_brake
        self._release = release
        self._read_state = read_state

    @override
    def _routes(self) -> list[web.RouteDef]:
        return [
            *super()._routes(),
            web.post("/brake/release", self._on_release),
            web.get("/state/{table}/{key:.+}", self._on_state),
        ]

    async def _on_release(self, request: web.Request) -> web.Response:
        if "Origin" in request.headers:  # a page in somebody's browser; we have none
            return refusal(403, "not from a web page")
        refused = None if self._open_brake else self._gate.refuse(request)
        if refused is not None:
            return refused
        wanted = request.query.get("partition")
        if wanted is not None and not wanted.isdecimal():
            return refusal(400, "partition must be a number")
        released = self._release(int(wanted) if wanted is not None else None)
        return web.json_response({"released": released})

    async def _on_state(self, request: web.Request) -> web.Response:
        refused = self._gate.refuse(request)
        if refused is not None:
            return refused
        onward = None if FORWARDED in request.headers else request.headers["Authorization"]
        answer = await self._read_state(
            request.match_info["table"], request.match_info["key"], onward
        )
        headers = {"Cache-Control": "no-store"}
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        return web.Response(
            status=answer.status,
            body=answer.body,
            content_type="application/json",
            headers=headers,
        )


def _verdict(good: bool, body: dict[str, Any]) -> web.Response:
    return web.json_response(body, status=200 if good else 503)
