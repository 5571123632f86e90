"""Panes: counts per fixed slice of event time, and windows as unions of whole panes.

Arithmetic, exactly, because others recount by it:

* ``pane(t) = t // width``, with ``t`` in epoch milliseconds; the pane covers
  ``[pane * width, (pane + 1) * width)``.
* A window of ``n`` panes seen at time ``t`` is the pane of ``t`` and the ``n - 1`` before it:
  every pane ``p`` with ``pane(t) - n < p <= pane(t)``. So a five-minute window covers between
  four and five minutes of events, and all of them lie at or before the end of ``t``'s pane.
* A count taken at ``t`` is right until ``(oldest counted pane + n) * width``, when that pane
  leaves the window, or until another event comes.
* A series kept for ``n`` panes under a newest pane ``m`` holds the panes ``p > m - n``. An event
  whose pane is not among them is not counted. Dropping panes as ``m`` grows and refusing events
  use this one condition, so the same events give the same series in whatever order they come.
"""

from bisect import bisect_left
from typing import Final

__all__ = [
    "DAY_MS",
    "DAY_QUARTERS",
    "HOUR_MINUTES",
    "HOUR_MS",
    "MINUTE_MS",
    "QUARTER_MS",
    "WEEK_QUARTERS",
    "Panes",
    "add",
    "count",
    "oldest",
    "prune",
]

MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 15 * MINUTE_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
HOUR_MINUTES: Final = 60
"""Panes of one minute in an hour."""
DAY_QUARTERS: Final = 96
"""Panes of 15 minutes in 24 hours."""
WEEK_QUARTERS: Final = 7 * DAY_QUARTERS

Panes = tuple[tuple[int, int], ...]
"""(pane index, count), ascending by index, no count zero."""


def add(panes: Panes, index: int) -> Panes:
    """One more event in the pane ``index``."""
    if not panes:
        return ((index, 1),)
    last, events = panes[-1]
    if index == last:
        return (*panes[:-1], (index, events + 1))
    if index > last:
        return (*panes, (index, 1))
    place = bisect_left(panes, (index,))
    found, events = panes[place]
    if found == index:
        return (*panes[:place], (index, events + 1), *panes[place + 1 :])
    return (*panes[:place], (index, 1), *panes[place:])


def prune(panes: Panes, floor: int) -> Panes:
    """Only the panes above ``floor``."""
    if not panes or panes[0][0] > floor:
        return panes
    return panes[bisect_left(panes, (floor + 1,)) :]


def count(panes: Panes, now: int, span: int) -> int:
    """Events in the window of ``span`` panes that ends with the pane ``now``."""
    floor, total = now - span, 0
    for index, events in reversed(panes):
        if index <= floor:
            break
        if index <= now:
            total += events
    return total


def oldest(panes: Panes, now: int, span: int) -> int | None:
    """The oldest pane counted by ``count``; None when there is none."""
    floor = now - span
    for index, _ in panes:
        if index > floor:
            return index if index <= now else None
    return None
