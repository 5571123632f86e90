"""Profiles: what is usual for a subject, folded event by event.

A profile learns places and devices from successful authentication scored below High, and usual
actions from the actions themselves. Unlike the public tables it depends on the order of events.
Everything in it is bounded; what was seen longest ago goes first, of equals the smaller value.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from riskstream.events.event import Facts
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.levels import HIGH_FROM
from riskstream.risk.policy import ProfileRule
from riskstream.windows.lockouts import Register, newer
from riskstream.windows.panes import DAY_MS, MINUTE_MS, Panes, add, prune

__all__ = [
    "BURST_MINUTES",
    "PROFILES_TTL_MS",
    "LearnedFrom",
    "Profile",
    "Run",
    "Seen",
    "agent_hash",
    "end_run",
    "fold_profile",
    "is_late",
]

PROFILES_TTL_MS: Final = 90 * DAY_MS
"""A profile this far behind its partition's watermark reads as absent; an event this far behind
its profile is late for it."""
BURST_MINUTES: Final = 10
"""One-minute panes of sensitive actions."""

Seen = tuple[int, int]
"""How often, and when last in epoch milliseconds."""


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


class Profile(Struct, frozen=True, array_like=True, gc=False):
    """One subject's profile. Replaced by folding, never changed."""

    version: int
    as_of_ms: int
    """Newest event folded in."""
    offset: int
    logins: int = 0
    """Successful logins scored below High."""
    addresses: dict[str, Seen] = {}
    agents: dict[str, Seen] = {}
    """By ``agent_hash``."""
    actions: dict[int, Seen] = {}
    """Administrative actions that succeeded, by event type."""
    last_login: Register | None = None
    """Newest successful login, whatever it scored."""
    run: Run | None = None
    risky_login: tuple[int, int] | None = None
    """Time and score of the newest authentication that scored High."""
    sensitive: Panes = ()


class LearnedFrom(Struct, frozen=True, gc=False):
    """An event as a profile takes it in."""

    facts: Facts
    time_ms: int
    """Its time, clipped."""
    offset: int
    score: int


def is_late(profile: Profile | None, time_ms: int) -> bool:
    """An event at this time is not folded into the profile."""
    return profile is not None and time_ms < profile.as_of_ms - PROFILES_TTL_MS


@lru_cache(maxsize=4096)
def agent_hash(user_agent: str) -> str:
    """64 bits of a user agent, in hex: enough to know it again, too little to read it."""
    return blake2b(user_agent.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fold_profile(profile: Profile | None, event: LearnedFrom, rule: ProfileRule) -> Profile:
    """The profile with one more event of its subject."""
    time_ms, facts = event.time_ms, event.facts
    if profile is None:
        profile = Profile(_VERSION, time_ms, event.offset)
    as_of = max(profile.as_of_ms, time_ms)
    kind = facts.kind
    if kind in _SUCCESSES:
        return _with_success(profile, event, rule, as_of)
    if kind in _RUN_KINDS:
        run = _longer(profile.run, facts, time_ms, rule.run_gap_minutes * MINUTE_MS)
        return replace(profile, as_of_ms=as_of, offset=event.offset, run=run)
    if facts.sensitivity is not Sensitivity.NONE and facts.outcome is not EventOutcome.FAILURE:
        return _with_action(profile, event, rule, as_of)
    return replace(profile, as_of_ms=as_of, offset=event.offset)


def end_run(profile: Profile, offset: int) -> Profile:
    """The profile after an administrator reset password or factor; the same without a run."""
    return profile if profile.run is None else replace(profile, run=None, offset=offset)


_VERSION: Final = 1
_SUCCESSES: Final = frozenset({Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS})
_RUN_KINDS: Final = frozenset({Kind.LOGIN_FAILURE, Kind.MFA_FAILURE, Kind.MFA_DENIED})

_Key = TypeVar("_Key", int, str)


def _with_success(profile: Profile, event: LearnedFrom, rule: ProfileRule, as_of: int) -> Profile:
    facts, time_ms = event.facts, event.time_ms
    addresses, agents, logins = profile.addresses, profile.agents, profile.logins
    last_login, run, risky = profile.last_login, profile.run, profile.risky_login
    login = facts.kind is Kind.LOGIN_SUCCESS
    if event.score < HIGH_FROM:
        logins += login
        if facts.ip:
            addresses = _more(addresses, facts.ip, time_ms, rule.addresses)
        if facts.user_agent:
            agents = _more(agents, agent_hash(facts.user_agent), time_ms, rule.user_agents)
    elif risky is None or time_ms >= risky[0]:
        risky = (time_ms, event.score)
    if login:
        run = None
        register = Register(time_ms, facts.id, facts.event_type_id)
        if newer(last_login, register):
            last_login = register
    return Profile(
        _VERSION,
        as_of,
        event.offset,
        logins,
        addresses,
        agents,
        profile.actions,
        last_login,
        run,
        risky,
        profile.sensitive,
    )


def _with_action(profile: Profile, event: LearnedFrom, rule: ProfileRule, as_of: int) -> Profile:
    facts, time_ms = event.facts, event.time_ms
    sensitive = profile.sensitive
    if facts.sensitivity is Sensitivity.SENSITIVE and facts.subject_type != "system":
        sensitive = prune(add(sensitive, time_ms // MINUTE_MS), as_of // MINUTE_MS - BURST_MINUTES)
    return replace(
        profile,
        as_of_ms=as_of,
        offset=event.offset,
        actions=_more(profile.actions, facts.event_type_id, time_ms, rule.actions),
        sensitive=sensitive,
    )


def _more(seen: dict[_Key, Seen], value: _Key, time_ms: int, most: int) -> dict[_Key, Seen]:
    before = seen.get(value)
    more = seen.copy()
    if before is not None:
        more[value] = (before[0] + 1, max(before[1], time_ms))
        return more
    if len(more) >= most:
        del more[min(more, key=lambda each: (more[each][1], each))]
    more[value] = (1, time_ms)
    return more


def _longer(run: Run | None, facts: Facts, time_ms: int, gap_ms: int) -> Run:
    login = int(facts.kind is Kind.LOGIN_FAILURE)
    mfa = int(facts.kind is Kind.MFA_FAILURE)
    denied = int(facts.kind is Kind.MFA_DENIED)
    if run is None or time_ms - run.last_ms > gap_ms:
        return Run(login, mfa, denied, time_ms, time_ms, facts.ip, time_ms if denied else 0)
    return Run(
        run.login + login,
        run.mfa + mfa,
        run.denied + denied,
        min(run.first_ms, time_ms),
        max(run.last_ms, time_ms),
        run.address if run.address == facts.ip else None,
        max(run.denied_ms, time_ms) if denied else run.denied_ms,
    )
