"""What of a scored event is filtered by, and where it stands in the order of time."""

from functools import lru_cache
from hashlib import blake2b
from struct import Struct as Packer
from typing import Annotated, Final, NamedTuple
from zlib import crc32

import msgspec
import numpy as np
from msgspec import Meta, Struct

from riskstream.console.store.words import MOST_WORDS, words
from riskstream.events.event import Event
from riskstream.events.keys import client_key, name_key, system_key, user_key
from riskstream.events.times import LAST_MS, parse_time
from riskstream.events.vocabulary import Category, EventOutcome
from riskstream.risk.levels import Level

__all__ = [
    "CATEGORIES",
    "LEVELS",
    "MOST_FACETS",
    "OUTCOMES",
    "ROW",
    "TIME_SHIFT",
    "Entity",
    "Incoming",
    "ScoredEvent",
    "ScoredRisk",
    "facet_code",
    "first_key",
    "hashed",
    "mark",
    "read_scored",
    "stored_words",
    "time_of",
    "type_code",
]

LEVELS: Final = tuple(level.value for level in Level)
CATEGORIES: Final = tuple(category.value for category in Category)
OUTCOMES: Final = tuple(outcome.value for outcome in EventOutcome)
MOST_FACETS: Final = len(CATEGORIES) * len(LEVELS) * len(OUTCOMES)

TIME_SHIFT: Final = 14
"""A key is the event's time in milliseconds, then so many bits that tell events apart."""
FUTURE_SLACK_MS: Final = 300_000
"""An event from the future stands where it is folded: five minutes after it was received."""

ROW: Final = np.dtype(
    [
        ("key", "<i8"),
        ("user", "<u8"),
        ("actor", "<u8"),
        ("ip", "<u8"),
        ("app", "<u8"),
        ("type", "<u4"),
        ("score", "u1"),
        ("facet", "u1"),
        ("resolution", "u1"),
        ("spare", "u1"),
    ]
)
"""One event as its columns hold it; 0 stands for an absent part."""
_PACK = Packer("<qQQQQIBBBB").pack
_TYPE_LIMIT: Final = 2**32 - 1
_BYTE_LIMIT: Final = 255
_MARKED: Final = ("user", "actor", "ip", "app", "type")
_MARK: Final = "\ue000"
"""Of the private use area: no letter and no digit, hence in no word."""


class ScoredRisk(Struct, frozen=True):
    """``risk`` of the wire, as far as it is filtered by."""

    score: Annotated[int, Meta(ge=0, le=100)]
    level: Level
    reasons: str = ""
    signal_ids: tuple[str, ...] = ()


class ScoredEvent(Event, frozen=True, kw_only=True):
    """A scored record's value, less what nobody filters by."""

    risk: ScoredRisk


class Entity(NamedTuple):
    """A user, actor, app or account, by which events are found."""

    kind: str
    key: str
    name: str


class Incoming(NamedTuple):
    """A scored event on its way into the store."""

    key: int
    """Where it wants to stand; the next free one when another event stands there."""
    id: str
    columns: tuple[int, ...]
    """Of ``ROW``, after the key."""
    words: str
    entities: tuple[Entity, ...]
    value: bytes

    def pack(self, key: int) -> bytes:
        """The bytes of a ``ROW``."""
        return _PACK(key, *self.columns, 0)


def first_key(time_ms: int) -> int:
    """The lowest key of a moment, clipped to what a key can say."""
    return min(max(time_ms, 0), LAST_MS) << TIME_SHIFT


def time_of(key: int) -> int:
    """Epoch milliseconds."""
    return key >> TIME_SHIFT


@lru_cache(maxsize=262_144)
def hashed(text: str) -> int:
    """64 bits of a text's hash; never 0."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1


def facet_code(category: str, level: str, outcome: str) -> int:
    """Category, level and outcome in one number below ``MOST_FACETS``."""
    place = CATEGORIES.index(category) * len(LEVELS) + LEVELS.index(level)
    return place * len(OUTCOMES) + OUTCOMES.index(outcome)


def type_code(event_type_id: int) -> int:
    """An event type's id as its column holds it; ids that nobody has are one."""
    return min(max(event_type_id, 0), _TYPE_LIMIT)


_DECODE = msgspec.json.Decoder(ScoredEvent).decode
_FACETS = {
    (category, level, outcome): facet_code(category, level, outcome)
    for category in Category
    for level in Level
    for outcome in EventOutcome
}


def read_scored(value: bytes, timestamp_ms: int | None) -> Incoming | None:
    """Take a scored record's value apart; None when riskstream did not write it.

    Args:
        value: The record's value.
        timestamp_ms: Kafka's, used where the value does not say when it was received.
    """
    try:
        event = _DECODE(value)
        key = _key(event, timestamp_ms)
    except (msgspec.MsgspecError, ValueError):
        return None
    user, actor, app = _user(event), _actor(event), _app(event)
    columns = (
        hashed(user.key) if user else 0,
        hashed(actor.key) if actor else 0,
        hashed(event.source.ip) if event.source and event.source.ip else 0,
        hashed(app.key) if app else 0,
        type_code(event.event_type.id),
        event.risk.score,
        _FACETS[event.category, event.risk.level, event.outcome],
        min(max(event.resolution or 0, 0), _BYTE_LIMIT),
    )
    account = Entity("account", str(event.account_id), "")
    entities = tuple(entity for entity in (user, actor, app, account) if entity is not None)
    marks = _marks(columns, event)
    return Incoming(
        key, event.id, columns, " ".join([*event_words(event), *marks]), entities, value
    )


def mark(column: str, value: object) -> str:
    """A word that no text can hold, so that the full-text index can find by a column, too."""
    return f"{_MARK}{column}{value:x}" if isinstance(value, int) else f"{_MARK}{column}{value}"


def _marks(columns: tuple[int, ...], event: ScoredEvent) -> list[str]:
    found = [
        mark(column, value)
        for column, value in zip(_MARKED, columns, strict=False)
        if value or column == "type"
    ]
    return [
        *found,
        mark("level", event.risk.level.value),
        mark("category", event.category.value),
        mark("outcome", event.outcome.value),
    ]


def stored_words(value: bytes) -> list[str]:
    """The words of a value that ``read_scored`` has taken before."""
    return event_words(_DECODE(value))


def event_words(event: ScoredEvent) -> list[str]:
    """The words by which an event is found, each once."""
    found = dict.fromkeys(words("\n".join(_texts(event))))
    return list(found)[:MOST_WORDS]


def _texts(event: ScoredEvent) -> list[str]:
    texts = [event.id, event.message, event.event_type.name, event.event_type.title]
    texts += [event.risk.reasons, *event.risk.signal_ids]
    for who in (event.user, event.assumed_by, event.app):
        if who is not None:
            texts += [str(who.id or ""), who.name or ""]
    if event.actor is not None:
        texts += [str(event.actor.id or ""), event.actor.name or "", event.actor.system or ""]
    if event.client is not None:
        texts += [event.client.id, event.client.name or ""]
    for target in event.targets:
        texts += [target.type, target.id or "", target.name or ""]
    if event.auth is not None:
        texts += [event.auth.method or "", event.auth.reason or "", event.auth.factor or ""]
    if event.source is not None:
        texts += [event.source.ip or "", event.source.user_agent or ""]
    texts.append(event.error or "")
    return texts


def _key(event: ScoredEvent, timestamp_ms: int | None) -> int:
    time_ms = parse_time(event.time)
    received = parse_time(event.received_time) if event.received_time else timestamp_ms
    if received is not None:
        time_ms = min(time_ms, received + FUTURE_SLACK_MS)
    return first_key(time_ms) | (crc32(event.id.encode()) & ((1 << TIME_SHIFT) - 1))


def _user(event: ScoredEvent) -> Entity | None:
    who, account = event.user, event.account_id
    if who is None:
        return None
    if who.id is not None:
        return Entity("user", user_key(account, who.id), who.name or "")
    return Entity("user", name_key(account, who.name), who.name) if who.name else None


def _actor(event: ScoredEvent) -> Entity | None:
    who, client, account = event.actor, event.client, event.account_id
    if who is not None and who.id is not None:
        return Entity("actor", user_key(account, who.id), who.name or "")
    if client is not None:
        return Entity("actor", client_key(account, client.id), client.name or client.id)
    if who is not None and who.system:
        return Entity("actor", system_key(account, who.system), who.system)
    if who is not None and who.name:
        return Entity("actor", name_key(account, who.name), who.name)
    return None


def _app(event: ScoredEvent) -> Entity | None:
    app, account = event.app, event.account_id
    if app is None:
        return None
    if app.id is not None:
        return Entity("app", f"{account}:{app.id}", app.name or "")
    return Entity("app", f"{account}:name:{app.name}", app.name) if app.name else None
