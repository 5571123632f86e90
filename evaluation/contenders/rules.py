"""Rules such as identity providers document them, as far as their events allow.

They are likenesses made from the vendors' public pages, not the vendors' code: what is documented
is followed, and what is not (how findings add up) is a plain count.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from evaluation.contenders.sighting import Contender, Sighting
from evaluation.happening import DAY_MS, HOUR_MS
from evaluation.world.geography import distance_km
from evaluation.world.internet import NetKind

__all__ = ["EntraLike", "NewAddress", "OktaLike"]

OKTA_KMH: Final = 805
OKTA_SIGN_INS: Final = {"city": 20, "device": 20, "country": 10, "address": 50}
"""So many past sign-ins each behaviour is compared with."""
ENTRA_KMH: Final = 900
ENTRA_LEARNING_LOGINS: Final = 10
ENTRA_LEARNING_MS: Final = 14 * DAY_MS
ENTRA_REMEMBERS_MS: Final = 30 * DAY_MS
COLLEAGUES: Final = 3
"""From so many users' places it is no news."""
SPRAYED_USERS: Final = 5
"""So many users refused from one address within an hour."""


class NewAddress(Contender):
    """New address = risk."""

    name = "new address"

    def __init__(self) -> None:
        self._known: dict[int, set[str]] = defaultdict(set)

    @override
    def score(self, seen: Sighting) -> float | None:
        known = self._known.get(seen.user)
        return None if known is None else float(seen.address not in known)

    @override
    def learn(self, seen: Sighting) -> None:
        if seen.success:
            self._known[seen.user].add(seen.address)


class OktaLike(Contender):
    """Behaviours: new city, country, device, address, and velocity. New users are high."""

    name = "Okta-like"

    def __init__(self) -> None:
        most = max(OKTA_SIGN_INS.values())
        self._past: dict[int, deque[Sighting]] = defaultdict(lambda: deque(maxlen=most))

    @override
    def score(self, seen: Sighting) -> float | None:
        past = self._past.get(seen.user)
        if past is None:
            return None
        recent = list(past)
        found = 2.0 * (_speed(recent[-1], seen) > OKTA_KMH)
        for what, most in OKTA_SIGN_INS.items():
            known = {_behaviour(each, what) for each in recent[-most:]}
            found += (2.0 if what == "country" else 1.0) * (_behaviour(seen, what) not in known)
        return found

    @override
    def learn(self, seen: Sighting) -> None:
        if seen.success:
            self._past[seen.user].append(seen)


@dataclass(slots=True)
class _Familiar:
    first_ms: int
    logins: int = 0
    last: Sighting | None = None
    values: dict[object, int] = field(default_factory=dict)
    """When each was last seen."""


class EntraLike(Contender):
    """Unfamiliar features, new country, unlikely travel, password spray; silent while it learns."""

    name = "Entra-like"

    def __init__(self) -> None:
        self._users: dict[int, _Familiar] = {}
        self._in_country: dict[str, dict[int, int]] = defaultdict(dict)
        self._refused: dict[str, dict[int, int]] = defaultdict(dict)

    @override
    def score(self, seen: Sighting) -> float | None:
        user = self._users.get(seen.user)
        if user is None or user.last is None:
            return None
        found = 4.0 * self._sprays(seen)
        learning = (
            user.logins < ENTRA_LEARNING_LOGINS and seen.at_ms - user.first_ms < ENTRA_LEARNING_MS
        )
        if learning:
            return found
        unfamiliar = [
            value
            for value in _features(seen)
            if seen.at_ms - user.values.get(value, 0) > ENTRA_REMEMBERS_MS
        ]
        found += len(unfamiliar)
        if ("country", seen.location.city.country) in unfamiliar:
            found += 2.0
        private = seen.location.kind is not NetKind.VPN
        if private and _speed(user.last, seen) > ENTRA_KMH and not self._colleagues(seen):
            found += 3.0
        return found

    @override
    def learn(self, seen: Sighting) -> None:
        if seen.failure:
            self._refused[seen.address][seen.user] = seen.at_ms
        if not seen.success:
            return
        user = self._users.setdefault(seen.user, _Familiar(seen.at_ms))
        user.logins += 1
        user.last = seen
        for value in _features(seen):
            user.values[value] = seen.at_ms
        self._in_country[seen.location.city.country][seen.user] = seen.at_ms

    def _sprays(self, seen: Sighting) -> bool:
        refused = self._refused.get(seen.address, {})
        return sum(seen.at_ms - at_ms < HOUR_MS for at_ms in refused.values()) >= SPRAYED_USERS

    def _colleagues(self, seen: Sighting) -> bool:
        there = self._in_country[seen.location.city.country]
        recent = sum(
            user != seen.user and seen.at_ms - at_ms < ENTRA_REMEMBERS_MS
            for user, at_ms in there.items()
        )
        return recent >= COLLEAGUES


def _features(seen: Sighting) -> tuple[tuple[str, object], ...]:
    where, agent = seen.location, seen.agent
    return (
        ("address", seen.address),
        ("asn", where.asn),
        ("city", where.city.name),
        ("country", where.city.country),
        ("browser", agent.browser),
        ("device", (agent.system, agent.device)),
    )


def _behaviour(seen: Sighting, what: str) -> object:
    match what:
        case "city":
            return seen.location.city.name
        case "country":
            return seen.location.city.country
        case "device":
            return seen.agent.text
        case _:
            return seen.address


def _speed(before: Sighting, now: Sighting) -> float:
    """Kilometres per hour, as the crow flies; 0 within one city."""
    hours = max(now.at_ms - before.at_ms, 60_000) / HOUR_MS
    return distance_km(before.location.city, now.location.city) / hours
