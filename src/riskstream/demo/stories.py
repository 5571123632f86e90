"""What should be noticed: short stories woven into every day.

A story first gives its victim some ordinary sign-ins, so that there is a usual place to differ
from, and begins in earnest ``lead_ms`` later.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from riskstream.demo.backoffice import CLIENT_PLACE
from riskstream.demo.everyday import (
    SECOND,
    desk,
    login_notes,
    open_app,
    otp_accepted,
    sign_in,
    sign_in_with_otp,
    vendor_risk,
    wrong_password,
)
from riskstream.demo.tenant import ATTACKER_AGENTS, Person, Tenant
from riskstream.demo.tenant_event import (
    Place,
    TenantEvent,
    about,
    about_app,
    about_user,
    by_client,
    by_system,
    by_user,
    from_place,
    notes,
)

__all__ = ["STORIES", "UNLISTED_TYPES", "Story"]

UNLISTED_TYPES = (60_001, 60_002)
"""Event types that stand in no list, as OneLogin will add some day."""

HABIT_SIGN_INS = 5
"""Ordinary sign-ins of a victim before a story begins in earnest."""

Script = Callable[[Tenant, random.Random, int, int], Iterator[TenantEvent]]


@dataclass(frozen=True, slots=True)
class Story:
    """One story; ``script`` takes tenant, draws, first moment and lead, all times in ms."""

    name: str
    about: str
    script: Script

    def tell(
        self, tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
    ) -> list[TenantEvent]:
        """Its events in order of time."""
        return sorted(self.script(tenant, rng, start_ms, lead_ms), key=lambda event: event.at_ms)


def _foreign_place(rng: random.Random) -> Place:
    return Place(f"203.0.113.{rng.randrange(1, 255)}", rng.choice(ATTACKER_AGENTS))


def _habit(
    rng: random.Random, person: Person, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """Sign-ins from the usual place over the lead."""
    for index in range(HABIT_SIGN_INS):
        at_ms = start_ms + index * lead_ms // (HABIT_SIGN_INS + 1)
        yield from sign_in(rng, at_ms, person, desk(person))


def _guesses(
    rng: random.Random, person: Person, place: Place, start_ms: int, number: int
) -> list[TenantEvent]:
    """Wrong passwords from one place, some twenty to thirty seconds apart."""
    moments = [start_ms]
    while len(moments) < number:
        moments.append(moments[-1] + rng.randrange(18, 30) * SECOND)
    there, why = from_place(place), wrong_password()
    return [by_user(at_ms, "USER_FAILED_ONELOGIN_LOGIN", person, there, why) for at_ms in moments]


def guessing_ends_in_lockout(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """Ten wrong passwords, the lock, two more tries, and the help desk an hour later."""
    victim, place, admin = tenant.bystander(rng), _foreign_place(rng), tenant.admin(rng)
    yield from _habit(rng, victim, start_ms, lead_ms)
    guesses = _guesses(rng, victim, place, start_ms + lead_ms, 10)
    yield from guesses
    locked_ms = guesses[-1].at_ms + 2 * SECOND
    whom = about_user(victim)
    yield by_system(locked_ms, "USER_LOCKED", "", victim.number, whom, from_place(place))
    yield from _guesses(rng, victim, place, locked_ms + 20 * SECOND, 2)
    helped_ms = locked_ms + 3600 * SECOND
    yield by_user(helped_ms, "UNLOCKED_USER", admin, whom, from_place(desk(admin)))
    yield from sign_in_with_otp(rng, helped_ms + 120 * SECOND, victim, desk(victim))


def guessing_ends_in_success(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """Nine wrong passwords from a new address, the right one, then what an intruder opens."""
    victim, place = tenant.bystander(rng), _foreign_place(rng)
    yield from _habit(rng, victim, start_ms, lead_ms)
    guesses = _guesses(rng, victim, place, start_ms + lead_ms, 9)
    yield from guesses
    at_ms = guesses[-1].at_ms + 20 * SECOND
    there, how = from_place(place), notes("Authentication method: password")
    yield by_user(at_ms, "USER_LOGGED_INTO_ONELOGIN", victim, there, how)
    for app in tenant.apps[:3]:
        at_ms += 30 * SECOND
        yield open_app(rng, at_ms, victim, place, app)
    what = about_app(tenant.apps[3])
    yield by_user(at_ms + 40 * SECOND, "USER_REVEALED_PASSWORD", victim, there, what)


def push_fatigue(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """The password is known to somebody else; four pushes are refused, the fifth is not."""
    victim, place, app = tenant.bystander(rng), _foreign_place(rng), tenant.factors[0]
    there, factor = from_place(place), about("otp_device", app)
    yield from _habit(rng, victim, start_ms, lead_ms)
    at_ms = start_ms + lead_ms
    for _ in range(4):
        yield by_user(at_ms, "USER_LOGIN_CHALLENGE", victim, there, factor)
        at_ms += rng.randrange(12, 25) * SECOND
        yield by_user(at_ms, "OL_OTP_PUSH_REJECT", victim, there, factor)
        at_ms += rng.randrange(15, 40) * SECOND
    how = otp_accepted(app.name)
    yield by_user(at_ms, "USER_VERIFIED_OTP_DEVICE", victim, there, factor, how)
    yield by_user(at_ms + SECOND, "USER_LOGGED_INTO_ONELOGIN", victim, there, login_notes(rng))


def privilege_after_risky_login(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """An account that never administered anything is entered and makes a super user."""
    actor, place, accomplice = tenant.bystander(rng), _foreign_place(rng), tenant.bystander(rng)
    there = from_place(place)
    yield from _habit(rng, actor, start_ms, lead_ms)
    guesses = _guesses(rng, actor, place, start_ms + lead_ms, 5)
    yield from guesses
    inside_ms = guesses[-1].at_ms + 25 * SECOND
    scored = vendor_risk(
        72,
        place,
        f"Infrequent access from {place.ip}",
        "Accessed from a new IP address",
        "Low trust for session",
    )
    how = notes("Authentication method: password")
    yield by_user(inside_ms, "USER_LOGGED_INTO_ONELOGIN", actor, there, how, scored)
    granted_ms = inside_ms + 95 * SECOND
    whom, what = about_user(accomplice), about("privilege", tenant.privileges[0])
    yield by_user(granted_ms, "PRIVILEGE_GRANTED_TO_USER", actor, there, whom, what)


def lock_by_api(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """A client locks an account and unlocks it two hours later."""
    victim, client = tenant.bystander(rng), tenant.clients[1]
    whom, there = about_user(victim), from_place(CLIENT_PLACE)
    yield from _habit(rng, victim, start_ms, lead_ms)
    locked_ms = start_ms + lead_ms
    yield by_client(locked_ms, "API_LOCK_USER", client, whom, there)
    yield by_client(locked_ms + 7200 * SECOND, "UNLOCKED_USER_VIA_API", client, whom, there)


def mass_deletion(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """From a new address, an administrator's session deletes ten users within three minutes."""
    admin, there = tenant.admin(rng), from_place(_foreign_place(rng))
    yield from _habit(rng, admin, start_ms, lead_ms)
    for index in range(10):
        at_ms = start_ms + lead_ms + index * 17 * SECOND
        yield by_user(at_ms, "DELETED_USER", admin, there, about_user(tenant.leaver(rng)))


def unlisted_types(
    tenant: Tenant, rng: random.Random, start_ms: int, lead_ms: int
) -> Iterator[TenantEvent]:
    """Events of types that stand in no list."""
    for index, kind in enumerate(UNLISTED_TYPES * 2):
        person = tenant.anyone(rng)
        at_ms = start_ms + index * lead_ms // 4
        yield by_user(at_ms, kind, person, from_place(desk(person)), notes("Something new"))


STORIES = (
    Story("guessing_lockout", "password guessing that ends in a lockout", guessing_ends_in_lockout),
    Story("guessing_success", "password guessing that succeeds", guessing_ends_in_success),
    Story("push_fatigue", "push requests until one is accepted", push_fatigue),
    Story("privilege", "a privilege granted after a risky login", privilege_after_risky_login),
    Story("unlisted", "event types that stand in no list", unlisted_types),
    Story("api_lock", "an account locked by an API client", lock_by_api),
    Story("mass_deletion", "ten users deleted from a new address", mass_deletion),
)
"""Told once a day, in this order while the day's events last."""
