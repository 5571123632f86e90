"""A small authorization server: gives out signed tokens by the grant client_credentials."""

import base64
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.certificates import Identity

__all__ = ["TokenServer"]

KEY_ID = "tests"
AUDIENCE = "kafka"
ISSUER = "https://issuer.example.com"


@dataclass
class TokenServer:
    """Serves HTTPS on loopback.

    ``clients`` may be changed while it runs, and so may what it answers with.
    """

    identity: Identity
    clients: dict[str, str]
    """Secrets by client id."""
    lifetime: int = 300
    answer: tuple[int, bytes] | None = None
    """Answers this to everybody, where set."""
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    """The forms of all requests."""

    def __post_init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                server.asked.append(form)
                status, body = server.answer or server.judge(self.headers["Authorization"], form)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", body.decode())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.identity.certificate, self.identity.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Where tokens are asked for."""
        return f"https://127.0.0.1:{self._server.server_port}/token"

    @property
    def keys(self) -> str:
        """The public key, as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        modulus = _encode(numbers.n.to_bytes(256, "big"))
        exponent = _encode(numbers.e.to_bytes(3, "big"))
        key = {"kty": "RSA", "kid": KEY_ID, "use": "sig", "alg": "RS256"}
        return json.dumps({"keys": [{**key, "n": modulus, "e": exponent}]})

    def token(self, subject: str) -> str:
        """A signed token for this user."""
        now = int(time.time())
        head = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
        claims = {"sub": subject, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "scope": ["kafka"]}
        claims |= {"exp": now + self.lifetime}
        text = ".".join(_encode(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return f"{text}.{_encode(signature)}"

    def judge(self, authorization: str | None, form: dict[str, list[str]]) -> tuple[int, bytes]:
        """Status and body for one request."""
        login = base64.b64decode((authorization or "").removeprefix("Basic ")).decode()
        client, _, secret = (unquote(part) for part in login.partition(":"))
        if form.get("grant_type") != ["client_credentials"]:
            return 400, b'{"error":"unsupported_grant_type"}'
        if not secret or self.clients.get(client) != secret:
            return 401, b'{"error":"invalid_client"}'
        answer = {"access_token": self.token(client), "expires_in": self.lifetime}
        return 200, json.dumps({**answer, "token_type": "Bearer"}).encode()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
