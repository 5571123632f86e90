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
    minutes, rest = divmod(milliseconds, 60_000)
    day, minute = divmod(minutes, 1440)
    second, millisecond = divmod(rest, 1000)
    return f"{_format_day(day)}T{_MINUTES[minute]}:{second:02d}.{millisecond:03d}Z"


@lru_cache(maxsize=1024)
def _format_day(day: int) -> str:
    return str(_EPOCH.date() + timedelta(days=day))


_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
