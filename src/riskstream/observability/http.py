"""Metrics and health of one worker process over HTTP; loopback unless set otherwise.

========================  ==========================================================
``GET /metrics``          Prometheus text
``GET /health/live``      200 while the event loop answers and no fault has ended work
``GET /health/ready``     200 once partitions are recovered and consumed, else 503
``POST /brake/release``   go on with braked partitions; ``?partition=N`` for one
========================  ==========================================================
"""

from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from riskstream.errors import ConfigError

__all__ = ["Exposition", "HealthServer"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition(Protocol):
    """Metrics of any process."""

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""


class HealthServer:
    """Serves the routes above.

    Args:
        metrics: What ``/metrics`` shows.
        live: Answers liveness as (verdict, body).
        ready: Answers readiness as (verdict, body).
        release: Releases the brake of one partition, or of all for None; returns the partitions.
            Without it there is no such route.
    """

    def __init__(
        self,
        metrics: Exposition,
        *,
        live: Callable[[], tuple[bool, dict[str, Any]]],
        ready: Callable[[], tuple[bool, dict[str, Any]]],
        release: Callable[[int | None], list[int]] | None = None,
    ) -> None:
        self._metrics = metrics
        self._live = live
        self._ready = ready
        self._release = release
        self._runner: web.AppRunner | None = None
        self.port = 0
        """The port that is listened on, once started."""

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ConfigError: The address is taken or not ours.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._on_metrics)
        app.router.add_get("/health/live", self._on_live)
        app.router.add_get("/health/ready", self._on_ready)
        if self._release is not None:
            app.router.add_post("/brake/release", self._on_release)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as fault:
            await self.stop()
            raise ConfigError(
                f"The metrics address {host}:{port} cannot be used ({fault.strerror}). "
                "Choose another with RISKSTREAM_HTTP__PORT, or 0 for any free port."
            ) from fault
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _on_metrics(self, _: web.Request) -> web.Response:
        body = self._metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _on_live(self, _: web.Request) -> web.Response:
        return _verdict(*self._live())

    async def _on_ready(self, _: web.Request) -> web.Response:
        return _verdict(*self._ready())

    async def _on_release(self, request: web.Request) -> web.Response:
        wanted = request.query.get("partition")
        if wanted is not None and not wanted.isdecimal():
            return web.json_response({"error": "partition must be a number"}, status=400)
        released = self._release(int(wanted) if wanted is not None else None)  # type: ignore[misc]
        return web.json_response({"released": released})


def _verdict(good: bool, body: dict[str, Any]) -> web.Response:
    return web.json_response(body, status=200 if good else 503)
