"""Splitting text into documents: what is joined, what is given up, in linear time and memory."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.pipeline.documents import (
    array_members,
    concatenated,
    iter_documents,
    nesting,
    split_documents,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just('}{"][\\'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=4) | st.lists(
    JSON_VALUES, max_size=3
)


def list_documents(text: bytes) -> list[bytes]:
    """All documents of a text."""
    return list(iter_documents(text))


@given(st.lists(st.tuples(DOCUMENTS, st.sampled_from([None, 1, 4])), max_size=6))
def test_documents_come_back_whatever_their_layout(pairs: list[tuple[object, int | None]]) -> None:
    """On one line or pretty-printed over several, with blank lines between."""
    texts = [json.dumps(value, indent=indent).encode() for value, indent in pairs]
    assert list_documents(b"\n\n".join(texts)) == texts


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=50))
def test_no_byte_is_lost_but_blanks(text: bytes, most: int) -> None:
    """The documents behind each other are the text, less blanks between them."""
    lines = text.splitlines(keepends=True)
    joined = b"".join(split_documents(lines, most))
    assert b"".join(joined.split()) == b"".join(text.split())


def test_a_line_that_stays_open_is_given_up_alone() -> None:
    """The lines behind it are read as if it were not there."""
    assert list_documents(b'{"a":1\n{"b":2}\n{"c":\n3}\n') == [b'{"a":1', b'{"b":2}', b'{"c":\n3}']


def test_brackets_in_strings_do_not_count() -> None:
    """Nor do escaped quotes end a string."""
    assert list_documents(b'{"a":"}\\"{["}\n{"b":2}') == [b'{"a":"}\\"{["}', b'{"b":2}']


def test_a_string_ends_with_its_line() -> None:
    """So a line cut off inside a string leaves the next as it is."""
    assert list_documents(b'{"a":"b\n{"c":2}\n') == [b'{"a":"b', b'{"c":2}']


def test_the_splitter_holds_back_no_more_than_it_may() -> None:
    """A document that does not close within ``max_bytes`` does not make it wait for the rest."""
    taken = 0

    def lines() -> Iterator[bytes]:
        nonlocal taken
        yield b"{\n"
        for _ in range(10_000):
            taken += 1
            yield b'"a": 1,\n'

    documents = split_documents(lines(), 100)
    assert next(documents) == b"{"
    assert taken <= 100 // len(b'"a": 1,\n') + 1


def test_lines_that_all_stay_open_cost_linear_work() -> None:
    """Each is looked at once, though each could begin a document that spans all others."""
    lines = 50_000
    assert list_documents(b"{\n" * lines) == [b"{"] * lines
    assert list_documents(b"[\n" * lines + b"]\n" * lines) == [
        (b"[\n" * lines + b"]\n" * lines)[:-1]
    ]


def test_nesting_counts_outside_strings() -> None:
    """The deepest point, however the text goes on."""
    assert nesting(b'{"a":[1,"[[[[",{"b":[]}]}') == 4
    assert nesting(b"[" * 100_000) == 100_000
    assert nesting(b"]]][") == 1


def test_values_behind_each_other_are_told_apart() -> None:
    """With nothing, blanks or commas between; the last may be cut off."""
    assert concatenated(b'{"a":1}{"b":[2]} [3],\n{"c":4},') == [
        b'{"a":1}',
        b'{"b":[2]}',
        b"[3]",
        b'{"c":4}',
    ]
    assert concatenated(b'{"a":1}{"b":') == [b'{"a":1}', b'{"b":']


@pytest.mark.parametrize("text", [b'{"a":1} x {"b":2}', b'{"a":1}]', b"x{}", b"x", b"[1}", b"]"])
def test_text_with_anything_else_between_is_left_whole(text: bytes) -> None:
    """It is not several documents but one broken one."""
    assert concatenated(text) == [text]


def test_members_are_found_in_a_broken_array() -> None:
    """Cut at commas of the array itself."""
    assert array_members(b'[{"a":[1,2]}, NaN ,"x,y", {"b"', b"data") == [
        b'{"a":[1,2]}',
        b"NaN",
        b'"x,y"',
        b'{"b"',
    ]


def test_members_are_found_under_the_key_of_the_outermost_object_only() -> None:
    """A key of the same name further in, or a string, is another."""
    page = b'{"x":{"data":[9]},"y":"data","data" : [{"a":NaN},2],"z":1}'
    assert array_members(page, b"data") == [b'{"a":NaN}', b"2"]
    assert array_members(b'{"x":"data",[1]}', b"data") == []
    assert array_members(b'{"x":1', b"data") == []


class Counted(bytes):
    """Knows how many bytes were copied out of it."""

    copied = 0

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        self.copied += len(part) if isinstance(part, bytes) else 1
        return part


@pytest.mark.parametrize("head", [b"{", b'{"data" x', b'{"data":1,'])
@pytest.mark.parametrize("piece", [b"[]", b"{},", b"[", b'"data",['])
def test_the_array_of_a_broken_page_is_looked_for_in_linear_time(head: bytes, piece: bytes) -> None:
    """Brackets that are no value of it are not copied again and again."""
    text = Counted(head + 5_000 * piece)
    array_members(text, b"data")
    assert text.copied <= 3 * len(text)
