"""Who has which addresses: providers with an autonomous system each, and where their networks are.

Every address is from the ranges reserved for documentation. 2001:db8::/32 is cut into /48s, the
networks; a provider has 256 of them, in contiguous parts for its cities. 192.0.2.0/24 are the
offices, 198.51.100.0/24 what a storm brings (a VPN, a new office), 203.0.113.0/24 a data centre.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from evaluation.world.geography import CITIES_BY_COUNTRY, COUNTRIES, City

__all__ = [
    "DATA_CENTRE",
    "NEW_OFFICE",
    "OFFICES",
    "PROVIDERS",
    "ROLLED_OUT_VPN",
    "Fixed",
    "Location",
    "NetKind",
    "Provider",
    "host_in",
    "locate",
    "networks",
    "providers",
]

NETWORKS: Final = 256
"""/48s per provider."""
FIRST_ASN: Final = 64_512
"""The first of those for private use (RFC 6996)."""


class NetKind(StrEnum):
    """What a provider sells."""

    BROADBAND = "broadband"
    MOBILE = "mobile"
    BUSINESS = "business"
    HOSTING = "hosting"
    VPN = "vpn"


@dataclass(frozen=True, slots=True)
class Provider:
    """An autonomous system."""

    asn: int
    name: str
    kind: NetKind
    block: int
    """Its networks are ``block * 256`` to ``block * 256 + 255``."""
    cities: tuple[City, ...]
    """A power of two of them; each has an equal share of the networks."""

    def networks_in(self, city: City) -> range:
        """Its networks there."""
        share = NETWORKS // len(self.cities)
        start = self.block * NETWORKS + self.cities.index(city) * share
        return range(start, start + share)

    def city_of(self, network: int) -> City:
        """Where one of its networks is."""
        return self.cities[network % NETWORKS * len(self.cities) // NETWORKS]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A range of IPv4 addresses at one place."""

    prefix: str
    """The first three numbers."""
    hosts: range
    city: City
    asn: int
    name: str
    kind: NetKind

    def address(self, number: int) -> str:
        """One of its addresses."""
        return f"{self.prefix}.{self.hosts[1 + number % (len(self.hosts) - 2)]}"


@dataclass(frozen=True, slots=True)
class Location:
    """What is known of an address."""

    city: City
    asn: int
    provider: str
    kind: NetKind


_IN_EACH_COUNTRY: Final = (
    *(NetKind.BROADBAND,) * 8,
    *(NetKind.MOBILE,) * 2,
    NetKind.BUSINESS,
    NetKind.HOSTING,
)
VPN_PROVIDERS: Final = 8


def _all_providers() -> Iterator[Provider]:
    block = 1
    for country in COUNTRIES:
        for number, kind in enumerate(_IN_EACH_COUNTRY):
            name = f"{country} {kind.value} {number}"
            yield Provider(FIRST_ASN + block, name, kind, block, CITIES_BY_COUNTRY[country])
            block += 1
    exits = tuple(CITIES_BY_COUNTRY[country][0] for country in COUNTRIES[:8])
    for number in range(VPN_PROVIDERS):
        yield Provider(FIRST_ASN + block, f"VPN {number}", NetKind.VPN, block, exits)
        block += 1


PROVIDERS: Final = tuple(_all_providers())
_BY_BLOCK: Final = {provider.block: provider for provider in PROVIDERS}

OFFICES: Final = tuple(
    Fixed(
        "192.0.2",
        range(64 * number, 64 * (number + 1)),
        CITIES_BY_COUNTRY[country][place],
        FIRST_ASN + 300 + number,
        f"Office line {number}",
        NetKind.BUSINESS,
    )
    for number, (country, place) in enumerate((("XA", 0), ("XA", 1), ("XB", 0), ("XC", 0)))
)
ROLLED_OUT_VPN: Final = Fixed(
    "198.51.100",
    range(128),
    CITIES_BY_COUNTRY["XD"][0],
    FIRST_ASN + 310,
    "Company VPN",
    NetKind.HOSTING,
)
NEW_OFFICE: Final = Fixed(
    "198.51.100",
    range(128, 256),
    CITIES_BY_COUNTRY["XA"][3],
    FIRST_ASN + 311,
    "New office line",
    NetKind.BUSINESS,
)
DATA_CENTRE: Final = Fixed(
    "203.0.113",
    range(256),
    CITIES_BY_COUNTRY["XA"][0],
    FIRST_ASN + 320,
    "Data centre",
    NetKind.HOSTING,
)
_FIXED: Final = (*OFFICES, ROLLED_OUT_VPN, NEW_OFFICE, DATA_CENTRE)


@lru_cache(maxsize=256)
def providers(kind: NetKind, country: str | None = None) -> tuple[Provider, ...]:
    """All of a kind; with a country those that are in it."""
    return tuple(
        provider
        for provider in PROVIDERS
        if provider.kind is kind
        and (country is None or any(city.country == country for city in provider.cities))
    )


def host_in(network: int, rng: random.Random) -> str:
    """An address in a network, in the spelling that ``ipaddress`` gives it."""
    subnet, host = rng.randrange(1, 256), rng.randrange(1, 65_536)
    return f"2001:db8:{network:x}:{subnet:x}::{host:x}"


@lru_cache(maxsize=65_536)
def locate(address: str) -> Location | None:
    """What is known of an address; None where it is none of ours."""
    if address.startswith("2001:db8:"):
        network = int(address.split(":")[2] or "0", 16)
        provider = _BY_BLOCK.get(network // NETWORKS)
        if provider is None:
            return None
        return Location(provider.city_of(network), provider.asn, provider.name, provider.kind)
    prefix, _, host = address.rpartition(".")
    for fixed in _FIXED:
        if fixed.prefix == prefix and host.isdigit() and int(host) in fixed.hosts:
            return Location(fixed.city, fixed.asn, fixed.name, fixed.kind)
    return None


def networks() -> Iterator[tuple[str, Location]]:
    """All of it as CIDR blocks, for a database file."""
    for provider in PROVIDERS:
        share = NETWORKS // len(provider.cities)
        length = 48 - (share.bit_length() - 1)
        for city in provider.cities:
            first = provider.networks_in(city)[0]
            where = Location(city, provider.asn, provider.name, provider.kind)
            yield f"2001:db8:{first:x}::/{length}", where
    for fixed in _FIXED:
        length = 32 - (len(fixed.hosts).bit_length() - 1)
        where = Location(fixed.city, fixed.asn, fixed.name, fixed.kind)
        yield f"{fixed.prefix}.{fixed.hosts[0]}/{length}", where
