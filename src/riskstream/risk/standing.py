"""Standings: how bad things are with a subject, from what its events scored and how long ago.

A standing holds, per family, the event that says most by now: its *cause*. A cause's points are
the event's score, halved every half-life. With ``peak`` the largest of them and ``rest`` the sum
of the others,

    score = (halfway * peak + 100 * rest) / (halfway + rest)

so one cause alone stands as its event scored, more of them lead towards 100, and a rest of
``halfway`` leads half of the way. Events of one family say nearly the same, so they renew their
cause and never add up; events that failed are all of the failures family, since nobody got in.
Hence a user who mistypes a password all day stands no worse than at the worst of it.

All of it goes by the events' own times. An event that would lift its cause by less than a point
changes nothing, so most rows need not be written.
"""

from collections.abc import Iterable
from hashlib import blake2b
from math import exp2, floor, log2
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from riskstream.risk.levels import HIGH_FROM, LOW_FROM, MEDIUM_FROM, Level, level_of
from riskstream.risk.policy import StandingRule
from riskstream.windows.panes import DAY_MS, HOUR_MS

__all__ = [
    "HALF_LIVES",
    "STANDINGS_TTL_MS",
    "Cause",
    "Decay",
    "Judging",
    "Measure",
    "Rising",
    "Standing",
    "StandingEvent",
    "Told",
    "fold_standing",
    "holds_until",
    "measure",
    "points_at",
]

HALF_LIVES: Final = 8
"""After so many, 100 points are less than half a point: a cause is gone, an event is late."""
STANDINGS_TTL_MS: Final = 32 * DAY_MS
"""A row this far behind its partition's watermark reads as absent: eight of the longest
half-lives."""


class Decay(Struct, frozen=True, array_like=True, gc=False):
    """The policy's numbers that a row was last judged by; whoever reads it needs no policy."""

    policy: str
    """Version."""
    half_life_ms: int
    halfway: int


class Cause(Struct, frozen=True, array_like=True, gc=False):
    """The event that says most of its family."""

    family: str
    score: int
    time_ms: int
    """Clipped."""
    event_id: str
    event_type_id: int
    signal: str
    """The strongest of the event."""
    detail: str
    """For people, of that signal."""


class Told(Struct, frozen=True, array_like=True, gc=False):
    """The newest alert."""

    alert_id: str
    time_ms: int


class Standing(Struct, frozen=True, gc=False):
    """One subject's row. Replaced by folding, never changed."""

    subject: str
    as_of_ms: int
    """Newest event folded in."""
    offset: int
    """Offset in the classified topic of the last record folded in."""
    decay: Decay
    causes: tuple[Cause, ...]
    """One per family at most, by family."""
    told: Told | None = None
    armed: bool = True
    """The next rise to High is told."""
    repeats: int = 0
    """Events since the newest alert after which the level was High, and nothing was told."""


class StandingEvent(NamedTuple):
    """A scored event as a standing takes it in."""

    subject: str
    offset: int
    cause: Cause


class Judging(NamedTuple):
    """A policy's numbers about standings, made ready."""

    decay: Decay
    from_score: int
    rearmed_at: int
    """A score at or below which the next rise is told."""

    @classmethod
    def of(cls, version: str, rule: StandingRule) -> "Judging":
        """As a policy of this version states them."""
        decay = Decay(version, rule.half_life_hours * HOUR_MS, rule.halfway)
        return cls(decay, rule.from_score, HIGH_FROM - rule.rearm_points)


class Measure(NamedTuple):
    """What a standing comes to at one time."""

    score: int
    level: Level
    peak: float
    """Points of the strongest cause."""
    accumulated: float
    """Points of all causes together."""


class Rising(NamedTuple):
    """A subject's level has risen to High, and it is to be told."""

    before: Measure
    standing: Standing
    """After the event."""
    repeats: int
    """Those that were not told, since the alert before."""


def points_at(cause: Cause, half_life_ms: int, time_ms: int) -> float:
    """What is left of a cause's score."""
    age = max(time_ms - cause.time_ms, 0) / half_life_ms
    return round(cause.score * exp2(-age), _DIGITS)


def measure(standing: Standing | None, time_ms: int, decay: Decay | None = None) -> Measure:
    """What a standing comes to at a time that is not before its ``as_of``.

    Args:
        standing: None counts as one without causes.
        time_ms: When.
        decay: By these numbers; without them by the row's own.
    """
    if standing is None:
        return _NOTHING
    by = decay or standing.decay
    peak, total = _peak_and_total(standing.causes, by.half_life_ms, time_ms)
    score = floor(round(_score(peak, total - peak, by.halfway), _DIGITS) + _HALF)
    return Measure(score, level_of(score), peak, total)


def holds_until(standing: Standing) -> int | None:
    """Until when the level of ``as_of`` stands though no event comes; None where it is No."""
    decay = standing.decay
    now = measure(standing, standing.as_of_ms)
    if now.level is Level.NO:
        return None
    least = _LEAST[now.level] - _HALF
    rest, halfway = now.accumulated - now.peak, decay.halfway
    # score(d) = d * (halfway * peak + 100 * rest) / (halfway + d * rest), where d is what is left
    left = least * halfway / (halfway * now.peak + (100 - least) * rest)
    return standing.as_of_ms + max(floor(-log2(min(left, 1)) * decay.half_life_ms), 0)


def fold_standing(
    standing: Standing | None, event: StandingEvent, judging: Judging
) -> tuple[Standing | None, Rising | None]:
    """The standing with one more event of its subject, and whether it is to be told.

    The same standing comes back where nothing worth writing changes; None where the event is late.

    Args:
        standing: Before; None where there is none.
        event: Scores ``judging.from_score`` at least.
        judging: The policy's numbers.
    """
    cause, decay = event.cause, judging.decay
    as_of = cause.time_ms if standing is None else max(standing.as_of_ms, cause.time_ms)
    if cause.time_ms <= as_of - HALF_LIVES * decay.half_life_ms:
        return None, None
    before = measure(standing, as_of, decay)
    held = () if standing is None else standing.causes
    causes = _with(held, cause, decay.half_life_ms, as_of)
    told, armed, repeats = _what_was_told(standing)
    armed = armed or before.score <= judging.rearmed_at
    if causes is None and not _is_high(before):
        return standing, None
    after = Standing(
        event.subject, as_of, event.offset, decay, causes or held, told, armed, repeats
    )
    if not _is_high(measure(after, as_of)):
        return after, None
    if not armed:
        return replace(after, repeats=repeats + 1), None
    told = Told(_alert_id(event.subject, cause.event_id), as_of)
    after = replace(after, told=told, armed=False, repeats=0)
    return after, Rising(before, after, repeats)


_DIGITS: Final = 9
"""Decimals that decide: more would be the machine's rounding."""
_HALF: Final = 1 / 2
_NOTHING: Final = Measure(0, Level.NO, 0, 0)
_FAINT: Final = _HALF
"""Fewer points than this are none."""
_WORTH_WRITING: Final = 1
_LEAST: Final = {Level.HIGH: HIGH_FROM, Level.MEDIUM: MEDIUM_FROM, Level.LOW: LOW_FROM}


def _alert_id(subject: str, event_id: str) -> str:
    """The same whenever the same event raises the same subject: readers drop repeats by it."""
    return blake2b(f"{subject}\n{event_id}".encode(), digest_size=16).hexdigest()


def _is_high(found: Measure) -> bool:
    return found.level is Level.HIGH


def _what_was_told(standing: Standing | None) -> tuple[Told | None, bool, int]:
    return (
        (None, True, 0) if standing is None else (standing.told, standing.armed, standing.repeats)
    )


def _score(peak: float, rest: float, halfway: int) -> float:
    return (halfway * peak + 100 * rest) / (halfway + rest)


def _peak_and_total(
    causes: Iterable[Cause], half_life_ms: int, time_ms: int
) -> tuple[float, float]:
    peak = total = float(0)
    for cause in causes:
        points = points_at(cause, half_life_ms, time_ms)
        total += points
        peak = max(peak, points)
    return peak, round(total, _DIGITS)


def _with(
    held: tuple[Cause, ...], cause: Cause, half_life_ms: int, as_of_ms: int
) -> tuple[Cause, ...] | None:
    """The causes with this one, without those that are gone; None where it says nothing new."""
    more = points_at(cause, half_life_ms, as_of_ms)
    kept = [cause]
    for each in held:
        points = points_at(each, half_life_ms, as_of_ms)
        if each.family == cause.family:
            if more < points + _WORTH_WRITING:
                return None
        elif points >= _FAINT:
            kept.append(each)
    if more < _FAINT:
        return None
    kept.sort(key=_family)
    return tuple(kept)


def _family(cause: Cause) -> str:
    return cause.family
