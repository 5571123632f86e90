"""What the catalog says of an event type, made ready to be applied to many events."""

import re
from typing import Final, NamedTuple

from riskstream.catalog.entry import CatalogEntry
from riskstream.catalog.message import PLACEHOLDERS, fill, placeholders_in
from riskstream.events.event import EventTypeRef
from riskstream.events.vendor import MESSAGE_FIELDS, VendorEvent
from riskstream.events.vocabulary import Kind

__all__ = ["Meaning", "meaning_of", "message_of"]

_REFUSALS: Final = frozenset(
    {Kind.LOGIN_FAILURE, Kind.MFA_FAILURE, Kind.MFA_DENIED, Kind.APP_ACCESS_FAILURE}
)
_IDENT_NOUNS: Final = {"actor": "user", "name_id": "user"}
"""What an id is called that stands in for a name, where the placeholder's own noun misleads."""
_BARE_IDENTS: Final = frozenset({"actor_id", "role_id", "directory_sync_run"})
"""Placeholders that ask for an id."""


class Slot(NamedTuple):
    """Where the value of one placeholder comes from."""

    placeholder: str
    names: tuple[str, ...]
    ident: str | None
    prefix: str
    """Stands before an id, as in ``user 7``; empty where the message says it already."""


class Meaning(NamedTuple):
    """One event type."""

    entry: CatalogEntry
    ref: EventTypeRef
    slots: tuple[Slot, ...]
    fixed_message: str | None
    """The message where nothing has to be filled in."""
    refusal: bool
    """Notes in no known form are the reason of a refusal."""


def meaning_of(event_type_id: int, entry: CatalogEntry) -> Meaning:
    """Prepare one row of the catalog."""
    slots = tuple(_slot(entry.message, name) for name in placeholders_in(entry.message))
    return Meaning(
        entry,
        EventTypeRef(
            event_type_id, entry.api_name, entry.title, entry.kind.value, entry.basis.value
        ),
        slots,
        None if slots else fill(entry, {}),
        entry.kind in _REFUSALS,
    )


def message_of(meaning: Meaning, event: VendorEvent) -> str:
    """The event told in a sentence."""
    if meaning.fixed_message is not None:
        return meaning.fixed_message
    values: dict[str, str] = {}
    for placeholder, names, ident, prefix in meaning.slots:
        for field in names:
            text = getattr(event, field)
            if text:
                values[placeholder] = text
                break
        else:
            number = None if ident is None else getattr(event, ident)
            if number is not None and number != "":
                values[placeholder] = f"{prefix}{number}"
    return fill(meaning.entry, values)


def _slot(message: str, placeholder: str) -> Slot:
    source = MESSAGE_FIELDS[placeholder]
    noun = _IDENT_NOUNS.get(placeholder, PLACEHOLDERS[placeholder].noun)
    said = re.search(rf"\b{re.escape(noun)}\s+\{{{placeholder}\}}", message, re.IGNORECASE)
    bare = said is not None or placeholder in _BARE_IDENTS
    prefix = "" if bare else f"{noun} "
    if message.startswith(f"{{{placeholder}}}"):
        prefix = prefix[:1].upper() + prefix[1:]
    return Slot(placeholder, source.names, source.ident, prefix)
