"""Subject keys: whose behaviour an event is, as the key of its record and of the tables' rows.

Every key begins with the account and is at most ``MAX_KEY_CHARACTERS`` long.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from riskstream.events.text import clean

__all__ = [
    "MAX_KEY_CHARACTERS",
    "client_key",
    "name_key",
    "system_key",
    "type_key",
    "user_key",
]

MAX_KEY_CHARACTERS: Final = 160
_MAX_PART: Final = 128
_KEPT: Final = 96


def user_key(account_id: int, user_id: int) -> str:
    """``1234:7``."""
    return f"{account_id}:{user_id}"


def client_key(account_id: int, client_id: str) -> str:
    """``1234:client:{id}`` of an API credential."""
    return f"{account_id}:client:{_bounded(client_id)}"


def system_key(account_id: int, name: str) -> str:
    """``1234:system:Mapping``."""
    return f"{account_id}:system:{_bounded(name)}"


def name_key(account_id: int, name: str) -> str:
    """``1234:name:{hash}`` of a name whose user is not known.

    A hash, because people type their password into the field of the name; of the casefolded
    name, because OneLogin does not tell cases apart.
    """
    return f"{account_id}:name:{_digest(name.strip().casefold())}"


def type_key(account_id: int, event_type_id: int) -> str:
    """``1234:type:41``, when nobody is named at all."""
    return f"{account_id}:type:{event_type_id}"


@lru_cache(maxsize=4096)
def _bounded(text: str) -> str:
    """Without control characters; of an overlong text the beginning and a hash of the whole."""
    cleaned = clean(text) or ""
    if len(cleaned) == len(text) and len(text) <= _MAX_PART:
        return cleaned
    if len(cleaned) > _MAX_PART:
        return f"{cleaned[:_KEPT]}~{_digest(text)}"
    return cleaned


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
