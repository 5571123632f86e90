"""What an operator says of a user: groups, rights, whether a person is behind it at all.

It is no event. It comes through the classified topic as a record of its own kind, and decides
from its place in that log on.
"""

from typing import Annotated

from msgspec import Meta, Struct

__all__ = [
    "MAX_GROUPS",
    "MAX_TEXT_CHARACTERS",
    "MAX_USER_ID",
    "UserContext",
]

MAX_GROUPS = 256
"""Of one user."""
MAX_TEXT_CHARACTERS = 256
"""Of a group, a department, an e-mail address."""
MAX_USER_ID = 2**63 - 1
Named = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS)]


class UserContext(Struct, frozen=True, omit_defaults=True, gc=False):
    """``context`` of a classified record."""

    groups: Annotated[tuple[Named, ...], Meta(max_length=MAX_GROUPS)] = ()
    """Sorted, each once; exceptions of the policy name them."""
    privileged: bool = False
    """May do what others may not: what is odd about it weighs more."""
    service_account: bool = False
    """A program logs in with it: signals about people say nothing."""
    email: Named | None = None
    department: Named | None = None
    removed: bool = False
    """Nothing is known of the user any more; then all else is absent."""
