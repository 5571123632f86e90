"""What answers of OneLogin's API mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.sources.answers import (
    Calls,
    Page,
    Refusal,
    Token,
    Trouble,
    event_identity,
    read_calls,
    read_date_ms,
    read_page,
    read_token,
)
from tests.support.events import encode, page, rest_event


def judged(status: int, body: bytes = b"", *, had_cursor: bool = False, **headers: str) -> Any:
    """A page's answer with header names as Python can write them."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_page(status, names, body, had_cursor=had_cursor)


def said(code: int, message: str) -> bytes:
    """An error in the API's form."""
    return json.dumps({"status": {"error": True, "code": code, "message": message}}).encode()


def test_events_are_kept_byte_for_byte() -> None:
    """Blanks, order of keys and escapes within an event stay as they came."""
    texts = [b'{ "id" :  1, "user_name":"\\u00e4" }', b'{"created_at":"x",\n "id":"2"}']
    body = b'{"status":{"error":false},"pagination":{"after_cursor":"n"},"data":[%b ,%b]}'
    assert judged(200, body % tuple(texts)) == Page(tuple(texts), "n")


def test_the_last_page_has_no_cursor_or_no_events() -> None:
    """Some APIs give a cursor for ever."""
    last = page([rest_event()])
    last["pagination"]["after_cursor"] = None
    assert judged(200, encode(last)).cursor is None
    last["pagination"]["after_cursor"] = ""
    assert judged(200, encode(last)).cursor is None
    assert judged(200, encode(page([]))) == Page((), None)
    assert judged(200, encode(page(None))) == Page((), None)


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, said(401, "Authentication Failure"), Trouble.UNAUTHORIZED),
        (429, b"", Trouble.RATE_LIMITED),
        (400, said(400, "Rate limit exceeded"), Trouble.RATE_LIMITED),
        (200, said(429, "too many"), Trouble.RATE_LIMITED),
        (500, b"<html>", Trouble.SERVER_ERROR),
        (503, b"", Trouble.SERVER_ERROR),
        (408, b"", Trouble.SERVER_ERROR),
        (200, said(500, "in the body alone"), Trouble.SERVER_ERROR),
        (200, b'{"status":{"error":true},"data":[]}', Trouble.SERVER_ERROR),
        (400, said(400, "bad since"), Trouble.REFUSED),
        (403, b"", Trouble.REFUSED),
        (302, b"", Trouble.REFUSED),
        (200, b"", Trouble.BAD_ANSWER),
        (200, b"<html>", Trouble.BAD_ANSWER),
        (200, b"[]", Trouble.BAD_ANSWER),
        (200, b'{"data":{}}', Trouble.BAD_ANSWER),
        (200, b'{"data":[{"id":1}', Trouble.BAD_ANSWER),
        (200, b'{"status":{"error":false}}', Trouble.BAD_ANSWER),
    ],
)
def test_what_is_no_page_says_why(status: int, body: bytes, trouble: Trouble) -> None:
    """By HTTP status, by the body, or by both."""
    found = judged(status, body)
    assert isinstance(found, Refusal)
    assert found.trouble is trouble


def test_a_refused_cursor_is_told_from_a_refused_request() -> None:
    """Only where there was one."""
    body = said(400, "cursor has expired")
    assert judged(400, body, had_cursor=True).trouble is Trouble.BAD_CURSOR
    assert judged(400, body).trouble is Trouble.REFUSED
    assert judged(403, body, had_cursor=True).trouble is Trouble.REFUSED


def test_the_wait_is_what_the_headers_say() -> None:
    """The longer of both, an hour at most; what is no number counts for nothing."""
    assert judged(429, retry_after="7", x_ratelimit_reset="30").wait_seconds == 30
    assert judged(503, retry_after="7").wait_seconds == 7
    assert judged(429, retry_after="999999").wait_seconds == 3600
    assert judged(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT").wait_seconds is None
    assert judged(429, retry_after="-1").wait_seconds is None


def test_details_are_fit_for_a_log() -> None:
    """One line, no control characters, not without end."""
    detail = judged(500, said(500, "a\nb\x1b[31m" + "x" * 5000)).detail
    assert "\n" not in detail
    assert "\x1b" not in detail
    assert len(detail) < 300


@given(st.integers(100, 599), st.binary(max_size=200), st.booleans())
def test_any_answer_has_a_meaning(status: int, body: bytes, had_cursor: bool) -> None:
    """Nothing that a server says raises."""
    assert isinstance(judged(status, body, had_cursor=had_cursor), Page | Refusal)
    assert isinstance(read_token(status, {}, body), Token | Refusal)
    assert event_identity(body)


def test_tokens_of_both_versions_are_read() -> None:
    """Version 2 has it at the top, version 1 in a list."""
    top = {"access_token": "t", "expires_in": 36000}
    assert read_token(200, {}, json.dumps(top).encode()) == Token("t", 36000)
    assert read_token(200, {}, json.dumps({"data": [top]}).encode()) == Token("t", 36000)
    assert read_token(200, {}, b'{"access_token":"t"}') == Token("t", 36000)


def test_wrong_credentials_are_not_asked_about_again() -> None:
    """A 401 of the token's own address is final; a 500 is not."""
    wrong = read_token(401, {}, said(401, "Authentication Failure"))
    assert isinstance(wrong, Refusal)
    assert wrong.trouble is Trouble.REFUSED
    broken = read_token(500, {}, b"")
    assert isinstance(broken, Refusal)
    assert broken.trouble is Trouble.SERVER_ERROR


def test_calls_and_clock_are_read_where_they_are_told() -> None:
    """And are unknown elsewhere."""
    assert read_calls({"x-ratelimit-remaining": "12", "x-ratelimit-reset": "832"}) == (12, 832)
    assert read_calls({}) == Calls(None, None)
    assert read_date_ms({"date": "Mon, 23 Nov 2026 13:00:00 GMT"}) == 1_795_438_800_000
    assert read_date_ms({}) is None
    assert read_date_ms({"date": "soon"}) is None


def test_an_event_is_known_by_its_id() -> None:
    """As a number or as text; without one, by its bytes."""
    assert event_identity(b'{"id": 7, "a": 1}') == event_identity(b'{"a":2,"id":"7"}') == "7"
    assert event_identity(b'{"a":1}') != event_identity(b'{"a":2}')
    assert event_identity(b'{"id":null}').startswith("sha256-")
    assert event_identity(b'{"id":[1]}').startswith("sha256-")
