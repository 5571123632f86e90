"""Text from outside, made fit to be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.text import clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("User Seven", "User Seven"),
        ("  User Seven\n", "User Seven"),
        ("a\x1b[31mb", "a [31mb"),
        ("line\u2028end", "line end"),
        ("abc\u202edef", "abc def"),
        ("Zoë 李", "Zoë 李"),
        ("\u200d\U0001f469", "\u200d\U0001f469"),
        (" \t", None),
        ("", None),
        (None, None),
    ],
)
def test_text_becomes_one_harmless_line(text: str | None, cleaned: str | None) -> None:
    """Letters of all scripts stay."""
    assert clean(text) == cleaned


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_any_text_is_bounded_and_encodable(text: str, limit: int) -> None:
    """No control characters, nothing at its ends, nothing twice."""
    result = clean(text, limit)
    if result is not None:
        assert 0 < len(result) <= limit
        assert len(result.splitlines()) == 1
        assert result.encode()
        assert clean(result, limit) == result
