"""A console over the demo's events, served on loopback, and Debian's Chromium to look at it.

No Kafka: the records go through the pure pipeline into the store, as a follower would put them.
"""

import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.applications import Starlette

from riskstream.console.store.writer import Writer
from riskstream.console.web.app import make_app
from riskstream.console.web.guard import Guard
from riskstream.console.web.site import Site
from riskstream.demo.generator import DEFAULT_BASE_MS, generate
from riskstream.demo.stories import STORIES
from riskstream.events.record import InputRecord
from riskstream.events.topics import FEEDBACK
from tests.support.console import (
    alert_record,
    as_record,
    make_site,
    pipeline_records,
    scored,
    standing,
    standing_record,
)
from tests.support.processes import wait_for

EVENTS = 2500
END_MS = DEFAULT_BASE_MS + 30 * 3_600_000
"""Now, to the console: after the last event of the demo's day."""
HOSTILE_ALERT = 0xBAD
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@dataclass
class Console:
    """A served console and the writer of its store."""

    address: str
    site: Site
    writer: Writer
    app: Starlette
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def guard(self) -> Guard:
        """The middleware that lets people in."""
        layer: Any = self.app.middleware_stack
        while not isinstance(layer, Guard):
            layer = getattr(layer, "app", None) or layer._app
        return layer

    def take(self, *records: InputRecord) -> None:
        """Put records in, as the follower does."""
        with self.lock:
            self.taken += 1
            self.writer.take(records, {}, {("t", 0): self.taken})


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console for all tests of the run; what they add has numbers from 900,000 on."""
    directory = tmp_path_factory.mktemp("console")
    writer = Writer(directory)
    site = make_site(directory, port=0)
    site.now_ms = lambda: END_MS
    made = Console("", site, writer, make_app(site))
    made.take(*pipeline_records(generate(EVENTS, 7)))
    made.take(as_record(hostile_event()), *hostile_standing())
    site.store.columns.refresh()

    async def send(topic: str, key: bytes, value: bytes) -> None:
        made.take(InputRecord(topic, 0, 0, END_MS, key, value))

    site.send = send
    with _served(made.app) as address:
        made.address = address
        yield made
    site.store.close()
    writer.close()


def hostile_event() -> dict[str, Any]:
    """An event whose every text is markup."""
    return scored(
        900_000,
        END_MS - 20 * 3_600_000,
        score=33,
        user={"id": 66, "name": HOSTILE},
        message=HOSTILE,
        source={"ip": "198.51.100.66", "user_agent": HOSTILE},
        app={"id": 1, "name": HOSTILE},
        auth={"reason": HOSTILE},
        raw=HOSTILE,
    )


def hostile_standing() -> tuple[InputRecord, InputRecord]:
    """Row and alert of the same user, whose details are markup."""
    row = standing("1234:66", END_MS - 20 * 3_600_000, 99, 98)
    causes = tuple(replace(cause, detail=HOSTILE) for cause in row.causes)
    row = replace(row, causes=causes)
    return standing_record(row), alert_record(HOSTILE_ALERT, row)


class _served:  # noqa: N801  (used as a function)
    def __init__(self, app: Starlette) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> str:
        self._thread.start()
        wait_for(lambda: self._server.started, 20, "the console's start")
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's."""
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, console: Console) -> Iterator[BrowserContext]:
    """A new profile at 1280 by 720."""
    made = chromium.new_context(
        base_url=console.address,
        viewport={"width": 1280, "height": 720},
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; whatever the browser complains of, such as the content security policy, fails."""
    complaints: list[str] = []
    made = context.new_page()
    made.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda fault: complaints.append(str(fault)))
    made.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
    yield made
    expected = ("Failed to load resource",)
    assert [text for text in complaints if not text.startswith(expected)] == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Where pictures go: docs/console with ``make screenshots``, else nowhere that stays."""
    chosen = pytestconfig.getoption("screenshots")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")


STORY_NAMES = [story.name for story in STORIES]
__all__ = ["END_MS", "FEEDBACK", "HOSTILE_ALERT", "STORY_NAMES", "Console"]
