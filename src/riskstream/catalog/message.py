"""Message templates: which placeholders there are, and how they are filled in.

This module is the contract between the catalog's data and whoever fills the messages:
``PLACEHOLDERS`` is the closed set of names that may stand in braces in a ``message``, and says
what to pass for each. Values are strings; where both are known, a name beats an id. A value that
is missing, empty or blank gets a fallback that reads well where it stands.

In the article the word ``user`` means either the one acted upon or, in ``User created policy``,
the one who acts. The catalog's messages say ``{user}`` for the former and ``{actor}`` for the
latter, so both can be filled from an event without knowing its type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from riskstream.catalog.entry import CatalogEntry

__all__ = ["MAX_VALUE_CHARACTERS", "PLACEHOLDERS", "Placeholder", "fill", "placeholders_in"]

MAX_VALUE_CHARACTERS = 256
"""A longer value is cut, the last character becoming an ellipsis."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One name that may stand in braces."""

    noun: str
    """What it is called where its value is missing: ``an unknown {noun}``."""
    about: str
    """Which value belongs here."""
    fallback: str | None = None
    """Stands for a missing value as it is, where ``an unknown {noun}`` would not do."""


PLACEHOLDERS: Mapping[str, Placeholder] = MappingProxyType(
    {
        "user": Placeholder("user", "the user acted upon: name, else id"),
        "actor": Placeholder(
            "actor", "who acted: name of user or system, else API client, else id"
        ),
        "actor_id": Placeholder("actor", "id of the user who acted", "unknown id"),
        "name_id": Placeholder(
            "name", "the name that a trusted IdP asserted: login name, else user"
        ),
        "app": Placeholder("app", "application: name, else id"),
        "role": Placeholder("role", "role: name, else id"),
        "role_id": Placeholder("role", "id of the role", "unknown id"),
        "group": Placeholder("group", "group: name, else id"),
        "policy": Placeholder("policy", "policy: name, else id"),
        "privilege": Placeholder("privilege", "privilege: name, else id"),
        "privilege_action": Placeholder("action", "the action that was refused"),
        "directory": Placeholder("directory", "directory: name, else id"),
        "directory_sync_run": Placeholder("run", "id of the directory sync run"),
        "otp_device": Placeholder("OTP device", "OTP device: name, else id"),
        "authentication_factor": Placeholder(
            "authentication factor", "authentication factor: description, else type, else id"
        ),
        "certificate": Placeholder("certificate", "certificate: name, else id"),
        "client": Placeholder("API credential", "API credential: name, else client id"),
        "mapping": Placeholder("mapping", "mapping: name, else id"),
        "trusted_idp": Placeholder("trusted IdP", "trusted identity provider: name, else id"),
        "proxy_agent": Placeholder("proxy agent", "proxy agent: name, else id"),
        "radius_config": Placeholder("RADIUS configuration", "RADIUS configuration: name, else id"),
        "user_field": Placeholder("user field", "custom user field: name, else id"),
        "note": Placeholder("note", "secure note: id, else title"),
        "report": Placeholder("report", "report: name, else id"),
        "task": Placeholder("task", "task or workflow: name"),
        "resource": Placeholder("resource", "what an API call read: resource type"),
        "object": Placeholder("object", "any other object: id"),
        "notes": Placeholder("note", "the event's notes", "no details"),
    }
)
"""Every placeholder by name. Passing other names does no harm; they are not looked at."""


class _Slot(NamedTuple):
    name: str
    fallback: str
    after: str
    """Literal text up to the next slot or the end."""


class _Parts(NamedTuple):
    before: str
    slots: tuple[_Slot, ...]


def fill(entry: CatalogEntry, values: Mapping[str, str]) -> str:
    """The entry's message with values put in.

    Args:
        entry: Any row of the catalog; its message has been checked by the loader.
        values: By placeholder name. Hostile values are harmless: control characters, line
            breaks, lone surrogates and marks that turn the direction of writing become spaces,
            and each value is cut to ``MAX_VALUE_CHARACTERS``. Braces mean nothing in a value.
    """
    before, slots = _parts(entry.message)
    if not slots:
        return before
    pieces = [before]
    for name, fallback, after in slots:
        value = values.get(name)
        pieces.append((_clean(value) if value else "") or fallback)
        pieces.append(after)
    return "".join(pieces)


def placeholders_in(message: str) -> tuple[str, ...]:
    """Names of the placeholders of a message, in order.

    Raises:
        ValueError: A brace is unbalanced or a name is not in ``PLACEHOLDERS``.
    """
    return tuple(slot.name for slot in _parts(message).slots)


@lru_cache(maxsize=4096)
def _parts(message: str) -> _Parts:
    before, *rest = _SLOT.split(message)
    names, literals = rest[::2], rest[1::2]
    for literal in (before, *literals):
        if "{" in literal or "}" in literal:
            raise ValueError(f"brace without its partner, or no name in braces, in {message!r}")
    slots: list[_Slot] = []
    preceding = before
    for name, following in zip(names, literals, strict=True):
        if name not in PLACEHOLDERS:
            raise ValueError(f"{{{name}}} is no placeholder; known are {', '.join(PLACEHOLDERS)}")
        fallback = _fallback(PLACEHOLDERS[name], preceding, following)
        if not preceding and not slots:
            fallback = fallback[:1].upper() + fallback[1:]
        slots.append(_Slot(name, fallback, following))
        preceding = following
    return _Parts(before, tuple(slots))


def _fallback(placeholder: Placeholder, preceding: str, following: str) -> str:
    """``user (unknown)`` and ``an unknown mapping``, never ``user an unknown user``."""
    if placeholder.fallback is not None:
        return placeholder.fallback
    noun = placeholder.noun.casefold()
    said = preceding.casefold().rstrip()
    if said.endswith(noun) or said.rpartition(" ")[2] in _TITLES:
        return "(unknown)"
    if following.casefold().lstrip().startswith(noun):
        return "an unknown"
    return f"an unknown {placeholder.noun}"


def _clean(value: str) -> str:
    if len(value) > MAX_VALUE_CHARACTERS:
        value = value[: MAX_VALUE_CHARACTERS - 1] + "…"
    if value.isprintable():
        return value.strip()
    return _HOSTILE.sub(" ", value).strip()


_TITLES = frozenset(
    {"admin", "authenticator", "connector", "idp", "parameter", "sync", "tidp", "user"}
)
"""Words of the article that stand before a name and say what it is the name of."""
_SLOT = re.compile(r"\{([a-z_]+)\}")
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"  # controls, line ends, lone surrogates
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # marks that turn the direction of writing
)
