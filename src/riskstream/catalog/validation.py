"""Checks that make a row an entry. Every check adds its faults and lets the others run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from riskstream.catalog.entry import CatalogEntry
from riskstream.catalog.message import placeholders_in
from riskstream.catalog.rows import Row
from riskstream.events.vocabulary import (
    FAILURE_KINDS,
    Basis,
    Category,
    Change,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
    SubjectRule,
)

__all__ = ["build_entry", "find_duplicates", "find_shared_names"]

MAX_ID = 2**63 - 1
"""Ids travel as 64-bit integers."""


def build_entry(row: Row, faults: list[str]) -> CatalogEntry | None:
    """The entry that a row stands for; None, and every fault of it in ``faults``, if it has any."""
    found = [f"{row.place}: {fault}" for fault in _faults_of(row.cells)]
    if found:
        faults.extend(found)
        return None
    cells = row.cells
    return CatalogEntry(
        id=int(cells["id"]) if cells["id"] else None,
        api_name=cells["api_name"],
        category=Category(cells["category"]),
        basis=Basis(cells["basis"]),
        template=cells["template"],
        title=cells["title"],
        message=cells["message"],
        outcome=EventOutcome(cells["outcome"]),
        kind=Kind(cells["kind"]),
        subject=SubjectRule(cells["subject"]),
        sensitivity=Sensitivity(cells["sensitivity"]),
        change=Change(cells["change"]) if cells["change"] else None,
        scope=LockScope(cells["scope"]) if cells["scope"] else LockScope.ACCOUNT,
        why=cells["why"],
    )


def find_duplicates(rows: Sequence[Row], faults: list[str]) -> None:
    """Fault each row whose id an earlier row of the same file has."""
    first: dict[str, int] = {}
    for row in rows:
        key = row.cells["id"]
        if key and first.setdefault(key, row.line) != row.line:
            faults.append(f"{row.place}: id: {key} is on line {first[key]} already")


def find_shared_names(rows: Sequence[Row], taken: Mapping[str, str], faults: list[str]) -> None:
    """Fault each row whose API name belongs to another id.

    Args:
        rows: Rows to check, also against each other.
        taken: Id by API name, of entries outside ``rows``.
        faults: Gets the faults.
    """
    owners = dict(taken)
    for row in rows:
        name, key = row.cells["api_name"], row.cells["id"]
        if name and owners.setdefault(name, key) != key:
            faults.append(f"{row.place}: api_name: {name} is the name of id {owners[name]}")


def _faults_of(cells: Mapping[str, str]) -> Iterator[str]:
    yield from _identity_faults(cells)
    for name, members in _CLOSED.items():
        if cells[name] not in members:
            yield f"{name}: {cells[name]!r} is none of {', '.join(filter(None, members))}"
    yield from _text_faults(cells)
    yield from _meaning_faults(cells)


def _identity_faults(cells: Mapping[str, str]) -> Iterator[str]:
    key, name = cells["id"], cells["api_name"]
    if key and not (_INTEGER.fullmatch(key) and int(key) <= MAX_ID):
        yield f"id: {key!r} is no positive integer"
    if key and not _API_NAME.fullmatch(name):
        yield f"api_name: {name!r} is no constant such as USER_LOCKED"
    if not key and name:
        yield "api_name: a row without an id has none"


def _text_faults(cells: Mapping[str, str]) -> Iterator[str]:
    for name in ("title", "message", "why"):
        if not cells[name]:
            yield f"{name}: empty"
    for name in ("template", "title", "message", "why"):
        if not cells[name].isprintable():
            yield f"{name}: holds a control character"
    try:
        placeholders_in(cells["message"])
    except ValueError as fault:
        yield f"message: {fault}"


def _meaning_faults(cells: Mapping[str, str]) -> Iterator[str]:
    if (cells["basis"] == Basis.ARTICLE) != bool(cells["template"]):
        yield "template: stands exactly where basis is article"
    if (cells["outcome"] == EventOutcome.FAILURE) != (cells["kind"] in FAILURE_KINDS):
        yield (
            f"kind: {cells['kind']!r} does not go with outcome {cells['outcome']!r}; a failure has "
            f"one of the kinds {', '.join(FAILURE_KINDS)}, and nothing else has"
        )
    if bool(cells["change"]) != bool(cells["scope"]):
        yield "scope: stands exactly where there is a change"
    for kind, change in ((Kind.LOCKOUT, Change.LOCK), (Kind.UNLOCK, Change.UNLOCK)):
        if (cells["kind"] == kind) != (cells["change"] == change):
            yield f"change: {change} goes with kind {kind} and with nothing else"


def _values(members: type[StrEnum]) -> tuple[str, ...]:
    return tuple(str(member) for member in members)


_CLOSED = {
    "category": _values(Category),
    "basis": _values(Basis),
    "outcome": _values(EventOutcome),
    "kind": _values(Kind),
    "subject": _values(SubjectRule),
    "sensitivity": _values(Sensitivity),
    "change": ("", *_values(Change)),
    "scope": ("", *_values(LockScope)),
}
_INTEGER = re.compile(r"[1-9][0-9]{0,18}")
_API_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
