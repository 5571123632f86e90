"""Filling messages: fallbacks that read well, and values that may be hostile."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.catalog.catalog import unknown_entry
from riskstream.catalog.entry import CatalogEntry
from riskstream.catalog.loader import load_catalog
from riskstream.catalog.message import MAX_VALUE_CHARACTERS, PLACEHOLDERS, fill, placeholders_in

CATALOG = load_catalog()


def entry(message: str) -> CatalogEntry:
    return replace(unknown_entry(1), message=message)


def test_values_are_put_in() -> None:
    """Each placeholder becomes its value."""
    values = {"actor": "User One", "user": "User Seven"}

    assert fill(entry("{actor} assumed {user}"), values) == "User One assumed User Seven"


def test_values_not_asked_for_do_no_harm() -> None:
    """Values of other placeholders are not looked at."""
    assert fill(entry("User limit reached"), {"user": "User Seven"}) == "User limit reached"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("{user} failed authentication", "An unknown user failed authentication"),
        ("Assigned {role} to {user}", "Assigned an unknown role to an unknown user"),
        ("Failed to remove user {user}", "Failed to remove user (unknown)"),
        ("App {app} was created via API", "App (unknown) was created via API"),
        ("via IdP {trusted_idp}", "via IdP (unknown)"),
        ("Admin {actor} changed it", "Admin (unknown) changed it"),
        ("the trusted IdP {trusted_idp}", "the trusted IdP (unknown)"),
        ("{actor} added {mapping} mapping", "An unknown actor added an unknown mapping"),
        ("skipped for {user}; {notes}", "skipped for an unknown user; no details"),
        ("{role} ({role_id}) created", "An unknown role (unknown id) created"),
    ],
)
def test_missing_values_read_well(message: str, text: str) -> None:
    """A missing value becomes a sober phrase that fits the words around it."""
    assert fill(entry(message), {}) == text


@pytest.mark.parametrize("value", ["", " ", "\n\t", "\x00", "\u202e"])
def test_blank_values_count_as_missing(value: str) -> None:
    """A value with nothing to see in it is as good as none."""
    assert fill(entry("{user} locked"), {"user": value}) == "An unknown user locked"


def test_values_are_not_read_as_templates() -> None:
    """Braces and per cent signs in a value stay what they are."""
    hostile = "{actor} %user% {0} {}"

    assert fill(entry("{user} locked"), {"user": hostile, "actor": "x"}) == f"{hostile} locked"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", "a b"),
        ("a\r\n\x1b[31mb", "a   [31mb"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u202eevil", "evil"),
        ("a\ud800b", "a b"),
        ("Zoë ‍x", "Zoë ‍x"),
    ],
)
def test_control_characters_become_spaces(value: str, text: str) -> None:
    """A value cannot break a line, colour a terminal or turn the text around."""
    assert fill(entry("{user} locked"), {"user": value}) == f"{text} locked"


def test_long_values_are_cut() -> None:
    """A value of 256 characters stays; a longer one is cut to 256 with an ellipsis."""
    fits, long = "x" * 256, "x" * 257

    assert fill(entry("{user} locked"), {"user": fits}) == f"{fits} locked"
    assert fill(entry("{user} locked"), {"user": long}) == "x" * 255 + "… locked"


@given(
    row=st.sampled_from(CATALOG.entries),
    values=st.dictionaries(
        st.sampled_from(sorted(PLACEHOLDERS)), st.text(st.characters(), max_size=400)
    ),
)
def test_any_values_give_one_clean_line(row: CatalogEntry, values: dict[str, str]) -> None:
    """Whatever the values: one bounded line of text, encodable, without control characters."""
    text = fill(row, values)

    assert text.encode()
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Zl", "Zp"}
    slots = len(placeholders_in(row.message))
    assert len(text) <= len(row.message) + slots * MAX_VALUE_CHARACTERS


@pytest.mark.parametrize("message", ["{user", "user}", "{}", "{User}", "{user name}", "{{user}}"])
def test_unbalanced_braces_are_refused(message: str) -> None:
    """A brace that marks no placeholder is a fault, not text."""
    with pytest.raises(ValueError, match="brace"):
        placeholders_in(message)


def test_unknown_placeholders_are_refused() -> None:
    """The set of placeholders is closed, and the fault lists it."""
    with pytest.raises(ValueError, match=r"\{username\} is no placeholder; known are user, actor"):
        placeholders_in("{username} locked")


def test_placeholders_are_listed_in_order() -> None:
    """Names come in the order of the message, repeated where it repeats them."""
    assert placeholders_in("{app} {user} {app}") == ("app", "user", "app")
