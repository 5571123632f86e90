"""Rows of context: the same through either form."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.contract.check import check_document
from riskstream.events.context import UserContext
from riskstream.risk.context_rows import (
    ContextRow,
    decode_context,
    encode_context,
    pack_context,
    unpack_context,
)
from riskstream.windows.packed import packed_as_of

NAMES = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=20)
CONTEXTS = st.builds(
    UserContext,
    groups=st.lists(NAMES, max_size=4, unique=True).map(lambda each: tuple(sorted(each))),
    privileged=st.booleans(),
    service_account=st.booleans(),
    email=st.none() | NAMES,
    department=st.none() | NAMES,
)


@given(CONTEXTS, st.integers(0, 2**62))
def test_a_row_read_back_is_the_row(context: UserContext, offset: int) -> None:
    """On the topic, where it is valid by its schema, and in the stores, where it has no time."""
    row = ContextRow("1234:7", offset, context)
    shown = encode_context(row)
    assert check_document("context_row", json.loads(shown)) == []
    assert decode_context(shown) == row
    packed = pack_context(row)
    assert unpack_context("1234:7", packed) == row
    assert packed_as_of(packed) == 0


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"schema_version":2}'])
def test_what_is_no_row_is_refused(value: bytes) -> None:
    """As a ValueError, which the shell turns into a fault that names the row."""
    with pytest.raises(ValueError, match=r".+"):
        decode_context(value)


def test_a_row_of_a_later_form_is_refused() -> None:
    """Its fields may mean something else."""
    row = encode_context(ContextRow("1234:7", 1, UserContext()))
    with pytest.raises(ValueError, match="schema_version 9"):
        decode_context(row.replace(b'"schema_version":1', b'"schema_version":9'))
