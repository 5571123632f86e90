"""What is shown over HTTP, where, and to whom."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from riskstream.config import HttpSettings
from riskstream.errors import ConfigError
from riskstream.observability.gate import Gate, is_loopback
from riskstream.observability.http import FORWARDED, HealthServer, StateAnswer, WorkerServer
from riskstream.observability.metrics import Metrics

TOKEN = SecretStr("open sesame")
Ask = Callable[..., Awaitable[tuple[int, str]]]


class Asked:
    """What the server asked its worker for."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str | None]] = []
        self.released: list[int | None] = []
        self.answer = StateAnswer(200, b"{}")

    async def read(self, table: str, key: str, onward: str | None) -> StateAnswer:
        self.rows.append((table, key, onward))
        return self.answer

    def release(self, partition: int | None) -> list[int]:
        self.released.append(partition)
        return [0, 1] if partition is None else [partition]


def _server(http: HttpSettings, asked: Asked, *, open_brake: bool) -> WorkerServer:
    return WorkerServer(
        Metrics(role="assess", version="0", policy="p"),
        live=lambda: (True, {"live": True}),
        ready=lambda: (False, {"ready": False}),
        gate=Gate.of(http),
        open_brake=open_brake,
        release=asked.release,
        read_state=asked.read,
    )


@asynccontextmanager
async def serving(
    http: HttpSettings, asked: Asked, *, open_brake: bool = True
) -> AsyncIterator[tuple[WorkerServer, Ask]]:
    """A server on free ports, and a way to ask it."""
    server = _server(http, asked, open_brake=open_brake)
    await server.start(http.model_copy(update={"port": 0}))

    async def ask(
        path: str, *, method: str = "GET", port: int | None = None, **headers: str
    ) -> tuple[int, str]:
        url = f"http://127.0.0.1:{port or server.port}{path}"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with session.request(method, url, headers=given) as answer:
            seen = f"{sorted(answer.headers.items())} {await answer.text()}"
            return answer.status, seen

    try:
        async with ClientSession() as session:
            yield server, ask
    finally:
        await server.stop()


async def test_rows_are_read_with_the_token_alone() -> None:
    """Any other header is refused alike; the key comes decoded, slashes and all."""
    asked = Asked()
    async with serving(HttpSettings(token=TOKEN), asked) as (_, ask):
        for wrong in ("", "open sesame", "Basic open sesame", "Bearer", "Bearer open sesam"):
            status, seen = await ask("/state/failures/1", Authorization=wrong)
            assert (status, "WWW-Authenticate" in seen) == (401, True)
        assert asked.rows == []
        good = "Bearer open sesame"
        assert (await ask("/state/failures/1234:system:a%2Fb%20c", Authorization=good))[0] == 200
        assert (await ask("/state/lockouts/1", Authorization="bearer open sesame"))[0] == 200
        await ask("/state/failures/2", Authorization=good, **{FORWARDED: "1"})
    assert asked.rows == [
        ("failures", "1234:system:a/b c", good),
        ("lockouts", "1", "bearer open sesame"),
        ("failures", "2", None),
    ]


async def test_without_a_token_there_are_no_rows() -> None:
    """And the answer says which setting lets one read them."""
    async with serving(HttpSettings(), Asked()) as (_, ask):
        status, seen = await ask("/state/failures/1", Authorization="Bearer x")
    assert (status, "http.token_file" in seen) == (403, True)


async def test_when_to_try_again_is_told() -> None:
    """As the worker says."""
    asked = Asked()
    asked.answer = StateAnswer(503, b'{"error":"recovering"}', 7)
    async with serving(HttpSettings(token=TOKEN), asked) as (_, ask):
        status, seen = await ask("/state/failures/1", Authorization="Bearer open sesame")
    assert status == 503
    assert "('Retry-After', '7')" in seen
    assert "recovering" in seen


async def test_a_token_in_a_file_may_be_changed(tmp_path: Path) -> None:
    """It counts with the next request."""
    file = tmp_path / "token"
    file.write_text("first\n", encoding="utf-8")
    async with serving(HttpSettings(token_file=file), Asked()) as (_, ask):
        assert (await ask("/state/failures/1", Authorization="Bearer first"))[0] == 200
        file.write_text("second\n", encoding="utf-8")
        assert (await ask("/state/failures/1", Authorization="Bearer first"))[0] == 401
        assert (await ask("/state/failures/1", Authorization="Bearer second"))[0] == 200


def test_a_token_file_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    """Before anything listens."""
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "none"))):
        Gate.of(HttpSettings(token_file=tmp_path / "none"))


async def test_the_brake_is_open_on_loopback_and_needs_the_token_elsewhere() -> None:
    """A page in a browser on this machine may not release it either."""
    asked = Asked()
    async with serving(HttpSettings(), asked) as (_, ask):
        assert (await ask("/brake/release?partition=3", method="POST"))[0] == 200
        assert (await ask("/brake/release?partition=x", method="POST"))[0] == 400
        origin = "https://example.com"
        assert (await ask("/brake/release", method="POST", Origin=origin))[0] == 403
    async with serving(HttpSettings(), asked, open_brake=False) as (_, ask):
        assert (await ask("/brake/release", method="POST"))[0] == 403
    async with serving(HttpSettings(token=TOKEN), asked, open_brake=False) as (_, ask):
        assert (await ask("/brake/release", method="POST"))[0] == 401
        good = "Bearer open sesame"
        assert (await ask("/brake/release", method="POST", Authorization=good))[0] == 200
    assert asked.released == [3, None]


async def test_health_may_have_an_address_of_its_own() -> None:
    """Then each address shows its own and nothing of the other's."""
    http = HttpSettings(health_port=0, health_host="127.0.0.1")
    async with serving(http, Asked()) as (server, ask):
        assert server.port != server.health_port
        assert (await ask("/metrics"))[0] == 200
        assert (await ask("/health/live"))[0] == 404
        assert (await ask("/health/live", port=server.health_port))[0] == 200
        assert (await ask("/health/ready", port=server.health_port))[0] == 503
        for path in ("/metrics", "/state/failures/1"):
            assert (await ask(path, port=server.health_port))[0] == 404
    async with serving(HttpSettings(), Asked()) as (server, ask):
        assert server.port == server.health_port
        assert (await ask("/health/live"))[0] == 200


async def test_an_address_that_is_taken_is_told_with_its_setting() -> None:
    """Of health, too; and then nothing of the server listens any more."""
    async with serving(HttpSettings(), Asked()) as (server, _):
        other = HealthServer(
            Metrics(role="assess", version="0", policy="p"),
            live=lambda: (True, {}),
            ready=lambda: (True, {}),
        )
        with pytest.raises(ConfigError, match="RISKSTREAM_HTTP__PORT"):
            await other.start(HttpSettings(port=server.port))
        with pytest.raises(ConfigError, match="RISKSTREAM_HTTP__HEALTH_PORT"):
            await other.start(HttpSettings(port=0, health_port=server.port))


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  (nothing listens)
        ("::", False),
        ("192.0.2.1", False),
        ("worker.example.com", False),
    ],
)
def test_what_is_loopback(host: str, verdict: bool) -> None:
    """An address that only this machine reaches."""
    assert is_loopback(host) is verdict
