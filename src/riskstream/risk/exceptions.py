"""Exceptions from the policy: signals that an operator has silenced, for whom, until when, and why.

An exception ends by the event's own time, so a score does not depend on when it was computed.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from riskstream.events.context import MAX_TEXT_CHARACTERS, UserContext
from riskstream.events.event import Facts
from riskstream.risk.numbers import Part

__all__ = ["ExceptionRule", "Exceptions"]


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as fault:
        raise ValueError(f"{text} is no address and no CIDR block") from fault
    return text


class ExceptionRule(Part):
    """Signals that say nothing about events to which all of its conditions apply."""

    signals: Annotated[tuple[str, ...], Field(min_length=1)]
    """Their ids."""
    users: tuple[str, ...] = ()
    """Subjects, such as ``1234:7``."""
    groups: tuple[Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)], ...] = ()
    """Of users, as their context names them; one of them suffices."""
    networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    apps: tuple[int, ...] = ()
    """By id."""
    until: date
    """Last day, UTC."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _narrow(self) -> "ExceptionRule":
        if not (self.users or self.groups or self.networks or self.apps):
            raise ValueError("an exception names users, groups, networks or apps")
        return self


class _Ready(NamedTuple):
    signals: frozenset[str]
    users: frozenset[str]
    groups: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]
    apps: frozenset[int]
    until_ms: int


class Exceptions:
    """A policy's exceptions, made ready."""

    def __init__(self, rules: tuple[ExceptionRule, ...]) -> None:
        self._rules = tuple(map(_ready, rules))
        self._inside: Callable[[str], frozenset[int]] = lru_cache(maxsize=8192)(self._networks_of)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def silenced(
        self, facts: Facts, time_ms: int, context: UserContext | None = None
    ) -> frozenset[str]:
        """Ids of the signals that say nothing about an event of a subject with this context."""
        silenced: frozenset[str] = frozenset()
        for place, rule in enumerate(self._rules):
            if (
                time_ms < rule.until_ms
                and (not rule.users or facts.subject in rule.users)
                and (not rule.groups or _shares(context, rule.groups))
                and (not rule.apps or facts.app_id in rule.apps)
                and (not rule.networks or (facts.ip and place in self._inside(facts.ip)))
            ):
                silenced |= rule.signals
        return silenced

    def _networks_of(self, address: str) -> frozenset[int]:
        try:
            parsed = ip_address(address)
        except ValueError:
            return frozenset()
        return frozenset(
            place
            for place, rule in enumerate(self._rules)
            if any(parsed in network for network in rule.networks)
        )


def _shares(context: UserContext | None, groups: frozenset[str]) -> bool:
    return context is not None and not groups.isdisjoint(context.groups)


def _ready(rule: ExceptionRule) -> _Ready:
    end = datetime.combine(rule.until, time.max, UTC)
    return _Ready(
        frozenset(rule.signals),
        frozenset(rule.users),
        frozenset(rule.groups),
        tuple(ip_network(each) for each in rule.networks),
        frozenset(rule.apps),
        int(end.timestamp() * 1000) + 1,
    )
