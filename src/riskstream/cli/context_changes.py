"""What a file of context changes in what is known already."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from riskstream.cli.context_file import UserId
from riskstream.errors import CheckFailedError
from riskstream.events.context import UserContext
from riskstream.events.record import Output
from riskstream.pipeline.context import REMOVED, context_output
from riskstream.risk.context_rows import ContextRow

__all__ = ["ContextChanges", "by_id", "compare", "refuse_hasty"]

FEW = 10
"""So many may be forgotten without a question."""


@dataclass(slots=True)
class ContextChanges:
    """Users by what becomes of them."""

    new: dict[UserId, UserContext] = field(default_factory=dict)
    changed: dict[UserId, UserContext] = field(default_factory=dict)
    unchanged: int = 0
    removed: list[UserId] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed)

    def outputs(self, at_ms: int) -> list[Output]:
        """The records that say so, loaded at this time."""
        said = {**self.new, **self.changed, **dict.fromkeys(self.removed, REMOVED)}
        return [context_output(*user, context, at_ms) for user, context in said.items()]

    def made_in(self, rows: Mapping[str, ContextRow]) -> bool:
        """Whether these rows stand as the changes say."""
        said = {**self.new, **self.changed}
        return all(
            (row := rows.get(str(user))) is not None and row.context == context
            for user, context in said.items()
        ) and not any(str(user) in rows for user in self.removed)

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "new": len(self.new),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "removed": len(self.removed),
        }


def compare(
    users: Mapping[UserId, UserContext], rows: Mapping[str, ContextRow], *, delete_missing: bool
) -> ContextChanges:
    """What is in the file against what is known.

    Args:
        users: The file's.
        rows: What is known, by subject.
        delete_missing: Users of the file's accounts that it does not list go.
    """
    changes = ContextChanges()
    for user, context in users.items():
        row = rows.get(str(user))
        if row is None:
            changes.new[user] = context
        elif row.context != context:
            changes.changed[user] = context
        else:
            changes.unchanged += 1
    if delete_missing:
        accounts = {user.account_id for user in users}
        known = (UserId(*by_id(subject)) for subject in rows)
        changes.removed = sorted(
            user for user in known if user.account_id in accounts and user not in users
        )
    return changes


def refuse_hasty(changes: ContextChanges, rows: Mapping[str, ContextRow]) -> None:
    """A file that was cut short must not make privileged users ordinary.

    Raises:
        CheckFailedError: More than half of the users known would go.
    """
    gone = len(changes.removed)
    if gone > FEW and 2 * gone > len(rows):
        raise CheckFailedError(
            f"{gone} of {len(rows)} users are not in the file and would be forgotten; nothing was "
            "loaded. If the file is whole, load it again with --force."
        )


def by_id(subject: str) -> tuple[int, int]:
    """Account and user of a subject."""
    account, _, user = subject.partition(":")
    return int(account), int(user)
