"""OneLogin's event as it is sent: the one place where the vendor's field names stand.

Sources: the event resource of OneLogin's API (35 fields, REST) and the fields of its event
broadcaster (some 80). Fields that decide nothing here are not read; the raw text keeps them.
"""

from itertools import compress
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import astuple

__all__ = [
    "ABSENT",
    "DATA_KEY",
    "MESSAGE_FIELDS",
    "STRICT_FIELDS",
    "TIME_FIELDS",
    "BadField",
    "MessageField",
    "Scalar",
    "VendorEvent",
    "is_error_page",
    "read_event",
    "read_targets",
]

Scalar = int | str | None
"""Ids come as numbers and as strings, from one sender and another."""
ABSENT: Final = Raw()
"""An envelope's part that is not there. Compare by identity."""
DATA_KEY: Final = b"data"
"""Where a REST page holds its events."""


class VendorEvent(Struct, gc=False):
    """One event, or one of the envelopes that hold events. Holds no references in a circle."""

    event_type_id: int | str | UnsetType | None = UNSET
    account_id: int | str | UnsetType | None = UNSET
    id: Scalar = None
    uuid: str | None = None
    created_at: str | None = None
    event_timestamp: str | None = None
    user_id: Scalar = None
    user_name: str | None = None
    actor_user_id: Scalar = None
    actor_user_name: str | None = None
    actor_system: str | None = None
    assuming_acting_user_id: Scalar = None
    client_id: Scalar = None
    api_credential_name: str | None = None
    app_id: Scalar = None
    app_name: str | None = None
    ipaddr: str | None = None
    user_agent: str | None = None
    notes: str | None = None
    error_description: str | None = None
    operation_name: str | None = None
    resource_type_id: Scalar = None
    resolution: Scalar = None
    risk_score: Scalar = None
    risk_reasons: str | None = None

    # what else it is about, in the order of _TARGETS
    role_id: Scalar = None
    role_name: str | None = None
    group_id: Scalar = None
    group_name: str | None = None
    otp_device_id: Scalar = None
    otp_device_name: str | None = None
    authentication_factor_id: Scalar = None
    authentication_factor_description: str | None = None
    policy_id: Scalar = None
    policy_name: str | None = None
    privilege_id: Scalar = None
    privilege_name: str | None = None
    directory_id: Scalar = None
    directory_name: str | None = None
    adc_id: Scalar = None
    adc_name: str | None = None
    certificate_id: Scalar = None
    certificate_name: str | None = None
    imported_user_id: Scalar = None
    imported_user_name: str | None = None
    login_id: Scalar = None
    login_name: str | None = None
    mapping_id: Scalar = None
    mapping_name: str | None = None
    trusted_idp_id: Scalar = None
    trusted_idp_name: str | None = None
    proxy_agent_id: Scalar = None
    proxy_agent_name: str | None = None
    radius_config_id: Scalar = None
    radius_config_name: str | None = None
    user_field_id: Scalar = None
    user_field_name: str | None = None
    note_id: Scalar = None
    note_title: str | None = None
    report_id: Scalar = None
    report_name: str | None = None
    job_id: Scalar = None
    job_name: str | None = None
    service_job_id: Scalar = None
    service_job_name: str | None = None
    task_name: str | None = None
    directory_sync_run_id: Scalar = None
    service_directory_id: Scalar = None
    object_id: Scalar = None

    data: Raw = ABSENT
    """Events of a REST page."""
    status: Raw = ABSENT
    """Status of a REST page."""
    event: Raw = ABSENT
    """The event of a line of the broadcaster's NDJSON."""
    detail: Raw = ABSENT
    """The event of an EventBridge envelope."""


class BadField(Struct, frozen=True):
    """A field that decides something and has a type that no event has."""

    name: str


STRICT_FIELDS: Final = frozenset(
    {
        "event_type_id",
        "account_id",
        "id",
        "uuid",
        "created_at",
        "event_timestamp",
        "user_id",
        "actor_user_id",
        "actor_system",
        "assuming_acting_user_id",
        "client_id",
    }
)
"""Identity, time and subject hang on these; any other of a strange type is read as absent."""

TIME_FIELDS: Final = ("created_at", "event_timestamp")
"""Of the API and of the broadcaster. A number there is a time in no known form."""

_DECODER = msgspec.json.Decoder(VendorEvent)
_GENERAL = msgspec.json.Decoder(dict[str, Raw])
_FIELDS = {
    field.name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(VendorEvent)
}


def read_event(text: bytes) -> VendorEvent | BadField | None:
    """Read one JSON value; None where it is no object. Of duplicate keys the last one counts.

    Raises:
        msgspec.DecodeError: Not JSON.
        UnicodeDecodeError: A string that is read is not UTF-8.
        RecursionError: Nested deeper than the decoder goes.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        return _read_leniently(text)


def _read_leniently(text: bytes) -> VendorEvent | BadField | None:
    try:
        members = _GENERAL.decode(text)
    except msgspec.ValidationError:
        return None
    event = VendorEvent()
    for name, value in members.items():
        decoder = _FIELDS.get(name)
        if decoder is None:
            continue
        try:
            setattr(event, name, decoder.decode(value))
        except msgspec.ValidationError:
            if name in STRICT_FIELDS:
                return BadField(name)
    return event


def is_error_page(event: VendorEvent) -> bool:
    """Whether a REST page says that the request for it failed."""
    if event.status is ABSENT:
        return False
    try:
        return _STATUS.decode(event.status).error
    except msgspec.ValidationError:
        return False


class _Status(Struct):
    error: bool = False


_STATUS = msgspec.json.Decoder(_Status)


def read_targets(event: VendorEvent) -> list[tuple[str, Scalar, str | None]]:
    """Type, id and name of everything else that the event names.

    A target without a name and with an id that is empty or 0 is none.
    """
    values = astuple(event)[_FIRST_TARGET:_AFTER_TARGETS]
    if not any(values):
        return []
    found = []
    for row in dict.fromkeys(compress(_ROW_OF_VALUE, values)):
        kind, ident, name = _TARGETS[row]
        found.append(
            (
                kind,
                None if ident is None else getattr(event, ident),
                None if name is None else getattr(event, name),
            )
        )
    return found


_TARGETS: Final = (
    ("role", "role_id", "role_name"),
    ("group", "group_id", "group_name"),
    ("otp_device", "otp_device_id", "otp_device_name"),
    ("authentication_factor", "authentication_factor_id", "authentication_factor_description"),
    ("policy", "policy_id", "policy_name"),
    ("privilege", "privilege_id", "privilege_name"),
    ("directory", "directory_id", "directory_name"),
    ("directory_connector", "adc_id", "adc_name"),
    ("certificate", "certificate_id", "certificate_name"),
    ("imported_user", "imported_user_id", "imported_user_name"),
    ("login", "login_id", "login_name"),
    ("mapping", "mapping_id", "mapping_name"),
    ("trusted_idp", "trusted_idp_id", "trusted_idp_name"),
    ("proxy_agent", "proxy_agent_id", "proxy_agent_name"),
    ("radius_config", "radius_config_id", "radius_config_name"),
    ("user_field", "user_field_id", "user_field_name"),
    ("note", "note_id", "note_title"),
    ("report", "report_id", "report_name"),
    ("job", "job_id", "job_name"),
    ("service_job", "service_job_id", "service_job_name"),
    ("task", None, "task_name"),
    ("directory_sync_run", "directory_sync_run_id", None),
    ("service_directory", "service_directory_id", None),
    ("object", "object_id", None),
)
_TARGET_FIELDS: Final = tuple(name for _, *pair in _TARGETS for name in pair if name)
_FIRST_TARGET: Final = VendorEvent.__struct_fields__.index(_TARGET_FIELDS[0])
_AFTER_TARGETS: Final = _FIRST_TARGET + len(_TARGET_FIELDS)
_ROW_OF_VALUE: Final = tuple(
    row for row, (_, *pair) in enumerate(_TARGETS) for name in pair if name
)


class MessageField(NamedTuple):
    """Where the value of a message's placeholder comes from."""

    names: tuple[str, ...]
    """Fields that hold text; the first that is not empty is taken as it is."""
    ident: str | None = None
    """Field of the id that stands in for a missing name."""


MESSAGE_FIELDS: Final = {
    "user": MessageField(("user_name",), "user_id"),
    "actor": MessageField(
        ("actor_user_name", "actor_system", "api_credential_name"), "actor_user_id"
    ),
    "actor_id": MessageField((), "actor_user_id"),
    "name_id": MessageField(("login_name", "user_name"), "user_id"),
    "app": MessageField(("app_name",), "app_id"),
    "role": MessageField(("role_name",), "role_id"),
    "role_id": MessageField((), "role_id"),
    "group": MessageField(("group_name",), "group_id"),
    "policy": MessageField(("policy_name",), "policy_id"),
    "privilege": MessageField(("privilege_name",), "privilege_id"),
    "privilege_action": MessageField(("operation_name",)),
    "directory": MessageField(("directory_name",), "directory_id"),
    "directory_sync_run": MessageField((), "directory_sync_run_id"),
    "otp_device": MessageField(("otp_device_name",), "otp_device_id"),
    "authentication_factor": MessageField(
        ("authentication_factor_description",), "authentication_factor_id"
    ),
    "certificate": MessageField(("certificate_name",), "certificate_id"),
    "client": MessageField(("api_credential_name",), "client_id"),
    "mapping": MessageField(("mapping_name",), "mapping_id"),
    "trusted_idp": MessageField(("trusted_idp_name",), "trusted_idp_id"),
    "proxy_agent": MessageField(("proxy_agent_name",), "proxy_agent_id"),
    "radius_config": MessageField(("radius_config_name",), "radius_config_id"),
    "user_field": MessageField(("user_field_name",), "user_field_id"),
    "note": MessageField(("note_title",), "note_id"),
    "report": MessageField(("report_name",), "report_id"),
    "task": MessageField(("task_name",)),
    "resource": MessageField((), "resource_type_id"),
    "object": MessageField((), "object_id"),
    "notes": MessageField(("notes",)),
}
"""By placeholder of the catalog's messages."""
