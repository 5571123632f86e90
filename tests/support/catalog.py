"""Catalog files made row by row, and the test's own copies of the lists it must hold."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from riskstream.catalog.rows import COLUMNS

__all__ = ["ARTICLE_LINES", "EVENT_TYPE_IDS", "catalog_text", "cells", "fields", "write_overlay"]

DATA = Path(__file__).parents[1] / "data"

NEW_ROW = {
    "id": "70001",
    "api_name": "USER_SIGNED_A_FORM",
    "category": "users",
    "basis": "inferred",
    "template": "",
    "title": "User signed a form",
    "message": "{user} signed a form",
    "outcome": "success",
    "kind": "other",
    "subject": "principal",
    "sensitivity": "none",
    "change": "",
    "scope": "",
    "why": "of the tests",
}
"""A complete row of an id that no list has."""


def cells(**changes: str) -> dict[str, str]:
    """A complete row of a new id, with changes."""
    return NEW_ROW | changes


def fields(event_type_id: int, **changes: str) -> dict[str, str]:
    """A row of an overlay that names an id and leaves all else as shipped, but for the changes."""
    return dict.fromkeys(COLUMNS, "") | {"id": str(event_type_id)} | changes


def catalog_text(rows: Iterable[Mapping[str, str]], header: Iterable[str] = COLUMNS) -> str:
    """The rows in the catalog's file form."""
    lines = ["\t".join(header)]
    lines.extend("\t".join(row[name] for name in COLUMNS) for row in rows)
    return "\n".join(lines) + "\n"


def write_overlay(folder: Path, *rows: Mapping[str, str]) -> Path:
    """An overlay file with these rows."""
    path = folder / "overlay.tsv"
    path.write_text(catalog_text(rows), encoding="utf-8")
    return path


def _table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ARTICLE_LINES = [(line["category"], line["template"]) for line in _table("article_lines.tsv")]
"""(category, template) of every line of OneLogin's article KB0010422, with repetitions."""
EVENT_TYPE_IDS = {int(line["id"]): line["api_name"] for line in _table("event_type_ids.tsv")}
"""API name by id, of every public event type id."""
