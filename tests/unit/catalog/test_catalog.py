"""Looking up, listing and searching event types."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.catalog.catalog import Catalog, unknown_entry
from riskstream.catalog.loader import load_catalog
from riskstream.catalog.message import fill
from riskstream.events.vocabulary import (
    Basis,
    Category,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
    SubjectRule,
)
from tests.support.catalog import EVENT_TYPE_IDS

CATALOG = load_catalog()


def test_known_id_is_looked_up() -> None:
    """A known id gives its row."""
    assert CATALOG.lookup(19).api_name == "USER_LOCKED"


def test_unknown_id_is_uncataloged() -> None:
    """An id in no list gives a row that is routed and scored all the same."""
    row = CATALOG.lookup(99_999)

    assert (row.id, row.api_name, row.title) == (
        99_999,
        "UNKNOWN_99999",
        "Unknown event type 99999",
    )
    assert (row.category, row.basis, row.kind) == (
        Category.UNCATALOGED,
        Basis.UNKNOWN,
        Kind.UNKNOWN,
    )
    assert (row.outcome, row.subject, row.sensitivity, row.change, row.scope) == (
        EventOutcome.UNKNOWN,
        SubjectRule.PRINCIPAL,
        Sensitivity.ORDINARY,
        None,
        LockScope.ACCOUNT,
    )
    assert fill(row, {}) == "Unknown event type 99999"


@given(st.integers())
def test_lookup_is_total(event_type_id: int) -> None:
    """Any integer at all, negative ones too, gives the row of that id."""
    row = CATALOG.lookup(event_type_id)

    assert row.id == event_type_id
    assert (row.basis is Basis.UNKNOWN) == (event_type_id not in EVENT_TYPE_IDS)


def test_unknown_ids_do_not_pile_up() -> None:
    """A sender who makes ids up cannot fill the memory."""
    for event_type_id in range(10**6, 10**6 + 3000):
        CATALOG.lookup(event_type_id)

    assert unknown_entry.cache_info().currsize <= 1024


def test_contains_tells_known_from_unknown() -> None:
    """Membership is that of the id; looking an id up does not add it."""
    CATALOG.lookup(99_998)

    assert 6 in CATALOG
    assert 99_998 not in CATALOG
    assert len(CATALOG) == 541


def test_catalog_is_immutable() -> None:
    """Nothing can be assigned to a catalog that others share."""
    with pytest.raises(FrozenInstanceError):
        CATALOG.entries = ()  # type: ignore[misc]


def test_catalogs_of_the_same_rows_are_equal() -> None:
    """A catalog is its rows."""
    assert Catalog(CATALOG.entries) == CATALOG
    assert Catalog(CATALOG.entries[:-1]) != CATALOG


def test_by_category_keeps_the_order() -> None:
    """The categories share all rows out among them, each in the order of the catalog."""
    rows = [row for category in Category for row in CATALOG.by_category(category)]

    assert len(rows) == len(CATALOG)
    assert CATALOG.by_category(Category.UNCATALOGED) == ()
    assert [row.id for row in CATALOG.by_category(Category.PROVISIONING)][:3] == [25, 51, 52]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("user_locked_via_api", [553]),
        ("UsEr FaIlEd AuThEnTiCaTiOn", [6, 86, 123, 129, 141, 901]),
        ("19", [19]),
        ("  assume  ", [3, 555]),
        ("otp unlocked", [40]),
        ("smart hook execution", [None, None]),
        ("no such thing", []),
    ],
)
def test_search(text: str, ids: list[int | None]) -> None:
    """Every word must be there, whatever its case: in name, title or template, or as the id."""
    assert [row.id for row in CATALOG.search(text)] == ids


def test_search_for_an_id_finds_that_id_alone() -> None:
    """A number is a whole id, not a part of longer ones."""
    assert [row.id for row in CATALOG.search("6")] == [6]


def test_search_for_nothing_finds_everything() -> None:
    """An empty text is no condition."""
    assert CATALOG.search(" ") == CATALOG.entries
