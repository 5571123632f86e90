"""Profiles: what is usual for a subject, folded event by event.

A profile learns places, devices and hours from successful authentication scored below High, apps
from their use, and actions from the actions themselves. A value first met at Medium is
provisional: it becomes usual after days on which it was met again and a factor was verified.
Unlike the public tables a profile depends on the order of events. Everything in it is bounded;
``habits`` says what goes first.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from riskstream.events.event import Facts
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.bulk import Bulk, is_bulk, with_one_more
from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    Levels,
    device_levels,
    key_of,
    place_levels,
)
from riskstream.risk.habits import (
    AGE_STEPS,
    PANES_A_DAY,
    Confirming,
    Habits,
    Met,
    aged,
    confirm,
    doubt,
    is_provisional,
    meet,
    pane_of,
    restart,
)
from riskstream.risk.hours import bin_of, faded, more_at
from riskstream.risk.levels import HIGH_FROM, MEDIUM_FROM
from riskstream.risk.usual_rules import Relays, UsualRule
from riskstream.windows.lockouts import Register, newer
from riskstream.windows.panes import DAY_MS, HOUR_MINUTES, MINUTE_MS, Panes, add, prune

__all__ = [
    "BURST_MINUTES",
    "PROFILES_TTL_MS",
    "VERSION",
    "LearnedFrom",
    "Learning",
    "Profile",
    "Run",
    "end_run",
    "fold_profile",
    "is_known",
    "is_late",
]

PROFILES_TTL_MS: Final = 90 * DAY_MS
"""A profile this far behind its partition's watermark reads as absent; an event this far behind
its profile is late for it."""
BURST_MINUTES: Final = 10
"""One-minute panes of sensitive actions."""
VERSION: Final = 2
"""Of the fields of a profile."""


class Run(Struct, frozen=True, array_like=True, gc=False):
    """Failures since the last success, none long after the one before it."""

    login: int
    mfa: int
    """Factors that did not match."""
    denied: int
    """Factors that their owner denied."""
    first_ms: int
    last_ms: int
    address: str | None
    """Where all of them came from; None when unknown or not one place."""
    denied_ms: int = 0
    """Last denial."""
    sources: tuple[int, ...] = ()
    """Different addresses among them, as 32 bits of their hashes, eight at most."""


class Profile(Struct, frozen=True, array_like=True, gc=False):
    """One subject's profile. Replaced by folding, never changed."""

    version: int
    as_of_ms: int
    """Newest event folded in."""
    offset: int
    logins: int = 0
    """Successful logins scored below High."""
    age: int = -1
    """Six-hour pane since 2020 as of which the counts stand; -1: as of the next event."""
    usual: Habits = {}
    """Places and devices, with their totals."""
    doings: Habits = {}
    """Apps and administrative actions, with their totals."""
    hours: bytes = b""
    """When logins were; see ``hours``."""
    last_login: Register | None = None
    """Newest successful login, whatever it scored."""
    run: Run | None = None
    risky_login: tuple[int, int] | None = None
    """Time and score of the newest authentication that scored High."""
    sensitive: Panes = ()
    factor_ms: int = 0
    """Newest change of the subject's own factors by itself."""
    elsewhere: Panes = ()
    """Failed logins from places that are not usual, in one-minute panes of an hour."""
    shape: int = 0
    """Changes whenever a value came, went, or ceased to be provisional; counts alone leave it."""
    where: tuple[int, int, int] | None = None
    """Time, latitude and longitude of the newest successful authentication that has a position."""
    bulk: Bulk | None = None
    """Of a system: how much it does in one go."""


class LearnedFrom(Struct, frozen=True, gc=False):
    """An event as a profile takes it in."""

    facts: Facts
    time_ms: int
    """Its time, clipped."""
    offset: int
    score: int


class Learning:
    """A policy's numbers about profiles, made ready."""

    def __init__(
        self,
        rule: UsualRule,
        run_gap_minutes: int,
        relays: Relays | None = None,
        bulk_gap_minutes: int = 30,
    ) -> None:
        self._relays = relays or Relays()
        self.step = rule.half_life_days * PANES_A_DAY // AGE_STEPS
        """A quarter of the half-life, in six-hour panes."""
        self.confirming = Confirming(rule.confirm_days, rule.unverified_days)
        self.run_gap_ms = run_gap_minutes * MINUTE_MS
        self.bulk_gap_ms = bulk_gap_minutes * MINUTE_MS
        self.half_life_ms = rule.half_life_days * DAY_MS
        self.room = rule.rooms()
        """By feature."""

    def is_relayed(self, facts: Facts) -> bool:
        """The address says nothing of where the user is: a VPN, a relay, a satellite."""
        return self._relays.hide(facts.asn, facts.lists)


def is_late(profile: Profile | None, time_ms: int) -> bool:
    """An event at this time is not folded into the profile."""
    return profile is not None and time_ms < profile.as_of_ms - PROFILES_TTL_MS


def is_known(profile: Profile, chain: Levels) -> bool:
    """The finest level is usual: the address, or the user agent."""
    held = profile.usual.get(chain.levels[-1].key) if chain.levels else None
    return held is not None and not is_provisional(held)


def fold_profile(profile: Profile | None, event: LearnedFrom, rule: Learning) -> Profile:
    """The profile with one more event of its subject."""
    time_ms, facts = event.time_ms, event.facts
    if profile is None:
        profile = Profile(VERSION, time_ms, event.offset)
    profile = _aged(profile, pane_of(time_ms), rule.step)
    as_of = max(profile.as_of_ms, time_ms)
    kind = facts.kind
    if kind in _SUCCESSES:
        return _with_success(profile, event, rule, as_of)
    if kind in _RUN_KINDS:
        return _with_failure(profile, event, rule, as_of)
    if kind is Kind.APP_ACCESS and facts.app_id is not None:
        app = key_of(Feature.APP, facts.app_id)
        return _with_doing(profile, event, rule, (_ALL_APPS, app))
    if facts.subject_type == "client" and facts.outcome is not EventOutcome.FAILURE:
        profile = _with_client(profile, event, rule)
    if facts.subject_type == "system" and is_bulk(facts):
        bulk = with_one_more(
            profile.bulk, time_ms, event.score, rule.bulk_gap_ms, rule.half_life_ms
        )
        profile = replace(profile, bulk=bulk)
    if facts.sensitivity is not Sensitivity.NONE and facts.outcome is not EventOutcome.FAILURE:
        return _with_action(profile, event, rule, as_of)
    return replace(profile, as_of_ms=as_of, offset=event.offset)


def end_run(profile: Profile, offset: int) -> Profile:
    """The profile after an administrator reset password or factor; the same without a run."""
    return profile if profile.run is None else replace(profile, run=None, offset=offset)


_SUCCESSES: Final = frozenset({Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS})
_ALL_APPS: Final = CHAINS[Chain.APPS]
_ALL_ACTIONS: Final = CHAINS[Chain.ACTIONS]
_SHAPES: Final = 0xFFFF
_RUN_KINDS: Final = frozenset({Kind.LOGIN_FAILURE, Kind.MFA_FAILURE, Kind.MFA_DENIED})


def _aged(profile: Profile, now: int, step: int) -> Profile:
    """The profile with its counts decayed to the pane ``now``, in whole steps."""
    if profile.age < 0:
        return replace(profile, age=now)
    steps = (now - profile.age) // step
    if steps <= 0:
        return profile
    age, half_life = profile.age + steps * step, step * AGE_STEPS
    return replace(
        profile,
        age=age,
        shape=profile.shape + 1 & _SHAPES,
        usual=aged(profile.usual, steps),
        doings=aged(profile.doings, steps),
        hours=faded(profile.hours, age // half_life - profile.age // half_life),
    )


def _with_success(profile: Profile, event: LearnedFrom, rule: Learning, as_of: int) -> Profile:
    facts, time_ms = event.facts, event.time_ms
    login = facts.kind is Kind.LOGIN_SUCCESS
    usual, hours, shape = profile.usual, profile.hours, profile.shape
    logins, risky = profile.logins, profile.risky_login
    if event.score >= HIGH_FROM:
        usual = restart(usual)
        if risky is None or time_ms >= risky[0]:
            risky = (time_ms, event.score)
    else:
        logins += login
        usual = usual.copy()
        shape = shape + _learn_places(usual, event, rule, profile.factor_ms) & _SHAPES
        if login:
            hours = more_at(hours, bin_of(time_ms))
    last_login, run, where = profile.last_login, profile.run, profile.where
    if login:
        run = None
        register = Register(time_ms, facts.id, facts.event_type_id)
        if newer(last_login, register):
            last_login = register
    if (
        facts.position is not None
        and not rule.is_relayed(facts)
        and (where is None or time_ms >= where[0])
    ):
        where = (time_ms, *facts.position)
    return Profile(
        VERSION,
        as_of,
        event.offset,
        logins,
        profile.age,
        usual,
        profile.doings,
        hours,
        last_login,
        run,
        risky,
        profile.sensitive,
        profile.factor_ms,
        profile.elsewhere,
        shape,
        where,
        profile.bulk,
    )


def _learn_places(usual: Habits, event: LearnedFrom, rule: Learning, factor_ms: int) -> bool:
    """Whether a value came, went or ceased to be provisional."""
    facts, pane, changed = event.facts, pane_of(event.time_ms), False
    doubtful = event.score >= MEDIUM_FROM
    for chain in (place_levels(facts), device_levels(facts)):
        if not doubtful:
            changed |= meet(usual, chain.keys, pane, rule.room)
            if not is_provisional(max(usual.values(), default=0)):
                continue
        for feature, key, _ in chain.levels:
            held = usual.get(key)
            if held is None:
                doubt(usual, key, pane)
                changed = True
            elif is_provisional(held):
                met = Met(pane, facts.kind is Kind.MFA_SUCCESS, pane_of(factor_ms))
                changed |= confirm(usual, key, met, rule.room[feature], rule.confirming)
    return changed


def _with_client(profile: Profile, event: LearnedFrom, rule: Learning) -> Profile:
    """An API credential does not log in: it is used from where it works."""
    if event.score >= HIGH_FROM or not event.facts.ip:
        return profile
    usual = profile.usual.copy()
    shape = profile.shape + _learn_places(usual, event, rule, 0) & _SHAPES
    return replace(profile, usual=usual, shape=shape)


def _with_failure(profile: Profile, event: LearnedFrom, rule: Learning, as_of: int) -> Profile:
    facts, time_ms = event.facts, event.time_ms
    elsewhere = profile.elsewhere
    if facts.kind is Kind.LOGIN_FAILURE and not is_known(profile, place_levels(facts)):
        elsewhere = add(elsewhere, time_ms // MINUTE_MS)
    elsewhere = prune(elsewhere, as_of // MINUTE_MS - HOUR_MINUTES)
    return replace(
        profile,
        as_of_ms=as_of,
        offset=event.offset,
        run=_longer(profile.run, facts, time_ms, rule.run_gap_ms),
        elsewhere=elsewhere,
    )


def _with_doing(
    profile: Profile, event: LearnedFrom, rule: Learning, doing: tuple[int, int]
) -> Profile:
    doings = profile.doings.copy()
    changed = meet(doings, doing, pane_of(event.time_ms), rule.room)
    return replace(
        profile,
        as_of_ms=max(profile.as_of_ms, event.time_ms),
        offset=event.offset,
        doings=doings,
        shape=profile.shape + changed & _SHAPES,
    )


def _with_action(profile: Profile, event: LearnedFrom, rule: Learning, as_of: int) -> Profile:
    facts, time_ms = event.facts, event.time_ms
    sensitive, factor_ms = profile.sensitive, profile.factor_ms
    if facts.sensitivity is Sensitivity.SENSITIVE and facts.subject_type != "system":
        sensitive = prune(add(sensitive, time_ms // MINUTE_MS), as_of // MINUTE_MS - BURST_MINUTES)
    if facts.kind is Kind.FACTOR_CHANGE and facts.user_id == facts.actor_user_id:
        factor_ms = max(factor_ms, time_ms)
    key = key_of(Feature.ACTION, facts.event_type_id)
    done = _with_doing(profile, event, rule, (_ALL_ACTIONS, key))
    return replace(done, sensitive=sensitive, factor_ms=factor_ms)


def _longer(run: Run | None, facts: Facts, time_ms: int, gap_ms: int) -> Run:
    login = int(facts.kind is Kind.LOGIN_FAILURE)
    mfa = int(facts.kind is Kind.MFA_FAILURE)
    denied = int(facts.kind is Kind.MFA_DENIED)
    if run is None or time_ms - run.last_ms > gap_ms:
        since = time_ms if denied else 0
        return Run(login, mfa, denied, time_ms, time_ms, facts.ip, since, _sources((), facts))
    return Run(
        run.login + login,
        run.mfa + mfa,
        run.denied + denied,
        min(run.first_ms, time_ms),
        max(run.last_ms, time_ms),
        run.address if run.address == facts.ip else None,
        max(run.denied_ms, time_ms) if denied else run.denied_ms,
        _sources(run.sources, facts),
    )


def _sources(known: tuple[int, ...], facts: Facts) -> tuple[int, ...]:
    if not facts.ip or len(known) >= _MAX_SOURCES:
        return known
    source = place_levels(facts).levels[-1].key >> _NARROW
    return known if source in known else (*known, source)


_MAX_SOURCES: Final = 8
_NARROW: Final = 28
"""Bits of a key of an address that are dropped, to keep rows small."""
