"""Public rows: what a reader sees, and back again without loss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.vocabulary import Change, FailureKind, LockScope
from riskstream.windows.failures import FailuresRow, fold_failure
from riskstream.windows.lockouts import LockChange, LockoutsRow, Register, fold_change, fold_login
from riskstream.windows.rows import (
    decode_failures,
    decode_lockouts,
    encode_failures,
    encode_lockouts,
)
from tests.support.risk import DAY, HOUR, MINUTE, NOON


def _failures(*events: tuple[FailureKind, int]) -> FailuresRow:
    row: FailuresRow | None = None
    for offset, (kind, time_ms) in enumerate(events):
        row = fold_failure(row, "1234:7", kind, time_ms, offset) or row
    assert row is not None
    return row


def test_a_failures_row_says_how_many_and_how_long_that_holds() -> None:
    """Closed lists, no maps; ``valid_until`` is when the oldest counted pane leaves."""
    row = _failures(
        (FailureKind.LOGIN, NOON - 90 * MINUTE),
        (FailureKind.MFA, NOON - 10 * MINUTE),
        (FailureKind.LOGIN, NOON + 30_000),
    )
    value = json.loads(encode_failures(row))
    assert value["as_of"] == "2026-11-23T12:00:30.000Z"
    assert value["windows"] == [
        {
            "window": "5m",
            "total": 1,
            "valid_until": "2026-11-23T12:05:00.000Z",
            "counts": [{"kind": "login", "count": 1}],
        },
        {
            "window": "1h",
            "total": 2,
            "valid_until": "2026-11-23T12:50:00.000Z",
            "counts": [{"kind": "login", "count": 1}, {"kind": "mfa", "count": 1}],
        },
        {
            "window": "24h",
            "total": 3,
            "valid_until": "2026-11-24T10:30:00.000Z",
            "counts": [{"kind": "login", "count": 2}, {"kind": "mfa", "count": 1}],
        },
    ]
    assert (value["schema_version"], value["subject"], value["offset"]) == (1, "1234:7", 2)


def test_a_lockouts_row_shows_each_scope_and_the_counts() -> None:
    """``valid_until`` is absent where there is nothing to run out."""
    lock = LockChange(
        Change.LOCK, LockScope.ACCOUNT, Register(NOON, "1234:1", 19, NOON + 30 * MINUTE)
    )
    row = fold_change(None, "1234:7", lock, 4)
    unlock = LockChange(Change.UNLOCK, LockScope.FACTOR, Register(NOON, "1234:2", 40))
    value = json.loads(encode_lockouts(fold_change(row, "1234:7", unlock, 5)))
    assert value["scopes"] == [
        {
            "scope": "account",
            "locked": True,
            "cause": "locked",
            "since": "2026-11-23T12:00:00.000Z",
            "event_id": "1234:1",
            "event_type_id": 19,
            "until": "2026-11-23T12:30:00.000Z",
            "presumed": True,
        },
        {"scope": "factor", "locked": False},
    ]
    assert value["windows"] == [
        {"window": "24h", "total": 1, "valid_until": "2026-11-24T12:00:00.000Z"},
        {"window": "7d", "total": 1, "valid_until": "2026-11-30T12:00:00.000Z"},
    ]
    empty = json.loads(encode_lockouts(fold_change(None, "1234:7", unlock, 5)))
    assert empty["windows"] == [{"window": "24h", "total": 0}, {"window": "7d", "total": 0}]


def test_a_suspension_has_no_end() -> None:
    """It goes before a lock, and lasts until somebody reinstates."""
    row: LockoutsRow | None = None
    for change, when in ((Change.SUSPEND, NOON), (Change.LOCK, NOON + 1)):
        event = LockChange(change, LockScope.ACCOUNT, Register(when, f"1234:{when}", 21))
        row = fold_change(row, "1234:7", event, 4)
    assert row is not None
    (scope,) = json.loads(encode_lockouts(row))["scopes"]
    assert scope["cause"] == "suspended"
    assert "until" not in scope
    assert "presumed" not in scope


@given(
    st.lists(
        st.tuples(st.sampled_from(FailureKind), st.integers(0, 60 * DAY)), min_size=1, max_size=30
    )
)
def test_a_failures_row_comes_back_as_it_was(events: list[tuple[FailureKind, int]]) -> None:
    """The public form holds all that the row holds."""
    row = _failures(*events)
    assert decode_failures(encode_failures(row)) == row


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Change.LOCK, Change.UNLOCK, Change.SUSPEND, Change.REINSTATE]),
            st.sampled_from(LockScope),
            st.integers(0, 20 * DAY),
            st.none() | st.integers(0, HOUR),
        ),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_a_lockouts_row_comes_back_as_it_was(
    changes: list[tuple[Change, LockScope, int, int | None]], login: bool
) -> None:
    """Registers, panes and all."""
    row: LockoutsRow | None = None
    for offset, (change, scope, when, last) in enumerate(changes):
        register = Register(when, f"1234:{offset}", 19, None if last is None else when + last)
        row = fold_change(row, "1234:7", LockChange(change, scope, register), offset)
    assert row is not None
    if login:
        row = fold_login(row, Register(DAY, "1234:99", 5), 99)
    assert decode_lockouts(encode_lockouts(row)) == row


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"schema_version":1}', b"\xff"])
def test_what_is_no_row_is_refused(value: bytes) -> None:
    """With an error that the state turns into a message."""
    with pytest.raises(ValueError):  # noqa: PT011  (msgspec's text is not ours)
        decode_failures(value)
    with pytest.raises(ValueError):  # noqa: PT011  (the same)
        decode_lockouts(value)


def test_an_unknown_register_is_refused() -> None:
    """Kinds are closed."""
    lock = LockChange(Change.LOCK, LockScope.ACCOUNT, Register(NOON, "1234:1", 19))
    value = encode_lockouts(fold_change(None, "1234:7", lock, 4))
    with pytest.raises(ValueError, match="unknown register"):
        decode_lockouts(value.replace(b'"kind":"locked"', b'"kind":"wished"'))


def test_a_row_at_the_end_of_time_can_be_written() -> None:
    """Without a record's timestamp nothing clips the year 9999; an end after it is shown as it."""
    last = 253_402_300_799_999
    row = _failures((FailureKind.LOGIN, last))
    assert json.loads(encode_failures(row))["windows"][2]["valid_until"].startswith("9999-12-31")
