"""What OneLogin's API answers mean. Pure: status, headers and body in, a value out.

Known of the API: a page is ``{status, pagination: {after_cursor, …}, data: [event, …]}``; errors
come as an HTTP status, as ``status.error`` in the body, or both; an account has 5,000 calls an
hour, told in ``X-RateLimit-*`` headers with the seconds until the count starts anew.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from riskstream.events.text import clean

__all__ = [
    "Calls",
    "Page",
    "Refusal",
    "Token",
    "Trouble",
    "event_identity",
    "read_calls",
    "read_date_ms",
    "read_page",
    "read_token",
]

DETAIL_CHARACTERS: Final = 200
LONGEST_WAIT_SECONDS: Final = 3600.0
"""No header makes us wait longer than the hour over which calls are counted."""
DEFAULT_LIFETIME_SECONDS: Final = 36_000.0
"""A token's, where the answer does not say."""

MOST_DIGITS: Final = 12
"""Of a number in a header that is worth reading."""

CURSOR_FAULTS: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""May mean that a cursor has run out, where there was one."""

Headers = Mapping[str, str]


class Trouble(StrEnum):
    """Why there is no page; values are those of the metric's label."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    NETWORK = "network"
    BAD_ANSWER = "bad_answer"
    """Not what the API is known to say."""
    BAD_CURSOR = "bad_cursor"
    UNAUTHORIZED = "unauthorized"
    """The token is not, or no longer, valid."""
    REFUSED = "refused"
    """Asking again will not help."""


class Refusal(NamedTuple):
    """An answer that is no page."""

    trouble: Trouble
    detail: str
    wait_seconds: float | None = None
    """How long the API asks us to wait."""


class Page(NamedTuple):
    """One page of events."""

    events: tuple[bytes, ...]
    """Each exactly as received."""
    cursor: str | None
    """Of the next page; None where this is the last."""


class Token(NamedTuple):
    """An access token."""

    value: str
    lifetime_seconds: float


class Calls(NamedTuple):
    """What is left of the account's calls; None where the answer does not say."""

    left: int | None
    reset_seconds: float | None


class _Status(Struct):
    error: bool = False
    code: int | None = None
    message: object = None


class _Pagination(Struct):
    after_cursor: str | None = None


class _Body(Struct):
    data: list[Raw] | None
    status: _Status | None = None
    pagination: _Pagination | None = None


class _ErrorBody(Struct):
    status: _Status | None = None
    message: object = None


class _TokenBody(Struct):
    access_token: str
    expires_in: float = DEFAULT_LIFETIME_SECONDS


class _OldTokenBody(Struct):
    data: list[_TokenBody]


class _Identified(Struct):
    id: int | str | None = None


_BODY: Final = msgspec.json.Decoder(_Body)
_ERROR: Final = msgspec.json.Decoder(_ErrorBody)
_TOKEN: Final = msgspec.json.Decoder(_TokenBody)
_OLD_TOKEN: Final = msgspec.json.Decoder(_OldTokenBody)
_IDENTIFIED: Final = msgspec.json.Decoder(_Identified)


def read_page(status: int, headers: Headers, body: bytes, *, had_cursor: bool) -> Page | Refusal:
    """The page in an answer, or why there is none.

    A page without events is the last, whatever its cursor.

    Args:
        status: Of HTTP.
        headers: With names in lower case.
        body: As received.
        had_cursor: The request had a cursor, so the cursor may be what is refused.
    """
    if status != HTTPStatus.OK:
        return _refusal(status, headers, body, had_cursor=had_cursor)
    try:
        page = _BODY.decode(body)
    except msgspec.DecodeError as fault:
        return _from_error_body(body, headers, had_cursor=had_cursor) or Refusal(
            Trouble.BAD_ANSWER, f"200 with a body that is no page ({len(body)} bytes): {fault}"
        )
    if page.status is not None and page.status.error:
        code = page.status.code or HTTPStatus.INTERNAL_SERVER_ERROR
        return _refusal(code, headers, body, had_cursor=had_cursor)
    events = tuple(bytes(event) for event in page.data or ())
    cursor = page.pagination.after_cursor if page.pagination is not None else None
    return Page(events, cursor or None if events else None)


def _from_error_body(body: bytes, headers: Headers, *, had_cursor: bool) -> Refusal | None:
    try:
        answer = _ERROR.decode(body)
    except msgspec.DecodeError:
        return None
    if answer.status is None or not answer.status.error:
        return None
    code = answer.status.code or HTTPStatus.INTERNAL_SERVER_ERROR
    return _refusal(code, headers, body, had_cursor=had_cursor)


def read_token(status: int, headers: Headers, body: bytes) -> Token | Refusal:
    """The token in an answer, in the form of either version of the API, or why there is none."""
    if status != HTTPStatus.OK:
        refusal = _refusal(status, headers, body, had_cursor=False)
        if refusal.trouble is Trouble.UNAUTHORIZED:
            return refusal._replace(trouble=Trouble.REFUSED)
        return refusal
    for decode in (_decode_token, _decode_old_token):
        found = decode(body)
        if found is not None and found.access_token:
            return Token(found.access_token, max(found.expires_in, 0.0))
    return _from_error_body(body, headers, had_cursor=False) or Refusal(
        Trouble.BAD_ANSWER, f"200 with a body that holds no token ({len(body)} bytes)"
    )


def _decode_token(body: bytes) -> _TokenBody | None:
    try:
        return _TOKEN.decode(body)
    except msgspec.DecodeError:
        return None


def _decode_old_token(body: bytes) -> _TokenBody | None:
    try:
        return next(iter(_OLD_TOKEN.decode(body).data), None)
    except msgspec.DecodeError:
        return None


def _refusal(status: int, headers: Headers, body: bytes, *, had_cursor: bool) -> Refusal:
    said = _said(body)
    trouble = _trouble(status, said, had_cursor=had_cursor)
    may_pass = trouble in {Trouble.RATE_LIMITED, Trouble.SERVER_ERROR}
    return Refusal(trouble, f"{status} {said}".strip(), _wait(headers) if may_pass else None)


def _trouble(status: int, said: str, *, had_cursor: bool) -> Trouble:
    if status == HTTPStatus.TOO_MANY_REQUESTS or "rate limit" in said.lower():
        return Trouble.RATE_LIMITED
    if status == HTTPStatus.UNAUTHORIZED:
        return Trouble.UNAUTHORIZED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Trouble.SERVER_ERROR
    return Trouble.BAD_CURSOR if had_cursor and status in CURSOR_FAULTS else Trouble.REFUSED


def _said(body: bytes) -> str:
    """The API's own words, on one line; empty where there are none."""
    try:
        answer = _ERROR.decode(body)
    except msgspec.DecodeError:
        return ""
    message = answer.status.message if answer.status is not None else answer.message
    return clean(str(message or ""), DETAIL_CHARACTERS) or ""


def _wait(headers: Headers) -> float | None:
    """``Retry-After`` or ``X-RateLimit-Reset`` in seconds, the longer; dates are not understood."""
    waits = [_number(headers.get(name)) for name in ("retry-after", "x-ratelimit-reset")]
    known = [wait for wait in waits if wait is not None]
    return min(max(known), LONGEST_WAIT_SECONDS) if known else None


def read_calls(headers: Headers) -> Calls:
    """What the headers say of the account's calls."""
    left = _number(headers.get("x-ratelimit-remaining"))
    reset = _number(headers.get("x-ratelimit-reset"))
    return Calls(
        None if left is None else int(left),
        None if reset is None else min(reset, LONGEST_WAIT_SECONDS),
    )


def _number(text: str | None) -> float | None:
    """A whole number of a header; None for anything else."""
    text = (text or "").strip()
    short = len(text) <= MOST_DIGITS and text.isascii() and text.isdigit()
    return float(text) if short else None


def read_date_ms(headers: Headers) -> int | None:
    """The server's clock, epoch milliseconds in whole seconds; None where it is not told."""
    try:
        return int(parsedate_to_datetime(headers.get("date", "")).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        return None


def event_identity(event: bytes) -> str:
    """The API's id of an event, else a hash of its bytes; equal means the same event."""
    try:
        found = _IDENTIFIED.decode(event).id
    except msgspec.DecodeError:
        found = None
    return f"sha256-{sha256(event).hexdigest()}" if found in {None, ""} else str(found)
