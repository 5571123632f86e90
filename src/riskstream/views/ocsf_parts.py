"""Parts of OCSF documents that single classes have: entity, group, privileges, authentication."""

from typing import Any, Final

from riskstream.events.vocabulary import Kind
from riskstream.views.scored import ScoredEvent

__all__ = ["auth_parts", "entity_of", "group_of", "observables", "privileges_of"]

Part = dict[str, Any]

_ENTITY_TYPES: Final = {"user": (2, "User"), "group": (3, "Group"), "policy": (5, "Policy")}
"""``type_id`` and its word by our target type; every other is 99, in our word."""
_OTHER: Final = 99

_FACTORS: Final = (
    ("push", 5, "Push Notification"),
    ("onelogin protect", 5, "Push Notification"),
    ("sms", 1, "SMS"),
    ("voice", 3, "Phone Call"),
    ("call", 3, "Phone Call"),
    ("email", 8, "Email"),
    ("e-mail", 8, "Email"),
    ("webauthn", 10, "WebAuthn"),
    ("fido", 10, "WebAuthn"),
    ("passkey", 10, "WebAuthn"),
    ("u2f", 9, "U2F"),
    ("question", 2, "Security Question"),
    ("biometric", 4, "Biometric"),
    ("yubikey", 6, "Hardware Token"),
    ("securid", 6, "Hardware Token"),
    ("otp", 7, "OTP"),
    ("authenticator", 7, "OTP"),
    ("password", 11, "Password"),
)
"""By what a factor's name has in it; the first that fits."""
_PROTOCOLS: Final = (
    ("OIDC", 4, "OpenID"),
    ("SAML", 5, "SAML"),
    ("RADIUS", 10, "RADIUS"),
    ("VLDAP", 12, "LDAP"),
)
"""By what the event type's name has in it."""
_SECOND_FACTOR: Final = frozenset(
    {Kind.MFA_CHALLENGE, Kind.MFA_SUCCESS, Kind.MFA_FAILURE, Kind.MFA_DENIED}
)
_OBSERVED: Final = (
    ("src_endpoint.ip", 2, "IP Address"),
    ("src_endpoint.location.country", 14, "Country"),
    ("user.name", 4, "User Name"),
    ("actor.user.name", 4, "User Name"),
    ("entity.user.name", 4, "User Name"),
    ("http_request.user_agent", 16, "HTTP User-Agent"),
)


def entity_of(event: ScoredEvent, kind: str, user: Part | None) -> Part:
    """What was managed: the target of this type, else any, else something of the account's."""
    if kind == "user" and user is not None:
        return {"type_id": 2, "type": "User", "user": user, **user}
    named = _named(event, kind)
    if named is None and event.targets:
        first = event.targets[0]
        kind, named = first.type, _part(first.id, first.name)
    type_id, word = _ENTITY_TYPES.get(kind, (_OTHER, kind or "resource"))
    entity: Part = {"type_id": type_id, "type": word}
    if named is None:
        return entity | {"org": {"uid": str(event.account_id)}}
    if kind in {"group", "policy"}:
        entity[kind] = dict(named)
    return entity | named


def group_of(event: ScoredEvent) -> Part:
    """The group that was managed."""
    return _named(event, "group") or {"name": "unknown"}


def privileges_of(event: ScoredEvent, kind: str) -> list[str]:
    """What was assigned or revoked; the event type's name where the event does not say."""
    if kind == "app":
        named = [_named(event, kind)]
    else:
        named = [_part(each.id, each.name) for each in event.targets if each.type == kind]
    found = [part.get("name") or part["uid"] for part in named if part]
    return found or [event.event_type.name]


def auth_parts(event: ScoredEvent) -> Part:
    """What authentication has besides user and place."""
    service = _named(event, "app") or {"name": "OneLogin"}
    part: Part = {"service": service, "is_remote": True}
    for word, protocol_id, protocol in _PROTOCOLS:
        if word in event.event_type.name:
            part |= {"auth_protocol_id": protocol_id, "auth_protocol": protocol}
            break
    second = event.event_type.kind in _SECOND_FACTOR
    if second:
        part["is_mfa"] = True
    auth = event.auth
    text = None if auth is None else auth.factor or auth.method
    device = event.target("otp_device") or event.target("authentication_factor")
    text = text or (None if device is None else device.name)
    if text:
        part["auth_factors"] = [_factor(text)]
    elif second:
        part["auth_factors"] = [{"factor_type_id": 0, "factor_type": "Unknown"}]
    return part


def observables(document: Part) -> list[Part]:
    """Where the document holds what analysts search for."""
    found = []
    for path, type_id, word in _OBSERVED:
        value: Any = document
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            found.append({"name": path, "type_id": type_id, "type": word, "value": value})
    return found


def _factor(text: str) -> Part:
    lower = text.casefold()
    for word, type_id, name in _FACTORS:
        if word in lower:
            return {"factor_type_id": type_id, "factor_type": name, "provider": text}
    return {"factor_type_id": _OTHER, "factor_type": text}


def _named(event: ScoredEvent, kind: str) -> Part | None:
    """Name and uid of what the event names of this type."""
    if kind == "app":
        app = event.app
        return None if app is None else _part(None if app.id is None else str(app.id), app.name)
    if kind in {"api_credential", "api_client"} and event.client is not None:
        return _part(event.client.id, event.client.name)
    target = event.target(kind)
    return None if target is None else _part(target.id, target.name)


def _part(ident: str | None, name: str | None) -> Part | None:
    part = {"uid": ident, "name": name}
    return {field: value for field, value in part.items() if value} or None
