"""One simulated event, before it takes the shape of a delivery channel.

An event is put together from parts: who did it, to whom, from where, about what.
"""

from dataclasses import dataclass, field

from riskstream.demo.tenant import ApiClient, App, Named, Person

__all__ = [
    "EventType",
    "Fields",
    "Place",
    "TenantEvent",
    "about",
    "about_app",
    "about_user",
    "by_client",
    "by_system",
    "by_user",
    "from_place",
    "notes",
]

EventType = str | int
"""OneLogin's constant (``USER_LOCKED``), or a bare number for a type that no list has."""

Value = str | int | None
Fields = dict[str, Value]
"""Fields under OneLogin's own names, of the broadcaster's wider set."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request came from."""

    ip: str
    agent: str


@dataclass(frozen=True, slots=True)
class TenantEvent:
    """What happened."""

    at_ms: int
    """Epoch milliseconds."""
    type: EventType
    owner: int
    """Number of the user whose behaviour it is, or a number of its own for each system and client.

    Everything of one owner is delivered by one channel, so that it keeps its order.
    """
    fields: Fields = field(default_factory=dict)


def by_user(at_ms: int, kind: EventType, actor: Person, *parts: Fields) -> TenantEvent:
    """A user did it, to the own account unless a part names another."""
    fields: Fields = about_user(actor) | {
        "actor_user_id": actor.id,
        "actor_user_name": actor.name,
        "actor_system": "",
    }
    return TenantEvent(at_ms, kind, actor.number, _joined(fields, parts))


def by_system(at_ms: int, kind: EventType, system: str, owner: int, *parts: Fields) -> TenantEvent:
    """A part of OneLogin did it: ``Mapping``, ``Provisioning``, or "" for the service itself."""
    fields: Fields = {"actor_system": system, "actor_user_name": system or "OneLogin"}
    return TenantEvent(at_ms, kind, owner, _joined(fields, parts))


def by_client(at_ms: int, kind: EventType, client: ApiClient, *parts: Fields) -> TenantEvent:
    """An API credential did it."""
    fields: Fields = {
        "actor_system": "API",
        "actor_user_name": "API",
        "client_id": client.id,
        "api_credential_name": client.name,
    }
    return TenantEvent(at_ms, kind, client.owner, _joined(fields, parts))


def from_place(place: Place) -> Fields:
    """It came from there."""
    return {"ipaddr": place.ip, "user_agent": place.agent}


def about_user(person: Person) -> Fields:
    """It was done to this user."""
    return {"user_id": person.id, "user_name": person.name, "login_name": person.login}


def about_app(app: App) -> Fields:
    """It was done in or to this app."""
    return {"app_id": app.id, "app_name": app.name}


def about(kind: str, thing: Named) -> Fields:
    """It was about this role, group, mapping, privilege, directory or the like."""
    return {f"{kind}_id": thing.id, f"{kind}_name": thing.name}


def notes(text: str) -> Fields:
    """OneLogin's free text; the only place that says how a login went."""
    return {"notes": text}


def _joined(fields: Fields, parts: tuple[Fields, ...]) -> Fields:
    for part in parts:
        fields |= part
    return fields
