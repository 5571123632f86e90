"""What administrators, API clients, directories and the service itself do all day."""

import random

from riskstream.demo.everyday import SECOND, Activity, chance, desk
from riskstream.demo.tenant import Person, Tenant
from riskstream.demo.tenant_event import (
    EventType,
    Fields,
    Place,
    TenantEvent,
    about,
    about_app,
    about_user,
    by_client,
    by_system,
    by_user,
    from_place,
    notes,
)

__all__ = ["BACKOFFICE", "CLIENT_PLACE"]

CLIENT_PLACE = Place("192.0.2.200", "")
SYNC_PLACE = Place("192.0.2.201", "")

ABOUT_USERS: tuple[EventType, ...] = (
    "UPDATED_USER",
    "UPDATED_USER",
    "CREATED_USER",
    "ACTIVATED_USER",
    "USER_INVITED",
    "USER_LICENSED_MANUALLY",
    "USER_MARKED_TASK_COMPLETE",
    "USER_INITIATED_ONBOARDING",
)
ABOUT_ROLES_OF_USERS: tuple[EventType, ...] = (
    "USER_MANUALLY_ADDED_TO_ROLE",
    "USER_MANUALLY_REMOVED_FROM_ROLE",
)
ABOUT_APPS_OF_USERS: tuple[EventType, ...] = (
    "USER_APP_REQUEST_APPROVED",
    "MANUALLY_ADDED_LOGIN",
)
ABOUT_APPS: tuple[EventType, ...] = (
    "APP_CREATED_BY_USER",
    "APP_UPDATED_BY_USER",
    "APP_ADDED_TO_ROLE",
    "APP_REMOVED_FROM_ROLE",
    "CONNECTOR_UPDATED",
    "PARAMETER_UPDATED",
)
ABOUT_TENANT: tuple[EventType, ...] = (
    "ROLE_CREATED",
    "GROUP_CREATED",
    "MAPPING_UPDATED",
    "MAPPING_ADDED",
    "REAPPLIED_MAPPINGS",
    "REPORT_GENERATED",
    "REPORT_CREATED_BY_USER",
    "BRANDING_UPDATED",
    "COMPANY_INFO_UPDATED",
    "USER_FIELD_ADDED",
    "HOOKS_LIST_FUNCTION",
    "HOOKS_GET_FUNCTION_LOGS",
    "SELF_REGISTRATION_PROFILE_UPDATED",
)
HELP_DESK: tuple[EventType, ...] = (
    "ADMIN_CHANGED_USER_PASSWORD",
    "TEMP_OTP_TOKEN_GENERATED",
    "FORCE_LOGOUT_USER",
)
READS_BY_API: tuple[EventType, ...] = (
    "API_INDEX_ACTION",
    "API_SHOW_ACTION",
    "ROLE_LIST_SUCCESS",
    "ROLE_GET_SUCCESS",
    "ROLE_LIST_USERS_SUCCESS",
    "APP_RULES_LIST_SUCCESS",
    "APP_RULES_GET_SUCCESS",
    "APP_RULES_LIST_CONDITIONS_SUCCESS",
    "APP_RULES_DRYRUN_SUCCESS",
)
CHANGES_BY_API: tuple[EventType, ...] = (
    "API_UPDATE_USER",
    "API_SET_CUSTOM_ATTRS",
    "API_ADD_ROLES",
)
TOKENS_BY_API: tuple[EventType, ...] = (
    "OIDC_CLIENT_CREDENTIALS_SUCCESS",
    "OIDC_REFRESH_TOKEN_SUCCESS",
    "OIDC_VALIDATE_TOKEN_SUCCESS",
    "OIDC_USER_INFO_SUCCESS",
    "API_AUTH_ISSUE_TOKEN",
)
PROVISIONED: tuple[EventType, ...] = (
    *("USER_UPDATED_IN_APP",) * 20,
    *("USER_CREATED_IN_APP",) * 8,
    *("USER_LINKED_IN_APP",) * 4,
    "USER_REACTIVATED_IN_APP",
)
NOT_PROVISIONED: tuple[EventType, ...] = (
    "USER_FAILED_UPDATING_IN_APP",
    "USER_FAILED_CREATING_IN_APP",
    "APP_COULD_NOT_AUTHENTICATE",
    "PROVISIONING_EXCEPTION",
)
SYNCED: tuple[EventType, ...] = ("UPDATED_USER", "IMPORTED_USER", "USERS_IMPORTED_FROM_DIRECTORY")
MAPPED: tuple[EventType, ...] = (
    "USER_MAPPINGS_SUCCEEDED",
    "USER_AUTO_ADDED_TO_ROLE",
    "USER_AUTO_REMOVED_FROM_ROLE",
)
SERVICE_NOTES: tuple[EventType, ...] = (
    "AD_CONNECTOR_STARTED",
    "AD_CONNECTOR_CONFIG_RELOAD",
    "LDAP_CONNECTOR_NOTIFICATION",
    "AD_CONNECTOR_EXCEPTION",
    "CERTIFICATE_EXPIRES",
    "JOB_IN_QUEUE",
    "DIRECTORY_EXPORT_SUCCESS",
    "NO_USERS_TO_IMPORT_FROM_DIRECTORY",
)

SERVICE, DIRECTORY, MAPPING = -1, -2, -3
"""Numbers that stand for systems among the owners; negative, so that no user has them."""


def administration(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """An administrator changes a few things from the usual place."""
    admin = tenant.admin(rng)
    events: list[TenantEvent] = []
    at_ms = start_ms
    for _ in range(rng.randrange(1, 5)):
        at_ms += rng.randrange(20, 240) * SECOND
        change = _user_change if chance(rng, 0.55) else _tenant_change
        events.append(change(tenant, rng, at_ms, admin))
    return events


def _user_change(tenant: Tenant, rng: random.Random, at_ms: int, admin: Person) -> TenantEvent:
    there, whom = from_place(desk(admin)), about_user(tenant.bystander(rng))
    if chance(rng, 0.25):
        role = about("role", rng.choice(tenant.roles))
        return by_user(at_ms, rng.choice(ABOUT_ROLES_OF_USERS), admin, there, whom, role)
    if chance(rng, 0.25):
        app = about_app(rng.choice(tenant.apps))
        return by_user(at_ms, rng.choice(ABOUT_APPS_OF_USERS), admin, there, whom, app)
    return by_user(at_ms, rng.choice(ABOUT_USERS), admin, there, whom)


def _tenant_change(tenant: Tenant, rng: random.Random, at_ms: int, admin: Person) -> TenantEvent:
    """One change of the tenant's own set-up; nobody is acted upon."""
    there = from_place(desk(admin))
    nobody: Fields = {"user_id": None, "user_name": None, "login_name": None}
    if chance(rng, 0.2):
        group = about("group", rng.choice(tenant.groups))
        told = notes("\nPolicy  changed from Default policy to Strict MFA")
        return by_user(at_ms, "GROUP_UPDATED", admin, there, nobody, group, told)
    if chance(rng, 0.4):
        app = about_app(rng.choice(tenant.apps))
        role = about("role", rng.choice(tenant.roles))
        return by_user(at_ms, rng.choice(ABOUT_APPS), admin, there, nobody, app, role)
    return by_user(at_ms, rng.choice(ABOUT_TENANT), admin, there, nobody)


def help_desk(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """An administrator helps somebody who cannot get in."""
    admin = tenant.admin(rng)
    whom = about_user(tenant.bystander(rng))
    return [by_user(start_ms, rng.choice(HELP_DESK), admin, from_place(desk(admin)), whom)]


def api_reads(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """A client takes a token and reads."""
    client = rng.choice(tenant.clients)
    there = from_place(CLIENT_PLACE)
    events = [by_client(start_ms, rng.choice(TOKENS_BY_API), client, there)]
    at_ms = start_ms
    for _ in range(rng.randrange(1, 6)):
        at_ms += rng.randrange(1, 4) * SECOND
        events.append(by_client(at_ms, rng.choice(READS_BY_API), client, there))
    if chance(rng, 0.04):
        events.append(by_client(at_ms + SECOND, "API_BAD_REQUEST", client, there))
    return events


def api_changes(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """The human resources system keeps people up to date."""
    events: list[TenantEvent] = []
    at_ms = start_ms
    for _ in range(rng.randrange(1, 4)):
        at_ms += rng.randrange(1, 5) * SECOND
        kind, whom = rng.choice(CHANGES_BY_API), about_user(tenant.bystander(rng))
        events.append(by_client(at_ms, kind, tenant.clients[0], from_place(CLIENT_PLACE), whom))
    return events


def provisioning(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """Accounts are written to an app."""
    app = about_app(rng.choice(tenant.apps))
    events: list[TenantEvent] = []
    at_ms = start_ms
    for _ in range(rng.randrange(2, 7)):
        person = tenant.anyone(rng)
        at_ms += rng.randrange(1, 6) * SECOND
        failed = chance(rng, 0.06)
        kind = rng.choice(NOT_PROVISIONED if failed else PROVISIONED)
        fault: Fields = {"error_description": "The application answered 503"} if failed else {}
        parts = about_user(person), app, fault
        events.append(by_system(at_ms, kind, "Provisioning", person.number, *parts))
    return events


def directory_sync(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """A directory is read, and the users that changed there are updated."""
    run = rng.randrange(1_500_000_000, 1_600_000_000)
    which = about("directory", rng.choice(tenant.directories)) | {"directory_sync_run_id": run}

    def event(at_ms: int, kind: EventType, *parts: Fields) -> TenantEvent:
        return by_system(at_ms, kind, "Directory", DIRECTORY, which, *parts)

    events = [event(start_ms, "DIRECTORY_IMPORT_STARTED", {"ipaddr": ""})]
    at_ms = start_ms
    for _ in range(rng.randrange(2, 8)):
        at_ms += rng.randrange(1, 4) * SECOND
        whom = about_user(tenant.anyone(rng))
        events.append(event(at_ms, rng.choice(SYNCED), whom, from_place(SYNC_PLACE)))
    events.append(event(at_ms + SECOND, "DIRECTORY_IMPORT_FINISHED", {"ipaddr": ""}))
    return events


def mapping_run(tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """The mappings run over users and move them between roles."""
    mapping = about("mapping", rng.choice(tenant.mappings))
    events: list[TenantEvent] = []
    at_ms = start_ms
    for _ in range(rng.randrange(2, 6)):
        at_ms += rng.randrange(1, 3) * SECOND
        parts = about_user(tenant.anyone(rng)), about("role", rng.choice(tenant.roles)), mapping
        events.append(by_system(at_ms, rng.choice(MAPPED), "Mapping", MAPPING, *parts))
    return events


def service_notes(_tenant: Tenant, rng: random.Random, start_ms: int) -> list[TenantEvent]:
    """The service and its connectors say how they are."""
    return [by_system(start_ms, rng.choice(SERVICE_NOTES), "", SERVICE)]


BACKOFFICE: tuple[tuple[Activity, float], ...] = (
    (administration, 6.0),
    (help_desk, 0.8),
    (api_reads, 5.0),
    (api_changes, 1.5),
    (provisioning, 6.0),
    (directory_sync, 2.5),
    (mapping_run, 3.0),
    (service_notes, 2.0),
)
"""Activities of administrators and systems, with their weights among all activities."""
