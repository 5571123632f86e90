"""One row of the catalog."""

from dataclasses import dataclass

from riskstream.events.vocabulary import (
    Basis,
    Category,
    Change,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
    SubjectRule,
)

__all__ = ["CatalogEntry"]


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What one event type means."""

    id: int | None
    """``event_type_id``; None for the two lines of the article that have no public id."""
    api_name: str
    """OneLogin's constant, ``USER_FAILED_ONELOGIN_LOGIN``."""
    category: Category
    basis: Basis
    template: str
    """The article's line as printed; empty for ids that have none."""
    title: str
    """Readable name: ``User failed OneLogin login``."""
    message: str
    """The template with its placeholders marked: ``{user} failed authentication``."""
    outcome: EventOutcome
    kind: Kind
    subject: SubjectRule
    sensitivity: Sensitivity
    change: Change | None
    """What it does to the rows of ``user_id``; None for nearly all."""
    scope: LockScope
    """What ``change`` is about."""
    why: str
    """On what basis kind, sensitivity and category were assigned; one short phrase."""
