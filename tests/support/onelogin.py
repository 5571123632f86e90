"""A server that behaves as OneLogin's documents say of its token and events API, and misbehaves.

Standard library alone, in threads: it shares no code with what it tests.
"""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.events import rest_event

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "FAULTS", "FakeOneLogin", "Fault", "Manners", "api_event"]

CLIENT_ID = "client-of-the-tests"
CLIENT_SECRET = "secret-of-the-tests"
Fault = Literal[
    "slow", "429", "500", "503", "cut", "not_json", "expired", "again", "error_in_200", "bad_cursor"
]
FAULTS: tuple[Fault, ...] = (
    "429", "500", "503", "cut", "not_json", "expired", "again", "error_in_200", "bad_cursor",
)  # fmt: skip
"""All but ``slow``, which takes as long as the client has patience."""
Fields = dict[str, Any]


def api_event(number: int, at: datetime, **fields: Any) -> Fields:
    """An event of the API: its number is its id."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    user = number % 17 + 1
    more = {"user_id": user, "actor_user_id": user, "event_type_id": 6 if number % 3 else 5}
    return rest_event(id=number, created_at=stamp, **more | fields)


@dataclass(frozen=True, slots=True)
class Manners:
    """How the server behaves."""

    faults: Iterable[Fault | None] = ()
    """What goes wrong with each call for events, in order; None is none. Afterwards nothing."""
    page_limit: int = 50
    """Most events in a page, whatever is asked for."""
    order: Literal["ascending", "descending", "odd"] = "ascending"
    """In which events are given, whatever is asked for."""
    token_uses: int = 1_000_000
    """A token stops working after so many calls."""
    calls_left: int | None = None
    """Of the account's hour; None does not tell."""
    clock_seconds: float = 0.0
    """How far the server's clock is ahead of the real one."""


class FakeOneLogin:
    """Serves the events that were added; for use in a ``with`` block."""

    def __init__(self, manners: Manners | None = None) -> None:
        self._manners = manners or Manners()
        self._events: dict[int, Fields] = {}
        self._lock = threading.Lock()
        self._faults: Iterator[Fault | None] = iter(self._manners.faults)
        self._calls_left = self._manners.calls_left
        self._tokens: Counter[str] = Counter()
        self.last_page = b""
        """The latest page given."""
        self.released = threading.Event()
        """Set at the end, for whoever is slow."""
        self.seen: Counter[str] = Counter()
        """Calls by what came of them."""
        self.queries: list[Mapping[str, str]] = []
        """Of the calls for events that had a valid token."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """``http://127.0.0.1:port``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, events: Iterable[Fields]) -> None:
        """They can be asked for from now on, whatever their time."""
        with self._lock:
            self._events |= {event["id"]: event for event in events}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # What it answers

    def token(self, authorization: str) -> tuple[int, Fields]:
        """A new token for the right credentials."""
        if authorization != f"client_id:{CLIENT_ID}, client_secret:{CLIENT_SECRET}":
            self.seen["token_refused"] += 1
            return 401, _status(401, "Unauthorized", "Authentication Failure")
        with self._lock:
            token = f"token-{len(self._tokens)}"
            self._tokens[token] = 0
        self.seen["token"] += 1
        return 200, {
            "access_token": token,
            "created_at": "2026-11-23T13:00:00.000Z",
            "expires_in": 36_000,
            "refresh_token": "unused",
            "token_type": "bearer",
            "account_id": 1234,
        }

    def is_valid(self, authorization: str) -> bool:
        """Whether this carries a token that still works; uses it up by one."""
        token = authorization.removeprefix("bearer:")
        with self._lock:
            if token not in self._tokens or self._tokens[token] >= self._manners.token_uses:
                return False
            self._tokens[token] += 1
        return True

    def expire_tokens(self) -> None:
        """No token works any more."""
        with self._lock:
            self._tokens = Counter(dict.fromkeys(self._tokens, self._manners.token_uses))

    def next_fault(self) -> Fault | None:
        """What goes wrong with this call."""
        with self._lock:
            return next(self._faults, None)

    def page(self, query: Mapping[str, str]) -> Fields:
        """One page: created after since and before until, in order, by cursor."""
        limit = min(int(query.get("limit", "50")), self._manners.page_limit)
        skip = 0
        if "after_cursor" in query:
            skip = json.loads(base64.b64decode(query["after_cursor"]))["skip"]
        since, until = _time(query.get("since")), _time(query.get("until"))
        with self._lock:
            found = [
                event
                for event in self._events.values()
                if (since is None or _moment(event) > since)
                and (until is None or _moment(event) < until)
            ]
        found.sort(key=self._place)
        more = base64.b64encode(json.dumps({"skip": skip + limit}).encode()).decode()
        cursor = more if skip + limit < len(found) else None
        return {
            "status": {"error": False, "code": 200, "type": "success", "message": "Success"},
            "pagination": {
                "before_cursor": None,
                "after_cursor": cursor,
                "previous_link": None,
                "next_link": cursor and f"{self.url}/api/1/events?after_cursor={cursor}",
            },
            "data": found[skip : skip + limit],
        }

    def _place(self, event: Fields) -> tuple[int, int]:
        number = event["id"]
        match self._manners.order:
            case "ascending":
                return (0, number)
            case "descending":
                return (0, -number)
            case "odd":  # ids come in an order that says nothing
                return (number * 7919 % 1009, number)

    def rate(self) -> dict[str, str]:
        """Headers on the calls left, where they are counted."""
        if self._calls_left is None:
            return {}
        self._calls_left -= 1
        left, reset = str(max(self._calls_left, 0)), "0"
        return {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": left,
            "X-RateLimit-Reset": reset,
        }

    def date(self) -> float:
        """The server's clock, epoch seconds."""
        return time.time() + self._manners.clock_seconds


class _Server(ThreadingHTTPServer):
    fake: FakeOneLogin


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def fake(self) -> FakeOneLogin:
        assert isinstance(self.server, _Server)
        return self.server.fake

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """For the Date header."""
        return super().date_time_string(self.fake.date())

    def do_POST(self) -> None:
        """``/auth/oauth2/v2/token``."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = json.loads(body or b"{}").get("grant_type")
        if self.path != "/auth/oauth2/v2/token" or asked != "client_credentials":
            self.answer(404, _status(404, "not found", "No Route Exists"))
            return
        self.answer(*self.fake.token(self.headers.get("Authorization", "")))

    def do_GET(self) -> None:
        """``/api/1/events``."""
        parts = urlsplit(self.path)
        if parts.path != "/api/1/events":
            self.answer(404, _status(404, "not found", "No Route Exists"))
        elif not self.fake.is_valid(self.headers.get("Authorization", "")):
            self.fake.seen["unauthorized"] += 1
            self.answer(401, _status(401, "Unauthorized", "Authentication Failure"))
        else:
            query = {name: one[-1] for name, one in parse_qs(parts.query).items()}
            self.fake.queries.append(query)
            fault = self.fake.next_fault()
            if fault in {"again", "bad_cursor"} and "after_cursor" not in query:
                fault = None
            self.fake.seen[fault or "page"] += 1
            if fault is None:
                self.fake.last_page = json.dumps(self.fake.page(query)).encode()
                self.send_bytes(200, self.fake.last_page, self.fake.rate())
            else:
                self.misbehave(fault)

    def misbehave(self, fault: Fault) -> None:
        """Answer with something that is no page, or not the one asked for."""
        match fault:
            case "slow":
                self.fake.released.wait(30)
            case "429":
                wait = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}
                self.answer(429, _status(429, "Too Many", "rate limit exceeded"), wait)
            case "500" | "503":
                self.answer(int(fault), _status(int(fault), "error", "went wrong"))
            case "cut":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b'{"status": {"error": false}, "data": [{"id": 1')
                self.close_connection = True
            case "not_json":
                self.send_bytes(200, b"<html>Bad gateway</html>", {})
            case "expired":
                self.fake.expire_tokens()
                self.answer(401, _status(401, "Unauthorized", "Authentication Failure"))
            case "again":
                self.send_bytes(200, self.fake.last_page, {})
            case "error_in_200":
                self.answer(200, _status(500, "error", "in the body alone"))
            case "bad_cursor":
                self.answer(400, _status(400, "bad request", "cursor has expired"))

    def answer(self, status: int, body: Fields, headers: Mapping[str, str] | None = None) -> None:
        """A JSON body."""
        self.send_bytes(status, json.dumps(body).encode(), headers or {})

    def send_bytes(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """A body."""
        with suppress(OSError):  # whoever asked may be dead by now
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def _status(code: int, kind: str, message: str) -> Fields:
    return {"status": {"error": True, "code": code, "type": kind, "message": message}}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _moment(event: Fields) -> datetime:
    return datetime.fromisoformat(event["created_at"])
