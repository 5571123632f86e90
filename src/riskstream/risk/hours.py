"""When somebody is usually at work: a histogram of 24 hours of weekdays and 24 of weekends, UTC.

One byte per hour, without the zeros at the end. All are halved when one is full, and in each
half-life.
"""

from typing import Final

from riskstream.windows.panes import DAY_MS, HOUR_MS

__all__ = ["BINS", "bin_of", "count_at", "faded", "more_at", "total_of", "uniform_at"]

BINS: Final = 48
_HOURS: Final = 24
_THURSDAY: Final = 3
"""Day of the week of 1970-01-01, from Monday."""
_SATURDAY: Final = 5
_WEEK: Final = 7
_FULL: Final = 255
_WEEKDAYS: Final = 5
_WEEKEND: Final = 2


def bin_of(time_ms: int) -> int:
    """The hour's place in the histogram."""
    hour = time_ms % DAY_MS // HOUR_MS
    weekend = (time_ms // DAY_MS + _THURSDAY) % _WEEK >= _SATURDAY
    return hour + _HOURS * weekend


def more_at(hours: bytes, place: int) -> bytes:
    """The histogram with one more event."""
    bins = bytearray(hours.ljust(BINS, b"\0"))
    if bins[place] == _FULL:
        bins = bytearray(faded(bytes(bins), 1).ljust(BINS, b"\0"))
    bins[place] += 1
    return bytes(bins).rstrip(b"\0")


def faded(hours: bytes, halvings: int) -> bytes:
    """The histogram that many half-lives later."""
    if halvings <= 0:
        return hours
    return bytes([each >> min(halvings, 8) for each in hours]).rstrip(b"\0")


def total_of(hours: bytes) -> int:
    """Events in the histogram."""
    return sum(hours)


def count_at(hours: bytes, place: int) -> float:
    """Events at this hour, smoothed over the hours beside it by 1:2:1; they wrap at midnight."""
    if not hours:
        return 0
    hours = hours.ljust(BINS, b"\0")
    start = place - place % _HOURS
    before, after = start + (place - 1) % _HOURS, start + (place + 1) % _HOURS
    return (hours[before] + 2 * hours[place] + hours[after]) / 4


def uniform_at(place: int) -> float:
    """The share of this hour if all hours of the week were alike."""
    return (_WEEKEND if place >= _HOURS else _WEEKDAYS) / (_WEEK * _HOURS)
