"""The internal form of rows: there and back, small, with their age in front."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.vocabulary import FailureKind, LockScope
from riskstream.windows.failures import FailuresRow, KindPanes
from riskstream.windows.lockouts import LockoutsRow, Register, ScopeState
from riskstream.windows.packed import (
    body,
    header,
    is_packed,
    pack_failures,
    pack_lockouts,
    packed_as_of,
    unpack_failures,
    unpack_lockouts,
)
from riskstream.windows.rows import encode_failures
from tests.support.risk import NOON

_times = st.integers(0, 253_402_300_799_999)
_panes = st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(1, 1 << 20)), max_size=5).map(
    tuple
)
_kinds = st.lists(st.builds(KindPanes, st.sampled_from(FailureKind), _panes, _panes), max_size=4)
_register = st.builds(
    Register, _times, st.text(max_size=30), st.integers(-1, 1 << 31), st.none() | _times
)
_scopes = st.lists(
    st.builds(ScopeState, st.sampled_from(LockScope), *[st.none() | _register] * 4), max_size=4
)


@given(st.builds(FailuresRow, st.text(), _times, st.integers(0, 1 << 62), _kinds.map(tuple)))
def test_a_failures_row_comes_back_as_it_was(row: FailuresRow) -> None:
    """Its time can be told without decoding it."""
    packed = pack_failures(row)
    assert unpack_failures(row.subject, packed) == row
    assert packed_as_of(packed) == row.as_of_ms


@given(
    st.builds(LockoutsRow, st.text(), _times, st.integers(0, 1 << 62), _scopes.map(tuple), _panes)
)
def test_a_lockouts_row_comes_back_as_it_was(row: LockoutsRow) -> None:
    """Its time can be told without decoding it."""
    packed = pack_lockouts(row)
    assert unpack_lockouts(row.subject, packed) == row
    assert packed_as_of(packed) == row.as_of_ms


def test_a_row_takes_a_tenth_of_its_public_form() -> None:
    """Of one failure."""
    panes = KindPanes(FailureKind.LOGIN, ((NOON // 60_000, 1),), ((NOON // 900_000, 1),))
    row = FailuresRow("1234:7", NOON, 41, (panes,))
    assert len(pack_failures(row)) <= len(encode_failures(row)) / 10


def test_times_out_of_range_are_held_at_its_ends() -> None:
    """They only decide when a row expires."""
    assert packed_as_of(header(-1)) == 0
    assert packed_as_of(header(1 << 60)) == (1 << 48) - 1


@pytest.mark.parametrize("row", [b"", b"[1]", b'{"a":1}', b"\x02" + b"\0" * 20, b"\x01\0\0"])
def test_other_forms_are_told_apart(row: bytes) -> None:
    """JSON, other versions and what is cut short."""
    assert not is_packed(row)
    with pytest.raises(ValueError, match="not a packed row"):
        body(row)


def test_a_body_that_is_none_is_refused() -> None:
    """Behind a good header."""
    with pytest.raises(ValueError, match=r"MessagePack|Expected"):
        unpack_failures("1234:7", header(NOON) + b"\x93")
