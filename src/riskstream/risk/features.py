"""Features: what of an event can be usual for somebody, as small integers from fine to coarse.

A value of a feature is a ``key``: the feature in the lowest four bits, above it the value itself
where it is small (a country, an ASN, an app), else bits of its hash. Two chains of levels, each
coarsest first, a level inside the one before it:

* place: country, then city in it, and ASN, network, address;
* device: its type, then operating system, browser, the user agent as a whole.

A level that the event does not tell is skipped. Keys are what profiles store, so they never change.
"""

from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from riskstream.events.event import Facts

__all__ = [
    "CHAINS",
    "DEVICE_FEATURES",
    "NOTHING",
    "PLACE_FEATURES",
    "Chain",
    "Feature",
    "Level",
    "Levels",
    "device_levels",
    "feature_of",
    "hashed_agent_key",
    "key_of",
    "levels_of_device",
    "levels_of_place",
    "network_of",
    "place_levels",
]


class Feature(IntEnum):
    """Stored in profiles: a number is never used again for another feature."""

    TOTAL = 0
    """Not a feature: how often any value of a chain was seen."""
    ADDRESS = 1
    NETWORK = 2
    ASN = 3
    COUNTRY = 4
    CITY = 5
    AGENT = 6
    BROWSER = 7
    SYSTEM = 8
    DEVICE = 9
    APP = 10
    ACTION = 11


class Chain(IntEnum):
    """What the totals count."""

    PLACES = 0
    """Events with an address."""
    COUNTRIES = 1
    """Events whose country is known."""
    AGENTS = 2
    """Events with a user agent."""
    DEVICES = 3
    """Events whose user agent was understood."""
    APPS = 4
    ACTIONS = 5


PLACE_FEATURES: Final = (
    Feature.COUNTRY,
    Feature.CITY,
    Feature.ASN,
    Feature.NETWORK,
    Feature.ADDRESS,
)
DEVICE_FEATURES: Final = (Feature.DEVICE, Feature.SYSTEM, Feature.BROWSER, Feature.AGENT)
CHAINS: Final = {chain: chain << 4 | Feature.TOTAL for chain in Chain}
"""The key of each total."""

_FEATURE_BITS: Final = 4
_FEATURE_MASK: Final = 15
_NARROW_BITS: Final = 28
"""Of values of which a profile knows few, and which are shown in clear elsewhere."""
_WIDEST: Final = (1 << 56) - 1
"""Bits of addresses and user agents, which an attacker can choose freely."""
_IPV4_PREFIX: Final = 24
_IPV6_PREFIX: Final = 48


class Levels(NamedTuple):
    """A chain as one event has it, coarsest level first."""

    levels: tuple["Level", ...]
    keys: tuple[int, ...]
    """Of the totals that such an event counts in, and of the levels."""


NOTHING: Final = Levels((), ())


class Level(NamedTuple):
    """One level of a chain as one event has it."""

    feature: Feature
    key: int
    parent: int
    """Key of the next coarser level, or of the chain's total."""


def key_of(feature: Feature, value: int) -> int:
    """The key of a value that is a number."""
    return (value & _WIDEST) << _FEATURE_BITS | feature


def feature_of(key: int) -> int:
    """The feature of a key."""
    return key & _FEATURE_MASK


@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """The /24 or /48 that an address lies in."""
    prefix = _IPV6_PREFIX if ":" in address else _IPV4_PREFIX
    return str(ip_network((address, prefix), strict=False))


def place_levels(facts: Facts) -> Levels:
    """The place that an event tells of; nothing without an address."""
    if not facts.ip:
        return NOTHING
    return levels_of_place(facts.ip, facts.country, facts.city, facts.asn)


def device_levels(facts: Facts) -> Levels:
    """The device that an event tells of; nothing without a user agent."""
    if not facts.user_agent:
        return NOTHING
    return levels_of_device(facts.user_agent, facts.device, facts.system, facts.browser)


@lru_cache(maxsize=16_384)
def levels_of_place(address: str, country: str | None, city: str | None, asn: int | None) -> Levels:
    """The levels of a place; what is not known of it is left out."""
    levels = []
    parent = CHAINS[Chain.PLACES]
    if country:
        parent = _narrow(Feature.COUNTRY, country)
        levels.append(Level(Feature.COUNTRY, parent, CHAINS[Chain.COUNTRIES]))
        if city:
            key = _narrow(Feature.CITY, f"{country}/{city}")
            levels.append(Level(Feature.CITY, key, parent))
    if asn is not None:
        key = key_of(Feature.ASN, asn)
        levels.append(Level(Feature.ASN, key, parent))
        parent = key
    network = _network_key(address)
    levels.append(Level(Feature.NETWORK, network, parent))
    levels.append(Level(Feature.ADDRESS, _wide(Feature.ADDRESS, _hash(address)), network))
    return _with_totals(levels, CHAINS[Chain.PLACES])


@lru_cache(maxsize=4096)
def levels_of_device(
    user_agent: str, device: str | None, system: str | None, browser: str | None
) -> Levels:
    """The levels of a device; what was not understood of its user agent is left out."""
    levels, parent, known = [], CHAINS[Chain.DEVICES], ""
    for feature, value in (
        (Feature.DEVICE, device),
        (Feature.SYSTEM, system),
        (Feature.BROWSER, browser),
    ):
        if value:
            known = f"{known}/{value}"
            key = _narrow(feature, known)
            levels.append(Level(feature, key, parent))
            parent = key
    if not levels:
        parent = CHAINS[Chain.AGENTS]
    levels.append(Level(Feature.AGENT, _wide(Feature.AGENT, _hash(user_agent)), parent))
    return _with_totals(levels, CHAINS[Chain.AGENTS])


def _with_totals(levels: list[Level], total: int) -> Levels:
    """The chain's own total, and that of what only a lookup tells, where it did."""
    other = {levels[0].parent} - {total}
    return Levels(tuple(levels), (total, *other, *(level.key for level in levels)))


def hashed_agent_key(hexadecimal: str) -> int:
    """The key of a user agent of which only the hash is left, as former profiles have it."""
    return _wide(Feature.AGENT, int(hexadecimal, 16))


def _network_key(address: str) -> int:
    try:
        ip_address(address)
    except ValueError:
        return _wide(Feature.NETWORK, _hash(address))
    return _wide(Feature.NETWORK, _hash(network_of(address)))


def _narrow(feature: Feature, text: str) -> int:
    return key_of(feature, _hash(text) & ((1 << _NARROW_BITS) - 1))


def _wide(feature: Feature, number: int) -> int:
    return key_of(feature, number)


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
