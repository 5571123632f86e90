"""The published form of a row, ``schemas/catalog.v1.schema.json``."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from riskstream.catalog.entry import CatalogEntry
from riskstream.catalog.loader import load_catalog
from riskstream.catalog.message import PLACEHOLDERS
from riskstream.catalog.rows import COLUMNS, to_object
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

SCHEMAS = Path(__file__).parents[3] / "schemas"
SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "catalog.v1.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
EXAMPLES = sorted((SCHEMAS / "examples" / "catalog.v1").glob("*.json"))


def test_schema_is_a_schema() -> None:
    """The schema itself is valid, and describes every column."""
    Draft202012Validator.check_schema(SCHEMA)

    assert tuple(SCHEMA["properties"]) == COLUMNS


def test_every_row_is_valid() -> None:
    """Every shipped row, as an object without its empty parts, is valid."""
    faults = {row.id: error.message for row in load_catalog().entries for error in faults_of(row)}

    assert faults == {}


def faults_of(row: CatalogEntry) -> list[Any]:
    return list(VALIDATOR.iter_errors(json.loads(json.dumps(to_object(row)))))


def test_empty_parts_are_left_out() -> None:
    """An object has no nulls and no empty strings, and its id is a number."""
    rows = [to_object(row) for row in load_catalog().entries]

    assert all(value not in (None, "") for row in rows for value in row.values())
    assert {type(row["id"]) for row in rows if "id" in row} == {int}
    assert len([row for row in rows if "id" not in row]) == 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    """Valid examples are valid; each invalid one has exactly the fault it is named for."""
    faults = list(VALIDATOR.iter_errors(json.loads(path.read_text("utf-8"))))

    assert len(faults) == (0 if path.stem.startswith("valid") else 1)


def test_there_are_examples_of_both_sorts() -> None:
    """Neither sort of example has gone missing."""
    assert {path.stem.split("-")[0] for path in EXAMPLES} == {"valid", "invalid"}


@pytest.mark.parametrize(
    ("column", "members"),
    [
        ("category", Category),
        ("basis", Basis),
        ("outcome", EventOutcome),
        ("subject", SubjectRule),
        ("sensitivity", Sensitivity),
        ("change", Change),
        ("scope", LockScope),
    ],
)
def test_closed_sets_agree_with_the_code(column: str, members: Any) -> None:
    """What the schema lists is what the loader takes."""
    assert SCHEMA["properties"][column]["enum"] == [str(member) for member in members]


def test_kinds_and_placeholders_agree_with_the_code() -> None:
    """The schema knows every kind, which of them are failures, and every placeholder."""
    failures = SCHEMA["$defs"]["failure_kind"]["enum"]
    others = SCHEMA["properties"]["kind"]["anyOf"][1]["enum"]
    pattern = SCHEMA["properties"]["message"]["pattern"]

    assert failures == [str(kind) for kind in FAILURE_KINDS]
    assert sorted(failures + others) == sorted(str(kind) for kind in Kind)
    assert re.findall(r"[a-z_]+", pattern) == list(PLACEHOLDERS)
