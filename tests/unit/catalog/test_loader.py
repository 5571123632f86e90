"""Loading: every fault with its line, and overlays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.catalog.loader import load_catalog
from riskstream.catalog.rows import COLUMNS, read_rows, to_cells
from riskstream.catalog.validation import build_entry, find_duplicates
from riskstream.errors import CatalogError, ConfigError
from riskstream.events.vocabulary import Change, Kind, LockScope
from tests.support.catalog import catalog_text, cells, fields, write_overlay

LONGEST_ID = 2**63 - 1


def faults_of(path: Path) -> list[str]:
    """The faults of an overlay, without the folder of the file."""
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    first, *faults = str(caught.value).splitlines()
    assert first.startswith("The catalog has ")
    return [fault.strip().removeprefix(f"{path.parent}/") for fault in faults]


def test_shipped_catalog_loads() -> None:
    """The shipped data has no fault."""
    assert len(load_catalog()) == 541


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "six"}, "id: 'six' is no positive integer"),
        ({"id": "-6"}, "id: '-6' is no positive integer"),
        ({"id": "07"}, "id: '07' is no positive integer"),
        ({"id": "٣"}, "id: '٣' is no positive integer"),
        ({"id": str(LONGEST_ID + 1)}, f"id: '{LONGEST_ID + 1}' is no positive integer"),
        ({"id": "9" * 400}, f"id: '{'9' * 400}' is no positive integer"),
        ({"api_name": ""}, "api_name: '' is no constant such as USER_LOCKED"),
        ({"api_name": "user_locked"}, "api_name: 'user_locked' is no constant such as USER_LOCKED"),
        ({"category": "Users"}, "category: 'Users' is none of apps, users, onelogin"),
        ({"basis": "guess"}, "basis: 'guess' is none of article, inferred, unknown"),
        ({"outcome": ""}, "outcome: '' is none of success, failure, unknown"),
        ({"kind": "login"}, "kind: 'login' is none of login_success"),
        ({"subject": "actor"}, "subject: 'actor' is none of user, principal"),
        ({"sensitivity": "high"}, "sensitivity: 'high' is none of none, ordinary, sensitive"),
        (
            {"change": "delete", "scope": "account"},
            "change: 'delete' is none of lock, unlock, suspend, reinstate, reset",
        ),
        (
            {"change": "reset", "scope": "user"},
            "scope: 'user' is none of account, factor, app, directory",
        ),
        ({"title": ""}, "title: empty"),
        ({"message": ""}, "message: empty"),
        ({"why": ""}, "why: empty"),
        ({"title": "a\x07b"}, "title: holds a control character"),
        ({"message": "{who} signed"}, "message: {who} is no placeholder; known are user"),
        ({"message": "{user signed"}, "message: brace without its partner"),
        ({"basis": "article"}, "template: stands exactly where basis is article"),
        ({"template": "User signed"}, "template: stands exactly where basis is article"),
        ({"outcome": "failure"}, "kind: 'other' does not go with outcome 'failure'; a failure has"),
        ({"kind": "hook_failure"}, "kind: 'hook_failure' does not go with outcome 'success'"),
        ({"change": "reset"}, "scope: stands exactly where there is a change"),
        ({"scope": "account"}, "scope: stands exactly where there is a change"),
        ({"kind": "lockout"}, "change: lock goes with kind lockout and with nothing else"),
        (
            {"change": "unlock", "scope": "account"},
            "change: unlock goes with kind unlock and with nothing else",
        ),
        ({"api_name": "USER_LOCKED"}, "api_name: USER_LOCKED is the name of id 19"),
    ],
)
def test_fault_of_a_row(tmp_path: Path, changes: dict[str, str], fault: str) -> None:
    """Each fault of a row names file, line and field, and is the only one reported."""
    faults = faults_of(write_overlay(tmp_path, cells(id="70000"), cells(**changes)))

    shared = [found for found in faults if "is the name of id 70000" in found]
    [found] = [found for found in faults if found not in shared]
    assert found.startswith(f"overlay.tsv:3: {fault}")


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """Nobody has to correct a file one fault at a time."""
    path = write_overlay(
        tmp_path,
        cells(title="", kind="none"),
        cells(id="70002", api_name="A", why=""),
        cells(id="70002", api_name="B"),
        cells(id=""),
    )

    places = [fault.split(": ")[:2] for fault in faults_of(path)]
    assert sorted(places) == [
        ["overlay.tsv:2", "kind"],
        ["overlay.tsv:2", "title"],
        ["overlay.tsv:3", "why"],
        ["overlay.tsv:4", "id"],
        ["overlay.tsv:5", "api_name"],
        ["overlay.tsv:5", "id"],
    ]


def test_wrong_number_of_columns(tmp_path: Path) -> None:
    """A row that is too short or too long is named with its count."""
    path = tmp_path / "overlay.tsv"
    path.write_text(catalog_text([]) + "6\tUSER\n" + "\t" * len(COLUMNS) + "x\n", encoding="utf-8")

    assert faults_of(path) == [
        "overlay.tsv:2: 2 columns, not 14",
        "overlay.tsv:3: 15 columns, not 14",
    ]


@pytest.mark.parametrize("text", ["", "\n", "id\tapi_name\n", "id,api_name,category\n"])
def test_wrong_header(tmp_path: Path, text: str) -> None:
    """A file without the known header is not read further."""
    path = tmp_path / "overlay.tsv"
    path.write_text(text, encoding="utf-8")

    [fault] = faults_of(path)
    assert fault.startswith("overlay.tsv:1: the header must be, tab-separated: id api_name")


def test_bad_encoding(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are named by their line."""
    path = tmp_path / "overlay.tsv"
    path.write_bytes(catalog_text([cells()]).encode() + b"\xff\n")

    assert faults_of(path) == ["overlay.tsv:3: not UTF-8: invalid start byte"]


def test_unreadable_overlay(tmp_path: Path) -> None:
    """A file that is not there is one clear message, a fault of configuration."""
    with pytest.raises(ConfigError, match=r"missing\.tsv cannot be read: No such file"):
        load_catalog(tmp_path / "missing.tsv")


def test_overlay_changes_single_cells(tmp_path: Path) -> None:
    """Empty cells of a known id keep what is shipped."""
    overlaid = load_catalog(write_overlay(tmp_path, fields(87, sensitivity="ordinary", why="ours")))

    shipped, changed = load_catalog().lookup(87), overlaid.lookup(87)
    assert (changed.sensitivity, changed.why) == ("ordinary", "ours")
    assert to_cells(changed) == to_cells(shipped) | {"sensitivity": "ordinary", "why": "ours"}
    assert len(overlaid) == 541


def test_overlay_empties_cells_with_a_dash(tmp_path: Path) -> None:
    """A dash takes away what is shipped; the scope goes with the change."""
    row = load_catalog(write_overlay(tmp_path, fields(24, change="-"))).lookup(24)

    assert (row.change, row.scope) == (None, LockScope.ACCOUNT)


def test_overlay_gives_a_change(tmp_path: Path) -> None:
    """A type can be made to change the state of its user."""
    row = load_catalog(write_overlay(tmp_path, fields(223, change="suspend", scope="account")))

    assert row.lookup(223).change is Change.SUSPEND


def test_overlay_adds_types_in_order(tmp_path: Path) -> None:
    """New ids take their place; the rows without an id stay last."""
    catalog = load_catalog(write_overlay(tmp_path, cells(id="93"), cells(id="94", api_name="X")))

    ids = [row.id for row in catalog.entries]
    assert ids[ids.index(92) :][:5] == [92, 93, 94, 95, 96]
    assert catalog.lookup(93).kind is Kind.OTHER
    assert ids[-2:] == [None, None]
    assert len(catalog) == 543


def test_overlay_can_swap_names(tmp_path: Path) -> None:
    """A name may move to another id when its owner gives it up in the same file."""
    path = write_overlay(
        tmp_path,
        fields(45, api_name="AD_CONNECTOR_EXCEPTION"),
        fields(47, api_name="AD_CONNECTOR_EXCEPTION_OLD"),
    )

    assert load_catalog(path).lookup(45).api_name == "AD_CONNECTOR_EXCEPTION"


def test_new_id_must_be_complete(tmp_path: Path) -> None:
    """There is nothing shipped that an unknown id could fall back on."""
    faults = faults_of(write_overlay(tmp_path, fields(70_001, title="User signed")))

    assert {fault.split(": ")[1] for fault in faults} == {
        "api_name",
        "category",
        "basis",
        "outcome",
        "kind",
        "subject",
        "sensitivity",
        "message",
        "why",
    }


def test_comments_blank_lines_and_line_ends(tmp_path: Path) -> None:
    """A file from any editor will do: BOM, CRLF, blank lines and comments, lines still counted."""
    text = catalog_text([cells(), cells(id="70002", api_name="B", title="")])
    header, *rows = text.splitlines()
    path = tmp_path / "overlay.tsv"
    path.write_bytes(("\ufeff" + "\r\n".join([header, "# ours", "", *rows, ""])).encode())

    assert faults_of(path) == ["overlay.tsv:5: title: empty"]


def test_shipped_rows_read_back_from_their_cells() -> None:
    """Writing rows out and reading them gives the same rows."""
    shipped = load_catalog().entries
    faults: list[str] = []
    rows = read_rows("copy", catalog_text(map(to_cells, shipped)).encode(), faults)

    assert [build_entry(row, faults) for row in rows] == list(shipped)
    assert faults == []


def test_duplicates_name_the_first_line() -> None:
    """A repeated id points at the line that had it first."""
    faults: list[str] = []
    text = catalog_text([cells(id="1"), cells(id="2"), cells(id="1")])
    find_duplicates(read_rows("copy", text.encode(), faults), faults)

    assert faults == ["copy:4: id: 1 is on line 2 already"]


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_rows_or_faults(data: bytes, headed: bool) -> None:
    """Reading never raises, and every line of it ends as a row or as a fault."""
    faults: list[str] = []
    prefix = catalog_text([]).encode() if headed else b""
    for row in read_rows("any", prefix + data, faults):
        before = len(faults)
        entry = build_entry(row, faults)
        assert (entry is None) == (len(faults) > before)
    assert all(fault.startswith("any:") for fault in faults)
