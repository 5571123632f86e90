"""What people do all day: sign in, open apps, mistype a password, change their own settings.

Every activity takes the tenant, the draws and its first moment, and returns its events in order
of time.
"""

import random
import uuid
from collections.abc import Callable

from riskstream.demo.tenant import App, Person, Tenant
from riskstream.demo.tenant_event import (
    EventType,
    Fields,
    Place,
    TenantEvent,
    about,
    about_app,
    about_user,
    by_system,
    by_user,
    from_place,
    notes,
)

__all__ = [
    "EVERYDAY",
    "SECOND",
    "Activity",
    "chance",
    "desk",
    "login_notes",
    "open_app",
    "otp_accepted",
    "sign_in",
    "sign_in_with_otp",
    "usual_place",
    "vendor_risk",
    "wrong_password",
]

SECOND = 1000

Activity = Callable[[Tenant, random.Random, int], list[TenantEvent]]
"""(tenant, draws, first moment in epoch milliseconds) to events in order of time."""

SELF_SERVICE: tuple[EventType, ...] = (
    "PROFILE_SETTINGS_UPDATE_LOCALE",
    "PROFILE_SETTINGS_UPDATE_DEFAULT_TAB",
    "PROFILE_DEVICES_RENAME_DEVICE",
    "PROFILE_PICTURE_UPLOADED",
    "USER_AGREED_TERMS",
    "USER_UPDATED_PHONE_NUMBER",
    "USER_DOWNLOADED_CERT",
    "USER_CREATED_NOTE",
)
SELF_SERVICE_APPS: tuple[EventType, ...] = (
    "USER_REQUESTED_APP",
    "USER_LOGGED_OUT_OF_APP",
    "USER_UNAUTHORIZED_APP_ACCESS",
)
OTHER_SIGN_INS: tuple[EventType, ...] = (
    "ONELOGIN_DESKTOP_LOGIN_SUCCESS",
    "ONELOGIN_DESKTOP_MAC_LOGIN_SUCCESS",
    "USER_AUTHENTICATED_BY_RADIUS",
    "VLDAP_BIND_SUCCESS",
    "USER_SUCCEEDED_PROXY_LOGIN",
    "SOCIAL_SIGN_IN",
    "USER_REAUTH_SUCCESS",
)


def chance(rng: random.Random, share: float) -> bool:
    """Whether something that happens in this share of cases happens now."""
    return rng.random() < share


def usual_place(person: Person, rng: random.Random) -> Place:
    """One of the places and devices that this person always uses."""
    if chance(rng, 0.8):
        return Place(person.addresses[0], person.agents[0])
    return Place(person.addresses[-1], person.agents[-1])


def desk(person: Person) -> Place:
    """The usual address and the desktop browser."""
    return Place(person.addresses[0], person.agents[0])


def login_notes(rng: random.Random) -> Fields:
    """The notes of a successful login, in one of the forms that OneLogin writes."""
    if chance(rng, 0.5):
        return notes("Authentication method: password + OTP.")
    return notes(
        "Authentication method: Login App.\n"
        "Transitions: username -> password -> mfa_login\n"
        f"Correlation_id: {uuid.UUID(int=rng.getrandbits(128))}"
    )


def wrong_password() -> Fields:
    """The notes of a login that failed at the password."""
    return notes("Authentication method: password (invalid password).")


def otp_accepted(factor: str) -> Fields:
    """The notes of a one-time password that was right."""
    return notes(f"Authentication method: OTP (Valid OTP). Factor name: {factor}")


def vendor_risk(score: int, place: Place, *reasons: str) -> Fields:
    """Fields of an event that SmartFactor scored; each reason carries an equal share."""
    told = reasons or (f"Infrequent access from {place.ip}",)
    return {
        "risk_score": score,
        "risk_reasons": "\n".join(f"{reason} ({100 // len(told)}%)" for reason in told),
    }


def sign_in(rng: random.Random, at_ms: int, person: Person, place: Place) -> list[TenantEvent]:
    """A login; now and then with SmartFactor's score."""
    scored = vendor_risk(rng.randrange(18), place) if chance(rng, 0.1) else {}
    return [
        by_user(
            at_ms,
            "USER_LOGGED_INTO_ONELOGIN",
            person,
            from_place(place),
            login_notes(rng),
            scored,
        )
    ]


def sign_in_with_otp(
    rng: random.Random, at_ms: int, person: Person, place: Place
) -> list[TenantEvent]:
    """Challenge, one-time password and login."""
    there, factor = from_place(place), about("otp_device", person.factor)
    answered_ms = at_ms + rng.randrange(5, 20) * SECOND
    return [
        by_user(at_ms, "USER_LOGIN_CHALLENGE", person, there, factor),
        by_user(
            answered_ms,
            "USER_VERIFIED_OTP_DEVICE",
            person,
            there,
            factor,
            otp_accepted(person.factor.name),
        ),
        *sign_in(rng, answered_ms + SECOND, person, place),
    ]


def open_app(rng: random.Random, at_ms: int, person: Person, place: Place, app: App) -> TenantEvent:
    """One sign-on to an app; now and then it fails."""
    kind = "USER_FAILED_APP_LOGIN" if chance(rng, 0.01) else "USER_LOGGED_INTO_APP"
    how = notes("Initiated by OneLogin via SAML")
    return by_user(at_ms, kind, person, from_place(place), about_app(app), how)


def session(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """A sign-in, some apps, and for the tidy a logout."""
    person = tenant.anyone(rng)
    place = usual_place(person, rng)
    at_ms = start_ms
    events: list[TenantEvent] = []
    if chance(rng, 0.08):
        events += _mistyped(person, place, [at_ms])
        at_ms += rng.randrange(8, 40) * SECOND
    way_in = sign_in_with_otp if chance(rng, 0.5) else sign_in
    events += way_in(rng, at_ms, person, place)
    at_ms = events[-1].at_ms
    for _ in range(rng.randrange(1, 7)):
        at_ms += rng.randrange(3, 1800) * SECOND
        events.append(open_app(rng, at_ms, person, place, rng.choice(tenant.apps)))
    if chance(rng, 0.15):
        at_ms += rng.randrange(60, 3600) * SECOND
        events.append(by_user(at_ms, "USER_LOGGED_OUT_OF_ONELOGIN", person, from_place(place)))
    return events


def forgotten_password(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """Three wrong tries on the usual device, a new password, then in."""
    person = tenant.bystander(rng)
    place = desk(person)
    events = _mistyped(person, place, [start_ms + index * 20 * SECOND for index in range(3)])
    asked_ms = events[-1].at_ms + 40 * SECOND
    changed_ms = asked_ms + 180 * SECOND
    return [
        *events,
        by_user(asked_ms, "USER_REQUESTED_NEW_PASSWORD", person, from_place(place)),
        by_user(changed_ms, "USER_CHANGED_PASSWORD", person, from_place(place)),
        *sign_in(rng, changed_ms + 30 * SECOND, person, place),
    ]


def phone_with_old_password(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """A mail client on a phone tries a password that was changed, once in a quarter of an hour."""
    person = tenant.bystander(rng)
    place = Place(person.addresses[-1], person.agents[-1])
    moments = [start_ms + index * 900 * SECOND for index in range(rng.randrange(2, 5))]
    return _mistyped(person, place, moments)


def other_sign_ins(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """Ways into the tenant that are not the browser's login page."""
    person = tenant.anyone(rng)
    kind = rng.choice(OTHER_SIGN_INS)
    return [by_user(start_ms, kind, person, from_place(usual_place(person, rng)))]


def self_service(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """Somebody tends the own profile or asks for an app."""
    person = tenant.anyone(rng)
    there = from_place(usual_place(person, rng))
    if chance(rng, 0.3):
        app = about_app(rng.choice(tenant.apps))
        return [by_user(start_ms, rng.choice(SELF_SERVICE_APPS), person, there, app)]
    return [by_user(start_ms, rng.choice(SELF_SERVICE), person, there)]


def notice(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """The service tells somebody something."""
    person = tenant.anyone(rng)
    told = about_user(person)
    return [by_system(start_ms, "NOTIFICATION_WAS_SENT", "", person.number, told)]


EVERYDAY: tuple[tuple[Activity, float], ...] = (
    (session, 48.0),
    (other_sign_ins, 9.0),
    (self_service, 8.0),
    (forgotten_password, 0.8),
    (phone_with_old_password, 0.4),
    (notice, 3.0),
)
"""Activities of people, with their weights among all activities."""


def _mistyped(person: Person, place: Place, moments: list[int]) -> list[TenantEvent]:
    there, why = from_place(place), wrong_password()
    return [by_user(at_ms, "USER_FAILED_ONELOGIN_LOGIN", person, there, why) for at_ms in moments]
