"""Tokens for SASL OAUTHBEARER: asked for once, renewed in time, and clear when there is none."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskstream.security import SecuritySettings
from riskstream.streaming import tokens
from riskstream.streaming.tokens import ClientCredentials, TokenError, TokenFile
from tests.support.certificates import Authority
from tests.support.oauth import TokenServer

SECRET = "it's: a+secret/with %20"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[TokenServer]:
    with TokenServer(authority.issue("issuer", "127.0.0.1"), {"app:1": SECRET}) as running:
        yield running


def provider(
    authority: Authority, server: TokenServer, secret: str = SECRET, **more: str
) -> ClientCredentials:
    security = SecuritySettings.model_validate(
        {
            "protocol": "SASL_SSL",
            "mechanism": "OAUTHBEARER",
            "oauth_token_url": server.url,
            "oauth_client_id": "app:1",
            "oauth_client_secret": secret,
            **more,
        }
    )
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    return ClientCredentials(security, context)


async def test_a_token_is_asked_for_once(authority: Authority, server: TokenServer) -> None:
    """By all clients of a process together, with scope and audience where set."""
    asked = provider(authority, server, oauth_scope="kafka read", oauth_audience="kafka")
    found = set(await asyncio.gather(*(asked.token() for _ in range(5))))
    assert len(found) == 1
    assert server.asked == [
        {
            "grant_type": ["client_credentials"],
            "scope": ["kafka read"],
            "audience": ["kafka"],
        }
    ]


async def test_it_is_renewed_before_it_runs_out(
    authority: Authority, server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four fifths of its lifetime; while that fails the old one is used to its end."""
    clock = [1000.0]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock[0])
    server.lifetime = 100
    asked = provider(authority, server)
    first = await asked.token()
    clock[0] += 79
    assert await asked.token() == first
    assert len(server.asked) == 1
    clock[0] += 2
    server.answer = (503, b"")
    assert await asked.token() == first
    clock[0] += 20
    with pytest.raises(TokenError, match="503"):
        await asked.token()
    server.answer = None
    assert await asked.token()
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((500, b"<html>"), "gave no token: 500"),
        ((400, b'{"error":"invalid_scope"}'), "400 Bad Request (invalid_scope)"),
        ((400, b'{"error":"<script>"}'), "400 Bad Request."),
        ((200, b"no JSON"), "did not answer with a token"),
        ((200, b"[]"), "did not answer with a token"),
        ((200, b'{"expires_in": 10}'), "did not answer with a token"),
        ((200, b'{"access_token": "t", "expires_in": "soon"}'), "did not answer with a token"),
        ((302, b"https://elsewhere.example.com/token"), "gave no token: 302"),
    ],
)
async def test_what_is_no_token_is_told(
    authority: Authority, server: TokenServer, answer: tuple[int, bytes], told: str
) -> None:
    """With the status and the standard's code alone; a redirection is not followed."""
    server.answer = answer
    with pytest.raises(TokenError) as fault:
        await provider(authority, server).token()
    assert told in str(fault.value)
    assert server.url in str(fault.value)


async def test_a_wrong_secret_is_told_and_not_shown(
    authority: Authority, server: TokenServer
) -> None:
    """As the server calls it."""
    with pytest.raises(TokenError) as fault:
        await provider(authority, server, secret="a wrong one").token()
    assert "401 Unauthorized (invalid_client)" in str(fault.value)
    assert "wrong one" not in str(fault.value)


async def test_a_server_that_is_not_trusted_gets_no_secret(
    authority: Authority, server: TokenServer, tmp_path: Path
) -> None:
    """Nor is anything sent to it."""
    with pytest.raises(TokenError, match="CERTIFICATE_VERIFY_FAILED"):
        await provider(Authority(tmp_path), server).token()
    assert server.asked == []


async def test_a_file_is_read_at_each_login(tmp_path: Path) -> None:
    """Somebody else renews it."""
    file = tmp_path / "token"
    reader = TokenFile(file)
    for token in ("first", "second"):
        file.write_text(f"{token}\n", encoding="utf-8")
        assert await reader.token() == token
    file.unlink()
    with pytest.raises(TokenError, match="No such file"):
        await reader.token()
