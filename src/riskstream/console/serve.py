"""``riskstream console``: the follower in a process of its own, the pages in this one."""

import asyncio
import contextlib
import multiprocessing
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final

import uvicorn
from pydantic import SecretStr
from structlog import get_logger
from typing_extensions import override

from riskstream import __version__
from riskstream.catalog.loader import load_catalog
from riskstream.config import Settings
from riskstream.console.follower import Following, run_follower
from riskstream.console.store.database import open_writer
from riskstream.console.store.store import Store
from riskstream.console.web.access import check_access
from riskstream.console.web.app import make_app
from riskstream.console.web.audit import Audit
from riskstream.console.web.site import Site
from riskstream.errors import ConfigError
from riskstream.observability.http import HealthServer
from riskstream.observability.metrics import ConsoleMetrics
from riskstream.security import read_secret
from riskstream.streaming.write import write_one

__all__ = ["serve"]

LOOK_SECONDS: Final = 0.3
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
STEADY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
BACKLOG: Final = 256

log = get_logger(__name__)


class _Follower:
    """Keeps the follower running, with growing pauses while it cannot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.following = Following()

    async def keep_running(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            await self._run_once()
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self) -> None:
        context = multiprocessing.get_context("spawn")
        heard, told = context.Pipe(duplex=False)
        process = context.Process(
            target=run_follower,
            args=(self._settings, self._settings.console.directory, told),
            daemon=True,
        )
        process.start()
        told.close()
        try:
            while process.is_alive():
                self._hear(heard)
                await asyncio.sleep(LOOK_SECONDS)
            self._hear(heard)
        finally:
            process.terminate()
            await asyncio.to_thread(process.join, STOP_SECONDS)
            if process.is_alive():
                process.kill()
            heard.close()
        fault = self.following.fault or f"The follower ended with exit code {process.exitcode}."
        self.following = Following("waiting", fault=fault)
        log.warning("follower_ended", code=process.exitcode)

    def _hear(self, heard: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            while heard.poll():
                self.following = heard.recv()


class _Server(uvicorn.Server):
    """Signals are ours, so that the follower ends in order."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


def serve(settings: Settings, on_start: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: Of everything.
        on_start: Is told the address, once it is listened on.

    Raises:
        ConfigError: The address is taken, or anybody could get in.
        StateStoreError: The store cannot be used.
    """
    settings = _with_secrets(settings)
    console = settings.console
    check_access(console)
    catalog = load_catalog(settings.catalog.overlay)
    open_writer(console.directory).close()
    listening = _listen(console.host, console.port)
    follower = _Follower(settings)
    site = Site(
        settings,
        Store(console.directory),
        catalog,
        Audit(console.directory),
        following=lambda: follower.following,
        send=partial(write_one, settings.kafka),
    )
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    with contextlib.closing(site.store):
        asyncio.run(_serve(site, follower, listening, lambda: on_start(f"http://{shown}:{port}/")))


async def _serve(
    site: Site, follower: _Follower, listening: socket.socket, on_start: Callable[[], None]
) -> None:
    app = make_app(site)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_graceful_shutdown=3,
        proxy_headers=False,
        lifespan="on",
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        app.state.feed.closing.set()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with _running(follower), _watched(site):
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110  (it has no event)
            await asyncio.sleep(0.02)
        on_start()
        await serving


@contextlib.asynccontextmanager
async def _watched(site: Site) -> AsyncIterator[None]:
    """Metrics and health on a port of their own, where one is set."""
    metrics = ConsoleMetrics(version=__version__)
    metrics.following.set_function(lambda: site.following().state == "following")
    metrics.lag.set_function(lambda: site.following().lag)
    metrics.events.set_function(lambda: site.store.snapshot.count)
    metrics.store_bytes.set_function(lambda: site.following().used_bytes)

    def ready() -> tuple[bool, dict[str, Any]]:
        now = site.following()
        good = now.state == "following"
        return good, {"ready": good, "state": now.state, "lag": now.lag}

    server = HealthServer(metrics, live=lambda: (True, {"live": True}), ready=ready)
    http, port = site.settings.http, site.settings.console.http_port
    if port is not None:
        await server.start(http.model_copy(update={"port": port, "health_port": None}))
        log.info("console_serves", metrics=f"http://{http.host}:{server.port}/metrics")
    try:
        yield
    finally:
        await server.stop()


def _with_secrets(settings: Settings) -> Settings:
    """What stands in files, in its place.

    Raises:
        ConfigError: A file cannot be read.
    """
    console, oidc = settings.console, settings.console.oidc
    session = read_secret(
        console.session_secret, console.session_secret_file, "console.session_secret"
    )
    client = read_secret(oidc.client_secret, oidc.client_secret_file, "console.oidc.client_secret")
    oidc = oidc.model_copy(update={"client_secret": SecretStr(client or "")})
    changed = {"session_secret": SecretStr(session or ""), "oidc": oidc}
    return settings.model_copy(update={"console": console.model_copy(update=changed)})


@contextlib.asynccontextmanager
async def _running(follower: _Follower) -> AsyncIterator[None]:
    task = asyncio.create_task(follower.keep_running())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as fault:
        listening.close()
        raise ConfigError(
            f"The console cannot listen on {host}:{port}: {fault}. "
            "Choose another with --port, or 0 for any free one."
        ) from fault
    return listening
