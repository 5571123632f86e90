"""OCSF 1.8: each event in the class of its type, with the risk by the security_control profile.

An absent part is left out. What a class asks for and the event does not have is said as ``unknown``
or by the event's subject, so that no record is refused for it.
"""

from typing import Any, Final

from riskstream.events.event import Actor, Source, UserRef
from riskstream.events.vocabulary import EventOutcome, Kind
from riskstream.risk.levels import Level
from riskstream.views.ocsf_parts import auth_parts, entity_of, group_of, observables, privileges_of
from riskstream.views.placing import OTHER, Placing, load_placings
from riskstream.views.scored import ScoredEvent

__all__ = ["ocsf"]

Part = dict[str, Any]

AUTHENTICATION: Final = 3002
ACCOUNT_CHANGE: Final = 3001
ENTITY_MANAGEMENT: Final = 3004
USER_ACCESS: Final = 3005
GROUP_MANAGEMENT: Final = 3006
BASE: Final = 0

_SEVERITIES: Final = {
    Level.NO: (1, "Informational"),
    Level.LOW: (2, "Low"),
    Level.MEDIUM: (3, "Medium"),
    Level.HIGH: (4, "High"),
}
_RISK_LEVELS: Final = {
    Level.NO: (0, "Info"),
    Level.LOW: (1, "Low"),
    Level.MEDIUM: (2, "Medium"),
    Level.HIGH: (3, "High"),
}
_STATUSES: Final = {
    EventOutcome.UNKNOWN: (0, "Unknown"),
    EventOutcome.SUCCESS: (1, "Success"),
    EventOutcome.FAILURE: (2, "Failure"),
}
_IMPERSONATE: Final = {"account_switch_type_id": 2, "account_switch_type": "Impersonate"}
_OBSERVED: Final = {"action_id": 3, "action": "Observed"}


def ocsf(event: ScoredEvent) -> Part:
    """The event as a JSON object of OCSF."""
    placings = load_placings()
    placing = placings.of(event.event_type)
    other = placing.activity_id == OTHER
    activity = event.event_type.title if other else placing.activity
    severity_id, severity = _SEVERITIES[event.risk.level]
    status_id, status = _STATUSES[event.outcome]
    document: Part = {
        "activity_id": placing.activity_id,
        "activity_name": activity,
        "category_uid": placing.category_uid,
        "category_name": placing.category_name,
        "class_uid": placing.class_uid,
        "class_name": placing.class_name,
        "type_uid": placing.type_uid,
        "type_name": f"{placing.class_name}: {placing.activity}",
        "time": event.time_ms,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": event.message,
        "metadata": _metadata(event, placings.version),
    }
    if event.why:
        document["status_detail"] = event.why
    document |= _risk(event)
    document |= _about(event, placing)
    document["enrichments"] = _enrichments(event)
    if found := observables(document):
        document["observables"] = found
    document["unmapped"] = _unmapped(event)
    if placing.class_uid == BASE:  # which has no attribute for who and where
        document["unmapped"] |= _people(event)
    if event.raw:
        document["raw_data"] = event.raw
    return document


def _metadata(event: ScoredEvent, version: str) -> Part:
    metadata: Part = {
        "version": version,
        "uid": event.id,
        "event_code": str(event.event_type.id),
        "tenant_uid": str(event.account_id),
        "original_time": event.time,
        "product": {"name": "OneLogin", "vendor_name": "One Identity"},
        "loggers": [{"name": "riskstream"}],
        "profiles": ["security_control"],
    }
    if event.received_ms is not None:
        metadata["logged_time"] = event.received_ms
    if event.raw_truncated:
        metadata["is_truncated"] = True
    return metadata


def _risk(event: ScoredEvent) -> Part:
    risk = event.risk
    level_id, level = _RISK_LEVELS[risk.level]
    part: Part = {
        **_OBSERVED,
        "risk_score": risk.score,
        "risk_level_id": level_id,
        "risk_level": level,
    }
    if risk.reasons:
        part["risk_details"] = risk.reasons
    if risk.level is Level.HIGH:
        part["is_alert"] = True
    return part


def _about(event: ScoredEvent, placing: Placing) -> Part:
    """Who, what and from where, in the attributes that the class has."""
    part: Part = {}
    if placing.class_uid == BASE:
        return part
    if actor := _actor(event):
        part["actor"] = actor
    source = event.source
    if source is not None and source.ip is not None:
        part["src_endpoint"] = _endpoint(source, source.ip)
    if source is not None and source.user_agent is not None:
        part["http_request"] = {"user_agent": source.user_agent}
    user = _user(event.user)
    if placing.class_uid == ENTITY_MANAGEMENT:
        return part | {"entity": entity_of(event, placing.entity, user)}
    if placing.class_uid == GROUP_MANAGEMENT:
        return part | {"group": group_of(event)} | ({"user": user} if user else {})
    part["user"] = user or {"uid": event.subject}
    if placing.class_uid == USER_ACCESS:
        part["privileges"] = privileges_of(event, placing.entity)
    if placing.class_uid == AUTHENTICATION:
        part |= auth_parts(event)
        if event.event_type.kind == Kind.ASSUME_USER:
            part |= _IMPERSONATE
    return part


def _endpoint(source: Source, ip: str) -> Part:
    endpoint: Part = {"ip": ip}
    if location := _given(country=source.country, city=source.city):
        endpoint["location"] = location
    if system := _given(number=source.asn, name=source.operator):
        endpoint["autonomous_system"] = system
    return endpoint


def _given(**parts: str | int | None) -> Part:
    """Those that are there."""
    return {name: value for name, value in parts.items() if value is not None}


def _people(event: ScoredEvent) -> Part:
    part: Part = {}
    if user := _user(event.user):
        part["user"] = user
    if actor := _actor(event):
        part["actor"] = actor
    if event.source is not None and event.source.ip is not None:
        part["src_ip"] = event.source.ip
    return part


def _user(ref: UserRef | Actor | None) -> Part | None:
    if ref is None or (ref.id is None and ref.name is None):
        return None
    user: Part = {}
    if ref.id is not None:
        user["uid"] = str(ref.id)
    if ref.name is not None:
        user["name"] = ref.name
    return user


def _actor(event: ScoredEvent) -> Part:
    actor: Part = {}
    if user := _user(event.actor):
        actor["user"] = user
    if event.client is not None:
        actor["app_uid"] = event.client.id
        if event.client.name is not None:
            actor["app_name"] = event.client.name
    if event.actor is not None and event.actor.system is not None:
        actor["app_name"] = event.actor.system
    return actor


def _enrichments(event: ScoredEvent) -> list[Part]:
    risk = event.risk
    data: Part = {
        "policy": risk.policy,
        "prior": {"evidence": risk.prior.evidence, "points": risk.prior.points},
        "signals": [
            {"id": each.id, "evidence": each.evidence, "points": each.points}
            for each in risk.signals
        ],
    }
    if risk.vendor is not None:
        vendor = risk.vendor
        data["vendor"] = {"score": vendor.score, "level": vendor.level.value}
    windows = event.windows
    counts = {name: getattr(windows, name) for name in windows.__struct_fields__}
    return [
        {"name": "risk", "value": str(risk.score), "provider": "riskstream", "data": data},
        {"name": "windows", "value": event.subject, "provider": "riskstream", "data": counts},
    ]


def _unmapped(event: ScoredEvent) -> Part:
    """What OCSF's classes have no place for; the names are those of scored records."""
    part: Part = {
        "subject": event.subject,
        "category": event.category.value,
        "event_type": event.event_type.name,
        "kind": event.event_type.kind,
    }
    if event.app is not None:
        app = {"uid": event.app.id and str(event.app.id), "name": event.app.name}
        part["app"] = {name: value for name, value in app.items() if value}
    if event.assumed_by is not None and event.assumed_by.id is not None:
        part["assumed_by"] = str(event.assumed_by.id)
    if event.resolution is not None:
        part["resolution"] = event.resolution
    if event.source is not None:
        source = event.source
        part |= _given(device=source.device, system=source.system, browser=source.browser)
        if source.lists:
            part["lists"] = list(source.lists)
    if event.targets:
        part["targets"] = [
            f"{each.type}:{each.id or ''}:{each.name or ''}" for each in event.targets
        ]
    return part
