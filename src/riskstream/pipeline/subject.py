"""Whose behaviour an event is."""

from msgspec import Struct

from riskstream.events.keys import client_key, name_key, system_key, type_key, user_key
from riskstream.events.text import clean
from riskstream.events.vendor import VendorEvent
from riskstream.events.vocabulary import SubjectRule
from riskstream.pipeline.validate import Valid

__all__ = ["Subject", "client_id_of", "subject_of"]


class Subject(Struct, frozen=True, gc=False):
    """The key of an event's record, and what it stands for."""

    key: str
    type: str
    """``user``, ``client``, ``system``, ``name`` or ``type``."""
    profiled: bool
    """Users, clients and systems keep a profile."""


def subject_of(event: VendorEvent, valid: Valid, rule: SubjectRule) -> Subject:
    """The subject by the catalog's rule: the user acted upon, or the principal who acts."""
    account = valid.account_id
    if rule is SubjectRule.USER:
        user_id = valid.user_id
    elif valid.assuming_user_id is not None:
        user_id = valid.assuming_user_id
    else:
        user_id = valid.actor_user_id
    if user_id is not None:
        return Subject(user_key(account, user_id), "user", True)
    if rule is SubjectRule.USER:
        name = clean(event.user_name) or clean(event.login_name)
        if name:
            return Subject(name_key(account, name), "name", False)
    elif client := client_id_of(event):
        return Subject(client_key(account, client), "client", True)
    elif system := clean(event.actor_system):
        return Subject(system_key(account, system), "system", True)
    elif valid.user_id is not None:
        return Subject(user_key(account, valid.user_id), "user", True)
    return Subject(type_key(account, valid.event_type_id), "type", False)


def client_id_of(event: VendorEvent) -> str | None:
    """Id of the API credential that acted."""
    ident = event.client_id
    if ident is None:
        return None
    return clean(ident if isinstance(ident, str) else str(ident))
