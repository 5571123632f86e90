"""The tenant's people and what does not change about them. Everything follows from the seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evaluation.world.browsers import Device, popular_device
from evaluation.world.geography import CITIES_BY_COUNTRY, City
from evaluation.world.internet import DATA_CENTRE, OFFICES, Fixed, NetKind, Provider, providers
from riskstream.demo.tenant import App, Person, Tenant

__all__ = ["Company", "Member", "Role"]


class Role(StrEnum):
    """How somebody works."""

    OFFICE = "office"
    HYBRID = "hybrid"
    REMOTE = "remote"
    FIELD = "field"
    """On the road one week in three."""
    OCCASIONAL = "occasional"
    """Signs in a few times a month: contractors, part-timers."""
    ADMIN = "admin"
    SERVICE = "service"
    """An account that a program signs in with."""


_ROLES: Final = (
    (Role.OFFICE, 34),
    (Role.HYBRID, 26),
    (Role.REMOTE, 13),
    (Role.FIELD, 9),
    (Role.OCCASIONAL, 12),
    (Role.ADMIN, 5),
    (Role.SERVICE, 1),
)
_DAYS_AT_OFFICE: Final = {Role.OFFICE: 0.85, Role.HYBRID: 0.45, Role.ADMIN: 0.6, Role.FIELD: 0.25}


@dataclass(frozen=True, slots=True)
class Member:
    """One account and how its owner is."""

    account: Person
    role: Role
    home: City
    office: Fixed
    at_office: float
    """Share of working days spent there."""
    broadband: Provider
    carrier: Provider
    laptop: Device
    second: Device
    """Another browser of the same laptop."""
    phone: Device | None
    vpn: Provider | None
    """A private VPN, where they have one."""
    starts_hour: float
    """Of the working day, local."""
    forgetful: float
    """Chance to mistype the password."""
    apps: tuple[App, ...]
    joins_day: int
    """First day of work; 0 for those who are there from the start."""

    @property
    def number(self) -> int:
        """Number of the account in the tenant."""
        return self.account.number

    @property
    def admin(self) -> bool:
        """Has administrator's rights."""
        return self.role is Role.ADMIN


class Company:
    """All of them.

    Args:
        seed: Same seed, same company.
        size: How many accounts.
        days: How long the simulation is; a fifth of the people joins in its course.
    """

    def __init__(self, seed: int, size: int, days: int) -> None:
        self.seed = seed
        self.days = days
        self.tenant = Tenant(seed, size)
        self.members = tuple(self._member(number) for number in range(1, size + 1))
        if not any(member.admin for member in self.members):
            raise ValueError(f"In a company of {size} nobody became an administrator.")
        self.admins = tuple(member for member in self.members if member.admin)

    def member(self, number: int) -> Member:
        """Member ``number``, from 1 on."""
        return self.members[number - 1]

    def _member(self, number: int) -> Member:
        rng = random.Random(f"{self.seed}:member:{number}")
        roles, weights = zip(*_ROLES, strict=True)
        # the first eight are one of each kind, so that a small company has them all
        role = roles[number - 1] if number <= len(roles) else rng.choices(roles, weights)[0]
        office = rng.choices(OFFICES, (45, 20, 20, 15))[0]
        home = office.city
        if rng.random() < 0.25:
            home = rng.choice(CITIES_BY_COUNTRY[home.country])
        laptop = popular_device(rng)
        second = Device(laptop.system, "firefox", rng.randrange(0, 12))
        phone = Device(rng.choice(("iphone", "android")), "phone", rng.randrange(0, 20))
        joins = rng.randrange(self.days) if rng.random() < 0.2 and number > len(roles) else 0
        if role is Role.SERVICE:
            office, joins = DATA_CENTRE, 0
        return Member(
            account=self.tenant.person(number),
            role=role,
            home=home,
            office=office,
            at_office=_DAYS_AT_OFFICE.get(role, 0.0),
            broadband=rng.choice(providers(NetKind.BROADBAND, home.country)),
            carrier=rng.choice(providers(NetKind.MOBILE, home.country)),
            laptop=laptop,
            second=second,
            phone=phone if rng.random() < 0.75 else None,
            vpn=rng.choice(providers(NetKind.VPN)) if rng.random() < 0.1 else None,
            starts_hour=rng.gauss(8.6, 0.8),
            forgetful=rng.choice((0.01, 0.03, 0.03, 0.06, 0.12)),
            apps=tuple(rng.sample(self.tenant.apps, rng.randrange(3, 8))),
            joins_day=joins,
        )
