"""The catalog: what each event type means, by id."""

from dataclasses import dataclass, field
from functools import lru_cache

from riskstream.catalog.entry import CatalogEntry
from riskstream.events.vocabulary import (
    Basis,
    Category,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
    SubjectRule,
)

__all__ = ["Catalog", "unknown_entry"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All event types. Immutable, so one may be shared by everything in a process."""

    entries: tuple[CatalogEntry, ...]
    """Every row, by id; the rows without id last."""
    _by_id: dict[int, CatalogEntry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {entry.id: entry for entry in self.entries if entry.id is not None}
        object.__setattr__(self, "_by_id", by_id)

    def lookup(self, event_type_id: int) -> CatalogEntry:
        """What an id means. Total: an id in no list gets ``unknown_entry``."""
        return self._by_id.get(event_type_id) or unknown_entry(event_type_id)

    def __contains__(self, event_type_id: int) -> bool:
        return event_type_id in self._by_id

    def __len__(self) -> int:
        return len(self.entries)

    def by_category(self, category: Category) -> tuple[CatalogEntry, ...]:
        """The rows of one category, in order."""
        return tuple(entry for entry in self.entries if entry.category is category)

    def search(self, text: str) -> tuple[CatalogEntry, ...]:
        """The rows that hold every word of ``text``, whatever its case, in order.

        A word is looked for in API name, title and template; a number must be the whole id,
        or occur in one of those. Nothing to look for finds every row.
        """
        words = text.casefold().split()
        return tuple(entry for entry in self.entries if _holds(entry, words))


@lru_cache(maxsize=1024)
def unknown_entry(event_type_id: int) -> CatalogEntry:
    """The row that stands for an id in no list.

    Routed to the uncataloged topic and scored like ordinary administration, never dropped. Only
    the latest 1,024 are kept, for senders may make ids up.
    """
    words = f"Unknown event type {event_type_id}"
    return CatalogEntry(
        id=event_type_id,
        api_name=f"UNKNOWN_{event_type_id}",
        category=Category.UNCATALOGED,
        basis=Basis.UNKNOWN,
        template="",
        title=words,
        message=words,
        outcome=EventOutcome.UNKNOWN,
        kind=Kind.UNKNOWN,
        subject=SubjectRule.PRINCIPAL,
        sensitivity=Sensitivity.ORDINARY,
        change=None,
        scope=LockScope.ACCOUNT,
        why="in no list of event types",
    )


def _holds(entry: CatalogEntry, words: list[str]) -> bool:
    number = str(entry.id)
    text = f"{entry.api_name}\n{entry.title}\n{entry.template}".casefold()
    return all(word == number or word in text for word in words)
