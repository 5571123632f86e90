"""The table of failures: per subject, how many failures of which kind, in three windows.

One row holds, per ``FailureKind``, one-minute panes for one hour and 15-minute panes for
24 hours. Windows (``panes`` has the arithmetic): ``5m`` is 5 and ``1h`` 60 one-minute panes,
``24h`` is 96 panes of 15 minutes.

``as_of`` is the newest event folded into the row. All kinds are pruned to it. An event is late
for the row when its 15-minute pane has left the 24 hours that end with ``as_of``; an event
between one and 24 hours behind counts in the 24-hour window alone. So any interleaving of the
same events gives the same row, but for ``offset``.
"""

from typing import Final

from msgspec import Struct

from riskstream.events.vocabulary import FailureKind
from riskstream.windows.panes import (
    DAY_MS,
    DAY_QUARTERS,
    HOUR_MINUTES,
    MINUTE_MS,
    QUARTER_MS,
    Panes,
    add,
    count,
    prune,
)

__all__ = [
    "FAILURES_TTL_MS",
    "FIVE_MINUTES",
    "FailuresRow",
    "KindPanes",
    "fold_failure",
    "recent_failures",
]

FAILURES_TTL_MS: Final = 2 * DAY_MS
"""A row this far behind its partition's watermark reads as absent."""
FIVE_MINUTES: Final = 5
"""One-minute panes of the shortest window."""


class KindPanes(Struct, frozen=True, gc=False):
    """Panes of one kind of failure; never both empty."""

    kind: FailureKind
    minutes: Panes = ()
    quarters: Panes = ()


class FailuresRow(Struct, frozen=True, gc=False):
    """One subject's failures. Replaced by folding, never changed."""

    subject: str
    as_of_ms: int
    offset: int
    """Offset in the classified topic of the last record folded in."""
    kinds: tuple[KindPanes, ...]
    """In the order of ``FailureKind``."""


def fold_failure(
    row: FailuresRow | None, subject: str, kind: FailureKind, time_ms: int, offset: int
) -> FailuresRow | None:
    """The row with one more failure; None when the event is late for the row."""
    quarter = time_ms // QUARTER_MS
    if row is None:
        fresh = KindPanes(kind, ((time_ms // MINUTE_MS, 1),), ((quarter, 1),))
        return FailuresRow(subject, time_ms, offset, (fresh,))
    as_of = row.as_of_ms
    if quarter <= as_of // QUARTER_MS - DAY_QUARTERS:
        return None
    as_of = max(as_of, time_ms)
    kinds = _counted(row.kinds, kind, time_ms)
    return FailuresRow(row.subject, as_of, offset, _pruned(kinds, as_of))


def recent_failures(row: FailuresRow, time_ms: int) -> tuple[int, int, int]:
    """What scoring asks at ``time_ms``: logins in 5 minutes, in 1 hour, MFA in 5 minutes.

    Exact while ``time_ms`` is not behind ``as_of``; further back, panes of the hour may be gone.
    """
    now, five, hour, mfa = time_ms // MINUTE_MS, 0, 0, 0
    for panes in row.kinds:
        if panes.kind is FailureKind.LOGIN:
            hour = count(panes.minutes, now, HOUR_MINUTES)
            five = count(panes.minutes, now, FIVE_MINUTES) if hour else 0
        elif panes.kind is FailureKind.MFA:
            mfa = count(panes.minutes, now, FIVE_MINUTES)
    return five, hour, mfa


_ORDER = {kind: place for place, kind in enumerate(FailureKind)}


def _counted(
    kinds: tuple[KindPanes, ...], kind: FailureKind, time_ms: int
) -> tuple[KindPanes, ...]:
    minute, quarter = time_ms // MINUTE_MS, time_ms // QUARTER_MS
    for place, panes in enumerate(kinds):
        if panes.kind is kind:
            more = KindPanes(kind, add(panes.minutes, minute), add(panes.quarters, quarter))
            return (*kinds[:place], more, *kinds[place + 1 :])
    fresh = KindPanes(kind, ((minute, 1),), ((quarter, 1),))
    return tuple(sorted((*kinds, fresh), key=lambda panes: _ORDER[panes.kind]))


def _pruned(kinds: tuple[KindPanes, ...], as_of: int) -> tuple[KindPanes, ...]:
    minutes, quarters = as_of // MINUTE_MS - HOUR_MINUTES, as_of // QUARTER_MS - DAY_QUARTERS
    kept = []
    for panes in kinds:
        recent, day = prune(panes.minutes, minutes), prune(panes.quarters, quarters)
        if recent is panes.minutes and day is panes.quarters:
            kept.append(panes)
        elif day:
            kept.append(KindPanes(panes.kind, recent, day))
    return tuple(kept)
