"""Login by a provider of OpenID Connect: one of our own, on loopback, with real keys."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from riskstream.console.web.app import make_app
from riskstream.console.web.oidc import _local
from riskstream.demo.ports import free_ports
from tests.support.console import filled_store, make_site, scored
from tests.support.processes import wait_for


class Provider:
    """Says whatever ``claims`` holds of whoever comes."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, private=True, parameters={"kid": "one"})
        self.issuer = ""
        self.claims: dict[str, Any] = {"email": "lead@example.com", "groups": ["soc-leads"]}
        self.nonce = ""
        self.challenge = ""
        self.signing_key = self.key
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/keys", self.keys),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def metadata(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        assert form["code"] == ["the-code"]
        assert form["code_verifier"]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "console",
            "sub": "42",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signing_key)
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "id_token": signed, "expires_in": 60}
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Served on loopback."""
    made = Provider()
    port = free_ports(1)
    made.issuer = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(made.app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, 20, "the provider's start")
    yield made
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def browser(provider: Provider, tmp_path: Path) -> TestClient:
    """Of a console that asks the provider."""
    filled_store(tmp_path, [scored(1)]).close()
    site = make_site(
        tmp_path,
        access="oidc",
        public_url="http://127.0.0.1",
        admins=["soc-leads"],
        viewers=["someone@example.com"],
        oidc={"issuer": provider.issuer, "client_id": "console", "client_secret": "s"},
    )
    return TestClient(make_app(site), base_url="http://127.0.0.1", follow_redirects=False)


def go_to_provider(browser: TestClient, provider: Provider) -> str:
    """Ask for a page, be sent to the provider; the state that must come back."""
    sent = browser.get("/events?level=high")
    assert sent.status_code == 303
    away = browser.get(sent.headers["location"])
    assert away.status_code == 302
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["redirect_uri"] == ["http://127.0.0.1/login/done"]
    assert asked["code_challenge_method"] == ["S256"]
    provider.nonce = asked["nonce"][0]
    return asked["state"][0]


def test_a_login_leads_to_the_page_that_was_asked_for(
    browser: TestClient, provider: Provider
) -> None:
    """With the role of the provider's groups; logged out, it is asked for again."""
    state = go_to_provider(browser, provider)
    back = browser.get(f"/login/done?code=the-code&state={state}")
    assert (back.status_code, back.headers["location"]) == (303, "/events?level=high")
    page = browser.get("/events")
    assert "lead@example.com" in page.text
    assert "Log out" in page.text
    assert browser.get("/audit").status_code == 200
    token = page.text.partition('csrf-token" content="')[2].partition('"')[0]
    assert browser.post("/logout", headers={"X-CSRF-Token": token}).json() == {"left": True}
    assert browser.get("/events").status_code == 303


def test_whoever_has_no_role_gets_nothing(browser: TestClient, provider: Provider) -> None:
    """Though the provider knows them."""
    provider.claims = {"email": "guest@example.com", "groups": []}
    state = go_to_provider(browser, provider)
    browser.get(f"/login/done?code=the-code&state={state}")
    assert browser.get("/events").status_code == 403


def test_a_foreign_state_or_nonce_or_key_is_refused(
    browser: TestClient, provider: Provider
) -> None:
    """Whoever brings one is not logged in."""
    go_to_provider(browser, provider)
    assert browser.get("/login/done?code=the-code&state=made-up").status_code == 502
    state = go_to_provider(browser, provider)
    provider.nonce = "another"
    assert browser.get(f"/login/done?code=the-code&state={state}").status_code == 502
    state = go_to_provider(browser, provider)
    provider.signing_key = RSAKey.generate_key(2048, private=True, parameters={"kid": "one"})
    assert browser.get(f"/login/done?code=the-code&state={state}").status_code == 502
    assert browser.get("/events").status_code == 303


def test_the_api_says_401_and_sends_nobody_away(browser: TestClient) -> None:
    """A program cannot log in by a redirect."""
    answer = browser.get("/api/v1/events")
    assert answer.status_code == 401
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "text", ["//evil.example.com", "https://evil.example.com", "/\\evil", "\\\\evil", "", "x"]
)
def test_nobody_is_sent_elsewhere_after_a_login(text: str) -> None:
    """Only paths of the console are followed."""
    assert _local(text) == "/"
