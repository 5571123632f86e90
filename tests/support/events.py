"""Raw events in every shape in which they are delivered, and the records that hold them."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from riskstream.catalog.catalog import Catalog
from riskstream.catalog.loader import load_catalog
from riskstream.events.event import Classified, Event
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, DEAD_LETTER, RAW
from riskstream.pipeline.ingest import Ingest, Ingested
from riskstream.pipeline.limits import Limits

Fields = dict[str, Any]

ACCOUNT_ID = 1234
LOGIN_SUCCESS = 5
LOGIN_FAILURE = 6
APP_ACCESS = 8
USER_DELETED = 17
USER_LOCKED = 19
API_LOCK_USER = 531
ROLE_ASSIGNED = 4
UNCATALOGED = 999_999
TIME = "2026-11-23T13:00:00.847Z"
TIME_MS = 1_795_438_800_847
BROADCASTER_TIME = "2026-11-23 13:00:00 UTC"

REST_KEYS = (
    "id created_at account_id user_id event_type_id notes ipaddr actor_user_id "
    "assuming_acting_user_id role_id role_name app_id app_name group_id group_name otp_device_id "
    "otp_device_name policy_id policy_name actor_system custom_message actor_user_name user_name "
    "operation_name directory_sync_run_id directory_id resolution client_id resource_type_id "
    "error_description proxy_ip risk_score risk_reasons risk_cookie_id browser_fingerprint"
).split()
"""The keys of a REST event, all of them there in each."""
BROADCASTER_ONLY_KEYS = (
    "create uuid event_timestamp user_agent login_id login_name adc_id adc_name "
    "api_credential_name assumed_by_superadmin_or_reseller authentication_factor_id "
    "authentication_factor_type authentication_factor_description certificate_id "
    "certificate_name directory_name entity imported_user_id imported_user_name job_id job_name "
    "mapping_id mapping_name note_id note_title object_id param policy_type privilege_id "
    "privilege_name proxy_agent_id proxy_agent_name radius_config_id radius_config_name "
    "report_id report_name resolved_at resolved_by_user_id safe_to_unescape "
    "service_directory_id service_job_id service_job_name solved task_name trusted_idp_id "
    "trusted_idp_name user_field_id user_field_name"
).split()
_REST_ONLY_KEYS = {"id", "created_at", "operation_name"}


def rest_event(**fields: Any) -> Fields:
    """As the API has it: 35 keys, null where there is nothing."""
    event: Fields = dict.fromkeys(REST_KEYS)
    event.update(
        id=45_192_178_366,
        created_at=TIME,
        account_id=ACCOUNT_ID,
        event_type_id=LOGIN_FAILURE,
        user_id=7,
        user_name="User Seven",
        actor_user_id=7,
        actor_user_name="User Seven",
        actor_system="",
        ipaddr="203.0.113.9",
        notes="Authentication method: password (invalid password).",
    )
    return event | fields


def sparse_event(**fields: Any) -> Fields:
    """As the broadcaster has it when it leaves out what is null."""
    event: Fields = {
        "create": {"_id": "6f0b9c5e-0001-4000-8000-000000000007"},
        "uuid": "6f0b9c5e-0001-4000-8000-000000000007",
        "event_timestamp": BROADCASTER_TIME,
        "account_id": ACCOUNT_ID,
        "event_type_id": LOGIN_FAILURE,
        "user_id": 7,
        "user_name": "User Seven",
        "actor_user_id": 7,
        "ipaddr": "203.0.113.9",
        "user_agent": "Mozilla/5.0 (example)",
    }
    return event | fields


def full_event(**fields: Any) -> Fields:
    """As the broadcaster has it when it sends every key."""
    keys = [key for key in REST_KEYS if key not in _REST_ONLY_KEYS]
    return dict.fromkeys([*keys, *BROADCASTER_ONLY_KEYS]) | sparse_event(**fields)


def eventbridge(event: Fields) -> Fields:
    """The envelope of Amazon EventBridge."""
    return {
        "version": "0",
        "id": "0b1a2c3d-0000-4000-8000-000000000001",
        "detail-type": "event",
        "source": "aws.partner/onelogin.com/US-1234/0123456789",
        "account": "123456789012",
        "time": "2026-11-23T13:00:01Z",
        "region": "us-east-1",
        "resources": [],
        "detail": event,
    }


def page(events: Iterable[Fields] | None, **status: Any) -> Fields:
    """One page of the REST API."""
    return {
        "status": {"error": False, "code": 200, "type": "success", "message": "Success"} | status,
        "pagination": {
            "before_cursor": None,
            "after_cursor": "abc",
            "previous_link": None,
            "next_link": "https://example.com/api/1/events?after_cursor=abc",
        },
        "data": None if events is None else list(events),
    }


def encode(value: Any) -> bytes:
    """JSON with blanks after its separators, so that unchanged text can be told from rewritten."""
    return json.dumps(value, ensure_ascii=False).encode()


def ndjson(events: Iterable[Fields], end: str = "\n", *, nested: bool = True) -> bytes:
    """The broadcaster's lines, each event under ``event``."""
    lines = ({"event": event} if nested else event for event in events)
    return b"".join(encode(line) + end.encode() for line in lines)


def record(
    value: bytes | Fields | list[Any] | None,
    offset: int = 0,
    *,
    key: bytes | None = b"sender",
    timestamp: int | None = TIME_MS + 2_000,
) -> InputRecord:
    """A record of the raw topic."""
    body = value if value is None or isinstance(value, bytes) else encode(value)
    return InputRecord(RAW, 0, offset, timestamp, key, body)


@cache
def shipped_catalog() -> Catalog:
    """The catalog that comes with riskstream."""
    return load_catalog()


def ingest(*values: bytes | Fields | list[Any] | None, limits: Limits | None = None) -> Ingested:
    """Take values through ingest, one record each."""
    stage = Ingest(shipped_catalog(), limits or Limits())
    return stage([record(value, offset) for offset, value in enumerate(values)])


def classified(result: Ingested) -> list[Classified]:
    """Its classified records, effects among them."""
    values = [output.value for output in result.outputs if output.topic == CLASSIFIED]
    return [msgspec.json.decode(value or b"", type=Classified) for value in values]


def public(part: Classified) -> Event:
    """The public part of a classified record."""
    return msgspec.json.decode(part.event, type=Event)


def raw_text(part: Classified) -> str:
    """The event's received text."""
    return msgspec.json.decode(part.raw, type=str)


def dead_letters(result: Ingested) -> list[Output]:
    """Its dead letters."""
    return [output for output in result.outputs if output.topic == DEAD_LETTER]


def header(output: Output, name: str) -> str | None:
    """Text of one header; None where it is absent."""
    found = dict(output.headers).get(name)
    return None if found is None else found.decode()


def one_event(event: Fields) -> tuple[Classified, Event]:
    """The one classified record of a valid event, and its public part."""
    (own,) = classified(ingest(event))
    return own, public(own)
