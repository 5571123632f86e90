"""Times of the vendor in, times of the wire out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.times import format_time, parse_time

LAST_MS = 253_402_300_799_999


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T13:00:00.847Z", 1_795_438_800_847),
        ("2026-11-23T13:00:00.8479Z", 1_795_438_800_847),
        ("2026-11-23 13:00:00 UTC", 1_795_438_800_000),
        ("2026-11-23T15:00:00+02:00", 1_795_438_800_000),
        ("2026-11-23T13:00", 1_795_438_800_000),
        (" 2026-11-23T13:00:00 ", 1_795_438_800_000),
        (" 2026-11-23T13:00:00.84Z", 1_795_438_800_840),
        ("2026-W48-1T13:00:00.847Z", 1_795_438_800_847),
        ("9999-12-31T23:59:59.999Z", LAST_MS),
    ],
)
def test_known_forms_are_read(text: str, milliseconds: int) -> None:
    """Without an offset a time is UTC."""
    assert parse_time(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "1969-12-31T23:59:59Z",
        "1969-12-31T23:59:59.999Z",
        "1795438800",
        "2026-13-01T00:00:00Z",
        "2026-11-23T13:00:60.000Z",
        "2026-11-23T13:00:+1.000Z",
        "2026-11-23T13:00:00.1_0Z",
        "2026-11-23T13:00:00.\u0661\u0662\u0663Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """Never guessed at."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


@given(st.integers(min_value=0, max_value=LAST_MS))
def test_what_is_written_reads_the_same(milliseconds: int) -> None:
    """To the millisecond, in 24 characters."""
    text = format_time(milliseconds)
    assert len(text) == 24
    assert parse_time(text) == milliseconds
