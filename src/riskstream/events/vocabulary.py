"""The closed sets that the catalog, the pipeline and the wire share."""

from enum import StrEnum

__all__ = [
    "FAILURE_KINDS",
    "Basis",
    "Category",
    "Change",
    "EventOutcome",
    "FailureKind",
    "Kind",
    "LockScope",
    "Sensitivity",
    "SubjectRule",
    "View",
]


class Category(StrEnum):
    """OneLogin's four categories (KB0010422, 2023-09-29), and ours for ids that are in no list."""

    APPS = "apps"
    USERS = "users"
    ONELOGIN = "onelogin"
    PROVISIONING = "provisioning"
    UNCATALOGED = "uncataloged"


class EventOutcome(StrEnum):
    """Whether the thing that the event tells of went well; not the pipeline's ``Outcome``."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Why an event type has its category."""

    ARTICLE = "article"
    """A line of the article stands for this id."""
    INFERRED = "inferred"
    """The id has no line; it took the category of its nearest kin."""
    UNKNOWN = "unknown"
    """The id is in no list at all."""


class FailureKind(StrEnum):
    """The kinds that the failures table counts."""

    LOGIN = "login"
    MFA = "mfa"
    APP_ACCESS = "app_access"
    PROVISIONING = "provisioning"
    ADMIN_DENIED = "admin_denied"
    API = "api"
    OIDC = "oidc"
    DIRECTORY = "directory"
    HOOKS = "hooks"


class Kind(StrEnum):
    """What an event type means to subject, tables and risk."""

    LOGIN_SUCCESS = "login_success"
    LOGIN_FAILURE = "login_failure"
    LOGIN_OTHER = "login_other"
    """A step of a session that neither lets in nor refuses: logout, redirect, session expiry."""
    MFA_CHALLENGE = "mfa_challenge"
    MFA_SUCCESS = "mfa_success"
    MFA_FAILURE = "mfa_failure"
    MFA_DENIED = "mfa_denied"
    """The owner of the factor said no to a push; counts as an MFA failure."""
    APP_ACCESS = "app_access"
    APP_ACCESS_FAILURE = "app_access_failure"
    LOCKOUT = "lockout"
    """The system or somebody locked an account, factor, app or directory account."""
    UNLOCK = "unlock"
    PROVISIONING = "provisioning"
    PROVISIONING_FAILURE = "provisioning_failure"
    ADMIN_DENIED = "admin_denied"
    """An administrative change that did not happen."""
    API_ACCESS = "api_access"
    API_FAILURE = "api_failure"
    OIDC = "oidc"
    OIDC_FAILURE = "oidc_failure"
    DIRECTORY = "directory"
    """Directory agents and syncs at work: started, stopped, synchronised."""
    DIRECTORY_FAILURE = "directory_failure"
    HOOK = "hook"
    HOOK_FAILURE = "hook_failure"
    CREDENTIAL_CHANGE = "credential_change"
    """Passwords, API credentials, certificates, keys."""
    FACTOR_CHANGE = "factor_change"
    """An MFA factor or device was added, removed or reset."""
    PRIVILEGE_CHANGE = "privilege_change"
    """Privileges and administrator rights were granted, changed or taken away."""
    ASSUME_USER = "assume_user"
    SECRET_READ = "secret_read"  # noqa: S105  (a kind of event, not a secret)
    """A password, secret or secure note was shown."""
    USER_LIFECYCLE = "user_lifecycle"
    """Users created, updated, suspended, reactivated, deleted."""
    ACCESS_CHANGE = "access_change"
    """Roles, groups and app assignments of users."""
    SECURITY_SETTING_CHANGE = "security_setting_change"
    """Policies, authentication settings, trusted identity providers and the like."""
    CONFIG_CHANGE = "config_change"
    """All other administration."""
    READ = "read"
    """Something was listed, shown or reported."""
    MAPPING = "mapping"
    """Mapping, rule, task and workflow runs."""
    SYSTEM = "system"
    """What the service says about itself."""
    OTHER = "other"
    UNKNOWN = "unknown"
    """Uncataloged."""


class Sensitivity(StrEnum):
    """How much an attacker could gain by it."""

    NONE = "none"
    """Reads, syncs, mappings, sign-ins, notices."""
    ORDINARY = "ordinary"
    """Ordinary administration."""
    SENSITIVE = "sensitive"
    """Privilege, credential, factor and security setting changes, deletions, assumed users."""


class SubjectRule(StrEnum):
    """Whose behaviour an event type tells of."""

    USER = "user"
    """``user_id``, the user acted upon: authentication, MFA, lockout by the system, app access,
    provisioning of a user."""
    PRINCIPAL = "principal"
    """Whoever acted: assuming user, actor, client, system, user, in this order."""


class Change(StrEnum):
    """What an event type does to the state of ``user_id``'s rows, whoever the subject is."""

    LOCK = "lock"
    UNLOCK = "unlock"
    SUSPEND = "suspend"
    """Suspended, deactivated or deleted: shut out until somebody reinstates."""
    REINSTATE = "reinstate"
    RESET = "reset"
    """Password or factor reset by an administrator: a run of failures ends here."""


class LockScope(StrEnum):
    """What is locked."""

    ACCOUNT = "account"
    FACTOR = "factor"
    APP = "app"
    DIRECTORY = "directory"


class View(StrEnum):
    """Forms in which scored events are given to those who speak another schema."""

    OCSF = "ocsf"
    ECS = "ecs"
    CEF = "cef"


FAILURE_KINDS: dict[Kind, FailureKind] = {
    Kind.LOGIN_FAILURE: FailureKind.LOGIN,
    Kind.MFA_FAILURE: FailureKind.MFA,
    Kind.MFA_DENIED: FailureKind.MFA,
    Kind.APP_ACCESS_FAILURE: FailureKind.APP_ACCESS,
    Kind.PROVISIONING_FAILURE: FailureKind.PROVISIONING,
    Kind.ADMIN_DENIED: FailureKind.ADMIN_DENIED,
    Kind.API_FAILURE: FailureKind.API,
    Kind.OIDC_FAILURE: FailureKind.OIDC,
    Kind.DIRECTORY_FAILURE: FailureKind.DIRECTORY,
    Kind.HOOK_FAILURE: FailureKind.HOOKS,
}
"""Every kind of event that counts as a failure, and as which."""
