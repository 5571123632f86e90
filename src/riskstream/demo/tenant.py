"""Who and what a simulated OneLogin tenant is made of: people, apps, roles, systems, clients.

Everything follows from the seed. Addresses come from the ranges that RFC 5737 and RFC 3849
reserve for documentation, names and mail addresses from example.com.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["ACCOUNT_ID", "ApiClient", "App", "Named", "Person", "Tenant"]

ACCOUNT_ID: Final = 1234
"""OneLogin's number of the simulated account."""

FIRST_USER_ID: Final = 10_000
"""User 17 has the id 10017."""

LEAVERS: Final = 1_000
"""Accounts of people who have left; their numbers follow those of the users."""

ADMIN_SHARE: Final = 25
"""One administrator in so many people."""

OFFICE_ADDRESSES: Final = tuple(f"192.0.2.{host}" for host in range(10, 18))
"""Outgoing addresses of the offices; many people share them."""

_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
DESKTOPS: Final = (
    f"{_WINDOWS} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36",
    f"{_WINDOWS} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    f"{_MAC} {_APPLE} Version/18.6 Safari/605.1.15",
    f"{_MAC} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
PHONES: Final = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_APPLE} Version/18.6 Mobile/15E148",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
)
ATTACKER_AGENTS: Final = (
    "python-requests/2.32.5",
    "Mozilla/5.0 (Windows NT 6.1; rv:109.0) Gecko/20100101 Firefox/115.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36",
)


@dataclass(frozen=True, slots=True)
class Named:
    """A thing with an id and a name: a role, a group, a policy, a directory."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class App(Named):
    """An application that people open or that accounts are provisioned to."""


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API credential."""

    id: str
    """64 hex digits, as in real events."""
    name: str
    owner: int
    """Number that stands for it among the owners of events; negative, so that no user has it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One user of the tenant."""

    number: int
    id: int
    name: str
    login: str
    role: Named
    group: Named
    factor: Named
    addresses: tuple[str, ...]
    """Where this person signs in from; the first is the usual one."""
    agents: tuple[str, ...]
    """User agents: a desktop browser and, for most, a phone."""
    admin: bool


class Tenant:
    """The cast. People are made when they are first asked for, so that large tenants cost nothing.

    Args:
        seed: Same seed, same people.
        size: How many users there are.
    """

    def __init__(self, seed: int, size: int) -> None:
        self.seed = seed
        self.size = size
        self.roles = _named(712_580, "Default", "Engineering", "Finance", "Büro", "Support")
        self.groups = _named(509_310, "Staff", "Contractors", "Administrators")
        self.policies = _named(379_260, "Default policy", "Office network", "Strict MFA")
        self.directories = _named(61_400, "corp.example.com", "ldap.example.com")
        self.factors = _named(18_013_180, "OneLogin Protect", "OneLogin Email", "Duo Security")
        self.privileges = _named(82_000, "Super user", "Manage users", "Help desk")
        self.mappings = _named(5_500, "Engineering by department", "Contractors by title")
        self.apps = tuple(
            App(900_100 + index, name)
            for index, name in enumerate(
                (
                    "Mail",
                    "Wiki",
                    "Tickets",
                    "Payroll",
                    "Source Control",
                    "Video Calls",
                    "Expenses",
                    "Data Warehouse",
                    "VPN Portal",
                    "Learning",
                )
            )
        )
        self.clients = tuple(
            ApiClient(hashlib.sha256(f"{seed}:{name}".encode()).hexdigest(), name, -100 - index)
            for index, name in enumerate(("hr-sync", "helpdesk-bot", "reporting"))
        )
        self._people: dict[int, Person] = {}

    @property
    def admin_numbers(self) -> range:
        """Numbers of the administrators."""
        return range(1, self.size + 1, ADMIN_SHARE)

    def person(self, number: int) -> Person:
        """User ``number``, from 1 to ``size``."""
        known = self._people.get(number)
        if known is None:
            known = self._people[number] = self._make(number)
        return known

    def anyone(self, rng: random.Random) -> Person:
        """Any user; some are at it more often than others."""
        return self.person(1 + int(self.size * rng.random() ** 1.3))

    def admin(self, rng: random.Random) -> Person:
        """Any administrator."""
        return self.person(rng.choice(self.admin_numbers))

    def bystander(self, rng: random.Random) -> Person:
        """Any user who is no administrator."""
        while True:
            person = self.anyone(rng)
            if not person.admin:
                return person

    def leaver(self, rng: random.Random) -> Person:
        """Somebody whose account is still there and who does nothing any more."""
        return self.person(self.size + 1 + rng.randrange(LEAVERS))

    def _make(self, number: int) -> Person:
        # A simulation needs repeatable draws, not secret ones.
        rng = random.Random(f"{self.seed}:person:{number}")  # noqa: S311
        office = rng.choice(OFFICE_ADDRESSES)
        home = f"198.51.100.{rng.randrange(1, 255)}"
        mobile = f"2001:db8:{number:x}::{rng.randrange(1, 0xFFFF):x}"
        addresses = (office, home, mobile) if rng.random() < 0.6 else (home, mobile)  # noqa: PLR2004
        agents: Sequence[str] = (rng.choice(DESKTOPS), rng.choice(PHONES))
        admin = number in self.admin_numbers
        return Person(
            number=number,
            id=FIRST_USER_ID + number,
            name=f"User {number}",
            login=f"user-{number:04d}@example.com",
            role=rng.choice(self.roles),
            group=self.groups[-1] if admin else rng.choice(self.groups[:-1]),
            factor=rng.choice(self.factors),
            addresses=addresses,
            agents=tuple(agents),
            admin=admin,
        )


def _named(first_id: int, *names: str) -> tuple[Named, ...]:
    return tuple(Named(first_id + index, name) for index, name in enumerate(names))
