"""What administrators, API clients and directories do besides."""

import random
from collections.abc import Sequence
from typing import Final

from evaluation.happening import (
    DAY_MS,
    FIRST_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Happening,
    Label,
    Unit,
)
from evaluation.life.company import Company, Member
from evaluation.life.routine import Routine
from evaluation.life.signin import Session
from evaluation.life.storms import Storm, StormKind
from evaluation.world.internet import DATA_CENTRE
from riskstream.demo.tenant import Person
from riskstream.demo.tenant_event import (
    EventType,
    Place,
    TenantEvent,
    about,
    about_user,
    by_client,
    by_system,
    by_user,
    from_place,
)

__all__ = ["Backoffice"]

SENSITIVE: Final[tuple[tuple[EventType, float], ...]] = (
    ("ADMIN_CHANGED_USER_PASSWORD", 0.30),
    ("USER_REMOVED_OTP_DEVICE", 0.10),
    ("TEMP_OTP_TOKEN_GENERATED", 0.08),
    ("PRIVILEGE_GRANTED_TO_USER", 0.02),
    ("USER_ASSUMED_USER", 0.03),
    ("CERTIFICATE_CREATED", 0.02),
    ("API_CREDENTIAL_CREATED", 0.005),
)
"""What an administrator does now and then, with the mean number in a session."""
ORDINARY_WORK: Final[tuple[EventType, ...]] = (
    "UPDATED_USER",
    "UPDATED_USER",
    "CREATED_USER",
    "ACTIVATED_USER",
    "USER_MANUALLY_ADDED_TO_ROLE",
    "USER_MANUALLY_REMOVED_FROM_ROLE",
)
BY_CLIENT: Final[tuple[EventType, ...]] = ("API_INDEX_ACTION", "API_SHOW_ACTION", "API_UPDATE_USER")
SYNCED: Final[tuple[EventType, ...]] = ("UPDATED_USER", "USER_MAPPINGS_SUCCEEDED")


class Backoffice:
    """Everything of one day that is not somebody signing in."""

    def __init__(self, company: Company, seed: int, storm: Storm) -> None:
        self._company = company
        self._storm = storm
        self._rng = random.Random(f"{seed}:backoffice")
        self._units = 900_000_000

    def day(self, day: int, routines: Sequence[Routine]) -> list[Happening]:
        """Of this day, in no order; the routines have lived it already."""
        found = self._unlocks(day, routines)
        for routine in routines:
            if routine.member.admin:
                for session in routine.sessions:
                    found += self._administration(routine.member, session)
        found += self._clients(day)
        return found + self._directory(day)

    def _administration(self, admin: Member, session: Session) -> list[Happening]:
        rng, found = self._rng, []
        place = from_place(Place(session.spot.address, session.agent))
        kinds = [rng.choice(ORDINARY_WORK) for _ in range(rng.randrange(0, 7))]
        kinds += [kind for kind, mean in SENSITIVE if rng.random() < mean]
        for kind in kinds:
            at_ms = session.at_ms + rng.randrange(60, 3 * 3600) * SECOND_MS
            about_whom = about_user(self._somebody())
            event = by_user(at_ms, kind, admin.account, place, about_whom)
            found.append(self._unit(event, admin.number, kind in ORDINARY_WORK))
        return found

    def _unlocks(self, day: int, routines: Sequence[Routine]) -> list[Happening]:
        """The help desk opens half of what was locked; the rest waits until it runs out."""
        found = []
        for routine in routines:
            for at_ms in routine.locked_at:
                if self._rng.random() < 0.5:
                    admin = self._rng.choice(self._company.admins)
                    whom = about_user(routine.member.account)
                    place = Place(admin.office.address(0), admin.laptop.agent(day))
                    later = at_ms + self._rng.randrange(5, 28) * MINUTE_MS
                    event = by_user(later, "UNLOCKED_USER", admin.account, from_place(place), whom)
                    found.append(Happening(event, Label(owner=admin.number)))
        return found

    def _clients(self, day: int) -> list[Happening]:
        found = []
        for number, client in enumerate(self._company.tenant.clients):
            place = from_place(Place(DATA_CENTRE.address(10 + number), ""))
            for hour in (3, 11, 19):
                at_ms = self._moment(day, hour, 50)
                kind = BY_CLIENT[number % len(BY_CLIENT)]
                event = by_client(at_ms, kind, client, place, about_user(self._somebody()))
                found.append(Happening(event))
        return found

    def _directory(self, day: int) -> list[Happening]:
        """A few changes each night; in a storm every user, from the early morning on."""
        if self._storm.on(StormKind.DIRECTORY_SYNC, day):
            passes = 2 if day % 7 in (0, 3) else 1
            whom = [member.account for member in self._company.members] * passes
            pace = 250
        else:
            whom, pace = [self._somebody() for _ in range(4)], 9_000
        directory = about("directory", self._company.tenant.directories[0])
        at_ms = self._moment(day, 5, 2)
        found = []
        for account in whom:
            for kind in SYNCED:
                event = by_system(
                    at_ms, kind, "Active Directory", -50, about_user(account), directory
                )
                found.append(Happening(event))
                at_ms += pace
        return found

    def _unit(self, event: TenantEvent, owner: int, ordinary: bool) -> Happening:
        if ordinary:
            return Happening(event, Label(owner=owner))
        self._units += 1
        return Happening(event, Label(Unit.ACTION, self._units, owner))

    def _somebody(self) -> Person:
        return self._rng.choice(self._company.members).account

    def _moment(self, day: int, hour: int, minutes: int) -> int:
        start = FIRST_MS + day * DAY_MS + hour * HOUR_MS
        return start + self._rng.randrange(minutes * 60) * SECOND_MS
