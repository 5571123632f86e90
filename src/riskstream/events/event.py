"""The classified event: the public part that consumers see, and the facts that scoring reads.

``ingest`` encodes the public part once, without its raw text. ``assess`` never takes it apart:
it decodes the facts, appends risk, windows and raw, and writes the bytes on.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

from riskstream.events.context import UserContext
from riskstream.events.keys import MAX_KEY_CHARACTERS
from riskstream.events.text import MAX_CHARACTERS
from riskstream.events.times import LAST_MS
from riskstream.events.vocabulary import (
    Category,
    Change,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
)

__all__ = [
    "NO_RAW",
    "SCHEMA_VERSION",
    "Actor",
    "App",
    "Auth",
    "Classified",
    "Client",
    "Event",
    "EventTypeRef",
    "Facts",
    "Origin",
    "Source",
    "Target",
    "UserRef",
    "VendorRisk",
]

SCHEMA_VERSION = 1
"""Of every value we write. It changes only when an existing field changes its meaning."""


class EventTypeRef(Struct, frozen=True, omit_defaults=True):
    """``event_type`` of the wire."""

    id: int
    name: str
    title: str
    kind: str
    basis: str


class UserRef(Struct, frozen=True, omit_defaults=True):
    """A user; at least one of the two is there."""

    id: int | None = None
    name: str | None = None


class Actor(Struct, frozen=True, omit_defaults=True):
    """Who did it: a user, or a system by name."""

    id: int | None = None
    name: str | None = None
    system: str | None = None


class Client(Struct, frozen=True, omit_defaults=True):
    """The API credential that acted."""

    id: str
    name: str | None = None


class App(Struct, frozen=True, omit_defaults=True):
    """The application it is about."""

    id: int | None = None
    name: str | None = None


class Target(Struct, frozen=True, omit_defaults=True):
    """Anything else that the event is about: role, group, policy, privilege, directory."""

    type: str
    id: str | None = None
    name: str | None = None


class Auth(Struct, frozen=True, omit_defaults=True):
    """Authentication details, parsed from the notes."""

    method: str | None = None
    reason: str | None = None
    factor: str | None = None


class Source(Struct, frozen=True, omit_defaults=True):
    """Where it came from."""

    ip: str | None = None
    user_agent: str | None = None
    country: str | None = None
    """ISO 3166 code, by the operator's GeoIP file; so are city, asn and operator."""
    city: str | None = None
    asn: int | None = None
    operator: str | None = None
    device: str | None = None
    """``desktop``, ``mobile``, ``tablet`` or ``automated``, by the user agent."""
    system: str | None = None
    browser: str | None = None
    lists: tuple[str, ...] = ()
    """The operator's lists of networks that the address stands on."""


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Public part of a scored record, less ``risk``, ``windows`` and ``raw``."""

    schema_version: int
    id: str
    time: str
    received_time: str | None = None
    account_id: int
    subject: str
    category: Category
    event_type: EventTypeRef
    message: str
    outcome: EventOutcome
    resolution: int | None = None
    user: UserRef | None = None
    actor: Actor | None = None
    assumed_by: UserRef | None = None
    client: Client | None = None
    app: App | None = None
    targets: tuple[Target, ...] = ()
    auth: Auth | None = None
    error: str | None = None
    source: Source | None = None


Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""What is read of a classified record is bounded, as anyone may have written it: a larger number
fits no row."""
Time = Annotated[int, Meta(ge=0, le=LAST_MS)]
"""Epoch milliseconds, to the end of the year 9999."""
Key = Annotated[str, Meta(min_length=1, max_length=MAX_KEY_CHARACTERS)]
Text = Annotated[str, Meta(max_length=MAX_CHARACTERS)]


class Origin(Struct, frozen=True):
    """Where a classified record came from: raw topic, partition, offset, index in the record."""

    topic: Text
    partition: Number
    offset: Number
    member: Number


class VendorRisk(Struct, frozen=True, omit_defaults=True):
    """SmartFactor's own score, where the event carries one."""

    score: Annotated[int, Meta(ge=0, le=100)]
    reasons: tuple[Text, ...] = ()


class Facts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What folding, scoring and routing read; nothing else of an event decides anything."""

    id: Key
    time_ms: Time
    account_id: Number
    subject: Key
    profiled: bool = False
    """The subject is a user, a client or a system, and keeps a profile."""
    subject_type: str = "other"
    """``user``, ``client``, ``system``, ``name`` or ``type``: the form of the subject key."""
    event_type_id: Number
    category: Category
    kind: Kind
    outcome: EventOutcome
    sensitivity: Sensitivity = Sensitivity.NONE
    change: Change | None = None
    """Set where this record changes the lock state of its own subject."""
    scope: LockScope = LockScope.ACCOUNT
    user_id: Number | None = None
    actor_user_id: Number | None = None
    ip: Text | None = None
    user_agent: Text | None = None
    app_id: Number | None = None
    vendor: VendorRisk | None = None
    country: Text | None = None
    """ISO 3166 code of the address's country, by the GeoIP file that ingest had."""
    city: Text | None = None
    asn: Number | None = None
    """Number of the autonomous system that announces the address."""
    position: tuple[int, int] | None = None
    """Latitude and longitude of the address in hundredths of a degree."""
    device: Text | None = None
    """``desktop``, ``mobile``, ``tablet`` or ``automated``, by the user agent."""
    system: Text | None = None
    """Operating system, without its version."""
    browser: Text | None = None
    """Browser, without its version."""
    lists: tuple[Text, ...] = ()
    """Names of the operator's lists that the address stands on."""
    without: tuple[Text, ...] = ()
    """What was not known of any address when the event was received: ``asn``, ``geoip``."""
    assumed: bool = False
    """Done in an assumed session: somebody acted as the actor."""


NO_RAW = Raw()
"""An absent part: left out on the wire, ``not bytes(part)`` once decoded."""


class Classified(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Value of a record of the classified topic."""

    schema_version: int
    facts: Facts
    origin: Origin
    event: Raw = NO_RAW
    """JSON of ``Event``. Empty marks an effect: folded, never scored, never routed."""
    raw: Raw = NO_RAW
    """The event's received text as a JSON string literal."""
    raw_truncated: bool = False
    key: str | None = None
    """Key of the raw record, base64."""
    received_ms: Time | None = None
    """Timestamp of the raw record, epoch milliseconds."""
    replayed: bool = False
    """The raw record was sent back from the dead letters on purpose: no duplicate."""
    warming: bool = False
    """History: profiles and tables learn from it, and it is not routed."""
    context: UserContext | None = None
    """What an operator says of the subject, in a record that is neither event nor effect."""
