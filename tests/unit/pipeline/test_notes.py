"""Authentication details out of free text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.event import Auth
from riskstream.pipeline.notes import read_auth


@pytest.mark.parametrize(
    ("notes", "auth"),
    [
        (
            "Authentication method: password (invalid password).",
            Auth("password", "invalid password"),
        ),
        ("Authentication method: password + OTP.", Auth("password + OTP")),
        (
            "Authentication method: OTP (Valid OTP). Factor name: Duo Security",
            Auth("OTP", "Valid OTP", "Duo Security"),
        ),
        (
            (
                "Authentication method: Login App.\nTransitions: username -> password\n"
                "Correlation_id: 6f0b9c5e-0001-4000-8000-000000000007"
            ),
            Auth("Login App"),
        ),
        (
            (
                "Authentication method: Login App. Transitions: username -> password "
                "Correlation_id: 6f0b9c5e-0001-4000-8000-000000000007"
            ),
            Auth("Login App"),
        ),
        ("Authentication method: WS-Trust 1.3.", Auth("WS-Trust 1.3")),
        (
            "Authentication method: password (locked (for 5 minutes)).",
            Auth("password", "locked (for 5 minutes)"),
        ),
        ("Authentication method: password (cut off", Auth("password", "cut off")),
        ("Factor name: OneLogin Protect.", Auth(factor="OneLogin Protect")),
        ("Authentication method: ().", None),
        ("Initiated by OneLogin via SAML", None),
        ("", None),
        (None, None),
    ],
)
def test_known_forms_are_taken_apart(notes: str | None, auth: Auth | None) -> None:
    """All that public samples show."""
    assert read_auth(notes, None) == auth


def test_the_events_own_factor_beats_the_notes() -> None:
    """The broadcaster has it in a field."""
    notes = "Authentication method: OTP (Valid OTP). Factor name: Duo Security"
    assert read_auth(notes, "OneLogin Email") == Auth("OTP", "Valid OTP", "OneLogin Email")
    assert read_auth(None, "OneLogin Email") == Auth(factor="OneLogin Email")
    assert read_auth(None, " ") is None


def test_notes_of_a_refusal_are_its_reason() -> None:
    """Up to the end of the first line; of other events they are only notes."""
    assert read_auth("Validation failed\nmore", None, plain_reason=True) == Auth(
        reason="Validation failed"
    )
    assert read_auth("Validation failed", None) is None
    assert read_auth("\n \n", None, plain_reason=True) is None


@given(
    st.text(max_size=40).map(lambda text: f"Authentication method:{text}") | st.text(max_size=60),
    st.none() | st.text(max_size=5),
    st.booleans(),
)
def test_any_notes_are_read(notes: str, factor: str | None, refusal: bool) -> None:
    """Each part is one printable line, or absent."""
    auth = read_auth(notes, factor, plain_reason=refusal)
    parts = () if auth is None else (auth.method, auth.reason, auth.factor)
    assert auth is None or any(parts)
    for part in parts:
        assert part is None or (part == part.strip() and "\n" not in part and part)


def test_long_notes_cost_no_more_than_their_beginning() -> None:
    """Parts are cut to 256 characters."""
    auth = read_auth("Authentication method: " + "(" * 1_000_000, None)
    assert auth is not None
    assert auth.reason is not None
    assert len(auth.reason) <= 256
