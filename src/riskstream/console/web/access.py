"""Who somebody is, and what that person may do."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from riskstream.config import ConsoleSettings
from riskstream.errors import ConfigError

__all__ = [
    "EVERYBODY",
    "LOCAL",
    "Person",
    "Role",
    "check_access",
    "is_loopback",
    "of_proxy",
    "role_of",
]

EVERYBODY: Final = "*"


class Role(IntEnum):
    """Each may do what those before it may."""

    NOBODY = 0
    VIEWER = 1
    """Look."""
    ANALYST = 2
    """Export, give feedback."""
    ADMIN = 3
    """Replay dead letters, read the audit log."""

    @property
    def word(self) -> str:
        """For people."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks."""

    name: str
    role: Role
    can_leave: bool = False
    """There is a session to end."""

    def may(self, role: Role) -> bool:
        """Whether what this role may is allowed."""
        return self.role >= role


LOCAL: Final = Person("local", Role.ADMIN)
"""On loopback without login: whoever may start the console."""


def check_access(settings: ConsoleSettings) -> None:
    """See that nobody can get in who should not.

    Raises:
        ConfigError: What is missing, and where to set it.
    """
    if settings.access == "open":
        if not (is_loopback(settings.host) or settings.published_on_loopback):
            raise ConfigError(
                f"The console would listen on {settings.host} without login. Set console.access to "
                "proxy or oidc, or leave console.host at 127.0.0.1. In a container whose port is "
                "published on 127.0.0.1 alone set console.published_on_loopback."
            )
        return
    if not settings.public_url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigError(
            "console.public_url must be the https:// address at which people reach the console."
        )
    if not (settings.viewers or settings.analysts or settings.admins):
        raise ConfigError(
            "Nobody may use the console. Name users or groups in console.viewers, "
            "console.analysts or console.admins; * is everybody who is known."
        )
    oidc = settings.oidc
    if settings.access == "oidc" and not (oidc.issuer and oidc.client_id):
        raise ConfigError("console.oidc.issuer and console.oidc.client_id must be set.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def role_of(settings: ConsoleSettings, name: str, groups: Iterable[str]) -> Role:
    """The highest role that one of these names has."""
    names = {name, *groups}
    for role, members in (
        (Role.ADMIN, settings.admins),
        (Role.ANALYST, settings.analysts),
        (Role.VIEWER, settings.viewers),
    ):
        if EVERYBODY in members or names & set(members):
            return role
    return Role.NOBODY


def of_proxy(settings: ConsoleSettings, connection: HTTPConnection) -> Person | None:
    """Whom a trusted proxy says it is; None when it says nothing, or is not trusted."""
    client = connection.client
    if client is None or client.host not in settings.trusted_proxies:
        return None
    name = _only(connection.headers, settings.proxy_user_header)
    if not name:
        return None
    told = _only(connection.headers, settings.proxy_groups_header) or ""
    groups = [group.strip() for group in told.split(",") if group.strip()]
    return Person(name, role_of(settings, name, groups))


def _only(headers: Headers, name: str) -> str | None:
    """A header that stands there once: a second one was not set by the proxy."""
    found = headers.getlist(name)
    return found[0].strip() if len(found) == 1 else None
