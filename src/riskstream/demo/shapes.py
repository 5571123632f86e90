"""OneLogin's delivery shapes: how one event looks in each, and how each wraps several.

Field names, their order and which of them are null are those of OneLogin's own documentation
of the event resource and of the broadcaster webhook, and of public samples of both.
"""

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import orjson

from riskstream.demo.tenant import ACCOUNT_ID
from riskstream.demo.tenant_event import EventType, Fields, TenantEvent
from riskstream.events.times import format_time

__all__ = ["REST_SHAPES", "Shape", "TypeIds", "event_id", "render", "wrap"]

TypeIds = dict[str, int]
"""Event type ids by OneLogin's constant."""


class Shape(StrEnum):
    """How a channel delivers."""

    REST_OBJECT = "rest_object"
    """One event of the REST API per record."""
    REST_TEXT = "rest_text"
    """The same from a collector that turns ids into strings and drops milliseconds."""
    REST_PAGE = "rest_page"
    """A page of the REST API: status, pagination, data."""
    ARRAY_SPARSE = "array_sparse"
    """The broadcaster's JSON array; keys without a value are left out."""
    ARRAY_FULL = "array_full"
    """The same with every key, most of them null."""
    NDJSON = "ndjson"
    """The broadcaster's SIEM format: one line per event, nested under ``event``."""
    NDJSON_CRLF = "ndjson_crlf"
    """The same through a collector that writes a byte order mark, CRLF and blank lines."""
    EVENTBRIDGE = "eventbridge"
    """Amazon EventBridge; the event is the ``detail``."""


REST_SHAPES = frozenset({Shape.REST_OBJECT, Shape.REST_TEXT, Shape.REST_PAGE})

REST_KEYS: Final = (
    "id",
    "created_at",
    "account_id",
    "user_id",
    "event_type_id",
    "notes",
    "ipaddr",
    "actor_user_id",
    "assuming_acting_user_id",
    "role_id",
    "role_name",
    "app_id",
    "app_name",
    "group_id",
    "group_name",
    "otp_device_id",
    "otp_device_name",
    "policy_id",
    "policy_name",
    "actor_system",
    "custom_message",
    "actor_user_name",
    "user_name",
    "operation_name",
    "directory_sync_run_id",
    "directory_id",
    "resolution",
    "client_id",
    "resource_type_id",
    "error_description",
    "proxy_ip",
    "risk_score",
    "risk_reasons",
    "risk_cookie_id",
    "browser_fingerprint",
)
REST_ONLY_KEYS: Final = frozenset({"id", "created_at", "operation_name"})
BROADCASTER_ONLY_KEYS: Final = (
    "user_agent",
    "login_id",
    "login_name",
    "adc_id",
    "adc_name",
    "api_credential_name",
    "assumed_by_superadmin_or_reseller",
    "authentication_factor_id",
    "authentication_factor_type",
    "authentication_factor_description",
    "certificate_id",
    "certificate_name",
    "directory_name",
    "entity",
    "imported_user_id",
    "imported_user_name",
    "job_id",
    "job_name",
    "mapping_id",
    "mapping_name",
    "note_id",
    "note_title",
    "object_id",
    "param",
    "policy_type",
    "privilege_id",
    "privilege_name",
    "proxy_agent_id",
    "proxy_agent_name",
    "radius_config_id",
    "radius_config_name",
    "report_id",
    "report_name",
    "resolved_at",
    "resolved_by_user_id",
    "service_directory_id",
    "service_job_id",
    "service_job_name",
    "solved",
    "task_name",
    "trusted_idp_id",
    "trusted_idp_name",
    "user_field_id",
    "user_field_name",
)
BROADCASTER_KEYS: Final = (
    "uuid",
    "event_timestamp",
    *(key for key in REST_KEYS if key not in REST_ONLY_KEYS),
    *BROADCASTER_ONLY_KEYS,
)


def render(shape: Shape, event: TenantEvent, serial: int, types: TypeIds) -> bytes:
    """One event as JSON, without the channel's wrapping.

    Args:
        shape: The channel's shape.
        event: What happened.
        serial: The event's number, unique in the account; the ids are made of it.
        types: Ids by constant.

    Raises:
        KeyError: A constant that is in no list.
    """
    known: Fields = {"account_id": ACCOUNT_ID, "event_type_id": _type_id(event.type, types)}
    fields = event.fields | known
    if shape in REST_SHAPES:
        return _rest(shape, event, serial, fields)
    unique = _uuid(serial)
    stamp = format_time(event.at_ms)
    fields["uuid"] = unique
    fields["event_timestamp"] = f"{stamp[:10]} {stamp[11:19]} UTC"
    body: dict[str, object] = {"create": {"_id": unique}}
    if shape is Shape.ARRAY_FULL:
        body |= {key: fields.get(key) for key in BROADCASTER_KEYS}
    else:
        body |= {key: fields[key] for key in BROADCASTER_KEYS if fields.get(key) is not None}
    return orjson.dumps(body)


def event_id(shape: Shape, serial: int) -> str:
    """The identity that riskstream gives the event of this number: account and id or uuid."""
    return f"{ACCOUNT_ID}:{serial if shape in REST_SHAPES else _uuid(serial)}"


def wrap(shape: Shape, members: Sequence[bytes], serial: int, at_ms: int) -> bytes:
    """The record that carries these rendered events; one event for shapes that hold one."""
    match shape:
        case Shape.REST_PAGE:
            return (
                b'{"status":{"error":false,"code":200,"type":"success","message":"Success"},'
                b'"pagination":{"before_cursor":null,"after_cursor":null,"previous_link":null,'
                b'"next_link":null},"data":[' + b",".join(members) + b"]}"
            )
        case Shape.ARRAY_SPARSE | Shape.ARRAY_FULL:
            return b"[" + b",".join(members) + b"]"
        case Shape.NDJSON:
            return b"\n".join(_nested(member) for member in members) + b"\n"
        case Shape.NDJSON_CRLF:
            lines = b"\r\n\r\n".join(_nested(member) for member in members)
            return b"\xef\xbb\xbf" + lines + b"\r\n"
        case Shape.EVENTBRIDGE:
            return _envelope(members[0], serial, at_ms)
        case Shape.REST_OBJECT | Shape.REST_TEXT:
            return members[0]


def _uuid(serial: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.com/events/{serial}"))


def _nested(member: bytes) -> bytes:
    return b'{"event":' + member + b"}" if member.startswith(b"{") else member


def _envelope(member: bytes, serial: int, at_ms: int) -> bytes:
    unique = uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.com/deliveries/{serial}")
    head = {
        "version": "0",
        "id": str(unique),
        "detail-type": "OneLogin Event",
        "source": f"aws.partner/onelogin.com/US-{ACCOUNT_ID}/ab12cd34ef",
        "account": "123456789012",
        "time": f"{format_time(at_ms)[:19]}Z",
        "region": "us-west-2",
        "resources": [],
    }
    return orjson.dumps(head)[:-1] + b',"detail":' + member + b"}"


def _rest(shape: Shape, event: TenantEvent, serial: int, fields: Fields) -> bytes:
    stamp = format_time(event.at_ms)
    fields["id"] = serial
    fields["created_at"] = stamp
    if shape is Shape.REST_TEXT:
        fields["created_at"] = f"{stamp[:19]}Z"
        for key in ("id", "event_type_id", "user_id"):
            if fields.get(key) is not None:
                fields[key] = str(fields[key])
    return orjson.dumps({key: fields.get(key) for key in REST_KEYS})


def _type_id(kind: EventType, types: TypeIds) -> int:
    return kind if isinstance(kind, int) else types[kind]
