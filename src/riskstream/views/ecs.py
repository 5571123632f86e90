"""ECS, the Elastic Common Schema: the event as Elastic's own integrations would write it.

``user`` is who acted and ``user.target`` who was acted upon; of a sign-in both are the same.
What ECS has no field for is under ``riskstream``.
"""

from typing import Any, Final

from riskstream.events.event import Actor, Source, UserRef
from riskstream.events.vocabulary import Kind
from riskstream.risk.levels import Level
from riskstream.views.placing import load_placings
from riskstream.views.scored import ScoredEvent

__all__ = ["ECS_VERSION", "ecs"]

Part = dict[str, Any]

ECS_VERSION: Final = "8.17.0"
"""Every field used has been there unchanged since."""
_SEVERITIES: Final = {Level.NO: 1, Level.LOW: 2, Level.MEDIUM: 3, Level.HIGH: 4}

_AUTHENTICATION: Final = {1: ["start"], 2: ["end"]}
_ACCOUNT: Final = {1: ["user", "creation"], 6: ["user", "deletion"]}
_ENTITY: Final = {1: ["creation"], 2: ["access"], 4: ["deletion"]}
_GROUP: Final = {5: ["group", "deletion"], 6: ["group", "creation"]}
_TYPES: Final[dict[int, tuple[list[str], dict[int, list[str]], list[str]]]] = {
    3001: (["iam"], _ACCOUNT, ["user", "change"]),
    3002: (["authentication"], _AUTHENTICATION, ["info"]),
    3004: (["configuration"], _ENTITY, ["change"]),
    3005: (["iam"], {}, ["user", "change"]),
    3006: (["iam"], _GROUP, ["group", "change"]),
}
"""Category, types by activity, and types of every other activity, by OCSF class."""
_INFO: Final = frozenset({Kind.MAPPING, Kind.DIRECTORY, Kind.DIRECTORY_FAILURE, Kind.HOOK})
"""Configuration at work, not changed."""


def ecs(event: ScoredEvent) -> Part:
    """The event as a JSON object of ECS."""
    document: Part = {
        "@timestamp": event.time,
        "ecs": {"version": ECS_VERSION},
        "message": event.message,
        "event": _event(event),
        "organization": {"id": str(event.account_id)},
        "observer": {"vendor": "One Identity", "product": "OneLogin", "type": "idp"},
    }
    if user := _users(event):
        document["user"] = user
    if event.source is not None:
        document |= _place(event.source)
    if event.client is not None:
        document["client"] = {"user": {"id": event.client.id}}
    if event.app is not None and event.app.name is not None:
        document["service"] = {"name": event.app.name}
    if group := event.target("group"):
        part = {"id": group.id, "name": group.name}
        document["group"] = {name: value for name, value in part.items() if value}
    if event.error is not None:
        document["error"] = {"message": event.error}
    if related := _related(event):
        document["related"] = related
    document["riskstream"] = _own(event)
    return document


def _place(source: Source) -> Part:
    """``source`` and ``user_agent``, as far as they are known."""
    found = {
        "source": {
            "ip": source.ip,
            "address": source.ip,
            "geo": {"country_iso_code": source.country, "city_name": source.city},
            "as": {"number": source.asn, "organization": {"name": source.operator}},
        },
        "user_agent": {
            "original": source.user_agent,
            "name": source.browser,
            "device": {"name": source.device},
            "os": {"name": source.system},
        },
    }
    return _filled(found)


def _filled(part: Part) -> Part:
    """Without what is None, and without objects that are empty then."""
    deep = {name: _filled(each) if isinstance(each, dict) else each for name, each in part.items()}
    return {name: each for name, each in deep.items() if each is not None and each != {}}


def _event(event: ScoredEvent) -> Part:
    kind, risk = event.event_type.kind, event.risk
    part: Part = {
        "kind": "alert" if risk.level is Level.HIGH else "event",
        "action": event.event_type.name.lower(),
        "code": str(event.event_type.id),
        "id": event.id,
        "outcome": event.outcome.value,
        "module": "onelogin",
        "dataset": "onelogin.events",
        "provider": "riskstream",
        "risk_score": float(risk.score),
        "risk_score_norm": float(risk.score),
        "severity": _SEVERITIES[risk.level],
    }
    placing = load_placings().of(event.event_type)
    if placing.class_uid in _TYPES:
        category, types, other = _TYPES[placing.class_uid]
        part["category"] = category
        info = placing.class_uid == 3004 and kind in _INFO  # noqa: PLR2004  (OCSF's number)
        part["type"] = ["info"] if info else types.get(placing.activity_id, other)
    reasons = [text for text in (event.why, risk.reasons) if text]
    if reasons:
        part["reason"] = "; ".join(reasons)
    if event.received_time is not None:
        part["created"] = event.received_time
    if event.raw:
        part["original"] = event.raw
    return part


def _users(event: ScoredEvent) -> Part:
    acted, upon = _user(event.actor), _user(event.user)
    if event.event_type.kind == Kind.ASSUME_USER and acted and upon:
        return {**acted, "effective": upon}
    if not acted:
        return upon
    if not upon or _same(event):
        return {**upon, **acted}
    return {**acted, "target": upon}


def _same(event: ScoredEvent) -> bool:
    actor, user = event.actor, event.user
    if actor is None or user is None:
        return False
    if actor.id is not None and user.id is not None:
        return actor.id == user.id
    return actor.name == user.name


def _user(ref: UserRef | Actor | None) -> Part:
    if ref is None:
        return {}
    part = {"id": None if ref.id is None else str(ref.id), "name": ref.name}
    return {name: value for name, value in part.items() if value is not None}


def _related(event: ScoredEvent) -> Part:
    names = [ref.name for ref in (event.user, event.actor) if ref is not None and ref.name]
    idents = [str(ref.id) for ref in (event.user, event.actor) if ref is not None and ref.id]
    part: Part = {}
    if users := sorted({*names, *idents}):
        part["user"] = users
    if event.source is not None and event.source.ip is not None:
        part["ip"] = [event.source.ip]
    return part


def _own(event: ScoredEvent) -> Part:
    windows = event.windows
    part: Part = {
        "subject": event.subject,
        "category": event.category.value,
        "kind": event.event_type.kind,
        "title": event.event_type.title,
        "level": event.risk.level.value,
        "policy": event.risk.policy,
        "signal_ids": list(event.risk.signal_ids),
        "windows": {name: getattr(windows, name) for name in windows.__struct_fields__},
    }
    if event.actor is not None and event.actor.system is not None:
        part["system"] = event.actor.system
    if event.targets:
        part["targets"] = [
            {name: value for name, value in zip(("type", "id", "name"), each, strict=True) if value}
            for each in ((each.type, each.id, each.name) for each in event.targets)
        ]
    if event.source is not None and event.source.lists:
        part["lists"] = list(event.source.lists)
    if event.raw_truncated:
        part["raw_truncated"] = True
    return part
