"""The public part of an event: from the vendor's fields to ours, fit to be shown."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from riskstream.events.event import (
    SCHEMA_VERSION,
    Actor,
    App,
    Client,
    Event,
    Source,
    Target,
    UserRef,
    VendorRisk,
)
from riskstream.events.text import clean
from riskstream.events.times import format_time
from riskstream.events.vendor import Scalar, VendorEvent, read_targets
from riskstream.pipeline.meaning import Meaning, message_of
from riskstream.pipeline.notes import read_auth
from riskstream.pipeline.subject import Subject, client_id_of
from riskstream.pipeline.validate import Valid, whole_number

__all__ = ["public_part", "usable_address", "vendor_risk_of"]

_USER_AGENT_CHARACTERS: Final = 512
_LONGEST_ADDRESS: Final = 45
_MOST_REASONS: Final = 32
_HIGHEST_SCORE: Final = 100
_ID_CHARACTERS: Final = 128
_REMEMBERED_CHARACTERS: Final = 128


def public_part(
    event: VendorEvent,
    valid: Valid,
    meaning: Meaning,
    subject: Subject,
    received_time: str | None,
) -> Event:
    """What consumers see of the event, less risk, windows and raw."""
    entry = meaning.entry
    assuming = valid.assuming_user_id
    return Event(
        schema_version=SCHEMA_VERSION,
        id=valid.id,
        time=format_time(valid.time_ms),
        received_time=received_time,
        account_id=valid.account_id,
        subject=subject.key,
        category=entry.category,
        event_type=meaning.ref,
        message=message_of(meaning, event),
        outcome=entry.outcome,
        resolution=whole_number(event.resolution),
        user=_user(event, valid),
        actor=_actor(event, valid),
        assumed_by=None if assuming is None else UserRef(assuming),
        client=_client(event),
        app=_app(event),
        targets=_targets(event),
        auth=read_auth(
            event.notes, event.authentication_factor_description, plain_reason=meaning.refusal
        ),
        error=clean(event.error_description),
        source=_source(event),
    )


def _user(event: VendorEvent, valid: Valid) -> UserRef | None:
    name = clean(event.user_name)
    if valid.user_id is None and name is None:
        return None
    return UserRef(valid.user_id, name)


def _actor(event: VendorEvent, valid: Valid) -> Actor | None:
    name = clean(event.actor_user_name)
    system = clean(event.actor_system)
    if valid.actor_user_id is None and name is None and system is None:
        return None
    return Actor(valid.actor_user_id, name, system)


def _client(event: VendorEvent) -> Client | None:
    ident = client_id_of(event)
    return None if ident is None else Client(ident, clean(event.api_credential_name))


def _app(event: VendorEvent) -> App | None:
    if event.app_id is None and not event.app_name:
        return None
    ident, name = whole_number(event.app_id), clean(event.app_name)
    return None if ident is None and name is None else App(ident, name)


def _source(event: VendorEvent) -> Source | None:
    address, agent = event.ipaddr, event.user_agent
    if not address and not agent:
        return None
    ip = usable_address(address) if address else None
    user_agent = clean(agent, _USER_AGENT_CHARACTERS)
    return None if ip is None and user_agent is None else Source(ip, user_agent)


def usable_address(text: str) -> str | None:
    """An IP address in its one canonical form, IPv4 where it is that in IPv6's clothes.

    None where it is no address, or one with a zone, which means nothing elsewhere.
    """
    text = text.strip()
    if len(text) > _LONGEST_ADDRESS or "%" in text:
        return None
    return _canonical(text)


@lru_cache(maxsize=16_384)
def _canonical(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _targets(event: VendorEvent) -> tuple[Target, ...]:
    targets = [_target(kind, ident, name) for kind, ident, name in read_targets(event)]
    return tuple([target for target in targets if target is not None])


def _target(kind: str, ident: Scalar, name: str | None) -> Target | None:
    """Most targets come again and again; only short ones are remembered."""
    text = None if ident is None else str(ident)[:_ID_CHARACTERS]
    if name is None or len(name) <= _REMEMBERED_CHARACTERS:
        return _remembered(kind, text, name)
    return _new_target(kind, text, name)


def _new_target(kind: str, ident: str | None, name: str | None) -> Target | None:
    ident, name = clean(ident, _ID_CHARACTERS), clean(name)
    return None if ident is None and name is None else Target(kind, ident, name)


_remembered = lru_cache(maxsize=4096)(_new_target)


def vendor_risk_of(event: VendorEvent) -> VendorRisk | None:
    """SmartFactor's score and reasons; None where there is no score from 0 to 100."""
    if event.risk_score is None:
        return None
    score = whole_number(event.risk_score, _HIGHEST_SCORE)
    if score is None:
        return None
    lines = (event.risk_reasons or "").split("\n", _MOST_REASONS)[:_MOST_REASONS]
    return VendorRisk(score, tuple(reason for line in lines if (reason := clean(line))))
