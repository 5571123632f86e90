"""Event times: epoch milliseconds inside, RFC 3339 with milliseconds and ``Z`` on the wire."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["LAST_MS", "format_time", "parse_time"]

LAST_MS = 253_402_300_799_999
"""End of the year 9999, the last that RFC 3339 can say."""


def parse_time(text: str) -> int:
    """Epoch milliseconds of a vendor time.

    Known forms: ISO 8601 with or without milliseconds and offset (none means UTC), and
    ``YYYY-MM-DD HH:MM:SS UTC`` of the broadcaster.

    Raises:
        ValueError: In no known form, or outside the years 1970 to 9999.
    """
    if len(text) == _USUAL and text[16] == ":" and text[19] == "." and text[23] == "Z":
        second, millisecond = text[17:19], text[20:23]
        if second < "60" and second.isdecimal() and millisecond.isdecimal() and text.isascii():
            return _read_minute(text[:16]) + int(second) * 1000 + int(millisecond)
    return _read(text)


@lru_cache(maxsize=4096)
def _read_minute(text: str) -> int:
    """Of a minute without its offset; events of one minute come together."""
    return _read(f"{text}:00Z")


def _read(text: str) -> int:
    stamp = text.strip()
    stamp = stamp.removesuffix(" UTC")
    if len(stamp) < len("2026-01-01T00:00"):
        raise ValueError("no date with a time of day")
    moment = datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    milliseconds = (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
    if not 0 <= milliseconds <= LAST_MS:
        raise ValueError("outside the years 1970 to 9999")
    return milliseconds


def format_time(milliseconds: int) -> str:
    """``2026-11-23T13:00:00.847Z``. Range: years 1970 to 9999."""
    seconds, millisecond = divmod(milliseconds, 1000)
    minute, second = divmod(seconds, 60)
    return f"{_format_minute(minute)}{_SECONDS[second]}{millisecond:03d}Z"


@lru_cache(maxsize=4096)
def _format_minute(minute: int) -> str:
    return f"{_EPOCH + timedelta(minutes=minute):%Y-%m-%dT%H:%M}:"


_USUAL = len("2026-11-23T13:00:00.847Z")
_SECONDS = [f"{second:02d}." for second in range(60)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
