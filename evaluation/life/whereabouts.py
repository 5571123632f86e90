"""Where somebody is from day to day, and with what: leases, trips, moves, new devices."""

import random
from dataclasses import dataclass
from typing import Final

from evaluation.happening import DAY_MS, FIRST_MS
from evaluation.life.company import Member, Role
from evaluation.world.browsers import Device, popular_device
from evaluation.world.geography import CITIES, CITIES_BY_COUNTRY, City
from evaluation.world.internet import NetKind, Provider, host_in, providers

__all__ = ["Spot", "Whereabouts"]

LEASE_DAYS: Final = 21
"""Mean time until a provider gives a home another address."""
MOVES: Final = 1 / 1100
"""Chance per day to move house; as often to change the provider alone."""
NEW_LAPTOP: Final = 1 / 900
NEW_PHONE: Final = 1 / 700
TRIPS: Final = {Role.FIELD: 1 / 9, Role.ADMIN: 1 / 90, Role.OFFICE: 1 / 110, Role.HYBRID: 1 / 80}
"""Chance per day to set out; others 1 / 120."""
HAUNTS: Final = 4
NEW_FOR_MS: Final = 14 * DAY_MS


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a session comes from."""

    address: str
    device: Device
    adopted_ms: int = 0
    """As in ``Label``."""


class Whereabouts:
    """One person's place and devices, changed day by day."""

    def __init__(self, member: Member, rng: random.Random) -> None:
        self._member = member
        self._rng = rng
        self.city = member.home
        self.broadband = member.broadband
        self.laptop, self.second, self.phone = member.laptop, member.second, member.phone
        self.new_phone = False
        """The factor has to be registered anew at the next login."""
        self.trip: City | None = None
        self._back_day = 0
        self._laptop_ms = self._home_ms = 0
        self.home_network, self.home = self._lease(same_network=None)
        self._lease_ends = self._draw_lease(0)
        self._hotel = ""
        self._haunts: list[str] = []

    def next_day(self, day: int) -> None:
        """What changes over night."""
        rng, member = self._rng, self._member
        if member.role is Role.SERVICE:
            return
        if self.trip is not None and day >= self._back_day:
            self.trip = None
        if day >= self._lease_ends:
            self.home_network, self.home = self._lease(self.home_network)
            self._lease_ends = self._draw_lease(day)
        self._rare_changes(day)
        if self.trip is None and rng.random() < TRIPS.get(member.role, 1 / 120):
            self.trip = self._destination()
            self._back_day = day + 1 + min(int(rng.expovariate(1 / 2.5)), 14)
            hotel = rng.choice(providers(NetKind.BROADBAND, self.trip.country))
            self._hotel = host_in(rng.choice(hotel.networks_in(self.trip)), rng)

    def at_home(self) -> str:
        """The address at home, or in the hotel."""
        return self.home if self.trip is None else self._hotel

    def on_mobile(self) -> str:
        """An address of the carrier's, another one each time. Abroad too it is the carrier's."""
        carrier = self._member.carrier
        return host_in(carrier.block * 256 + self._rng.randrange(24), self._rng)

    def elsewhere(self) -> str:
        """A café, a customer, relatives: one of a few such places, or a new one."""
        rng = self._rng
        if len(self._haunts) < HAUNTS or rng.random() < 0.3:
            city = rng.choice(CITIES_BY_COUNTRY[self.city.country])
            provider = rng.choice(providers(NetKind.BROADBAND, self.city.country))
            place = host_in(rng.choice(provider.networks_in(city)), rng)
            self._haunts = [*self._haunts[1 - HAUNTS :], place]
            return place
        return rng.choice(self._haunts)

    def through_vpn(self, vpn: Provider) -> str:
        """An exit of a VPN, mostly the nearest."""
        cities = vpn.cities
        city = cities[0] if self._rng.random() < 0.7 else self._rng.choice(cities)
        return host_in(vpn.networks_in(city)[self._rng.randrange(6)], self._rng)

    def adopted(self, at_ms: int, address: str, device: Device) -> int:
        """Since when this laptop or home is in use, while that is news."""
        since = self._laptop_ms if device == self.laptop else 0
        if address == self.home:
            since = max(since, self._home_ms)
        return since if since and at_ms - since < NEW_FOR_MS else 0

    def _rare_changes(self, day: int) -> None:
        rng, morning = self._rng, FIRST_MS + day * DAY_MS
        if rng.random() < MOVES:
            self.city = rng.choice(CITIES_BY_COUNTRY[self.city.country])
            self._new_home(day, morning)
        elif rng.random() < MOVES:
            self._new_home(day, morning)
        if rng.random() < NEW_LAPTOP:
            self.laptop, self._laptop_ms = popular_device(rng), morning
            self.second = Device(self.laptop.system, "firefox", rng.randrange(12))
        if self.phone is not None and rng.random() < NEW_PHONE:
            system = rng.choice((self.phone.system, "iphone", "android"))
            self.phone = Device(system, "phone", rng.randrange(20))
            self.new_phone = True

    def _new_home(self, day: int, morning: int) -> None:
        others = providers(NetKind.BROADBAND, self.city.country)
        self.broadband = self._rng.choice([each for each in others if each != self.broadband])
        self.home_network, self.home = self._lease(same_network=None)
        self._lease_ends = self._draw_lease(day)
        self._home_ms = morning

    def _lease(self, same_network: int | None) -> tuple[int, str]:
        network = same_network
        if network is None or self._rng.random() < 0.3:
            network = self._rng.choice(self.broadband.networks_in(self.city))
        return network, host_in(network, self._rng)

    def _draw_lease(self, day: int) -> int:
        return day + 1 + int(self._rng.expovariate(1 / LEASE_DAYS))

    def _destination(self) -> City:
        rng = self._rng
        if rng.random() < 0.6:
            return rng.choice(CITIES_BY_COUNTRY[self._member.home.country])
        return rng.choice(CITIES)
