"""Subject keys: their forms, and that none grows or shows what it must not."""

from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.keys import (
    MAX_KEY_CHARACTERS,
    client_key,
    name_key,
    system_key,
    type_key,
    user_key,
)

ACCOUNTS = st.integers(min_value=0, max_value=2**63 - 1)


def test_the_forms_of_a_key() -> None:
    """As the wire contract has them."""
    assert user_key(1234, 7) == "1234:7"
    assert client_key(1234, "a" * 64) == "1234:client:" + "a" * 64
    assert system_key(1234, "G Suite") == "1234:system:G Suite"
    assert type_key(1234, 41) == "1234:type:41"
    assert name_key(1234, "User Seven").startswith("1234:name:")


def test_a_name_is_hashed_whatever_its_case() -> None:
    """16 hex digits; blanks around it do not count."""
    assert name_key(1, "User Seven") == name_key(1, " USER seven ")
    assert name_key(1, "STRASSE") == name_key(1, "straße")
    assert name_key(1, "User Seven") != name_key(1, "User Eight")
    assert len(name_key(1, "User Seven")) == len("1:name:") + 16


def test_long_names_stay_apart() -> None:
    """Though their beginnings are the same."""
    first, second = (system_key(1, "s" * 5_000 + end) for end in "ab")
    assert first != second
    assert first.startswith("1:system:ssss")


@given(ACCOUNTS, st.text(min_size=1, max_size=300))
def test_keys_are_bounded_and_on_one_line(account: int, text: str) -> None:
    """Any text from outside."""
    for key in (client_key(account, text), system_key(account, text)):
        assert len(key) <= MAX_KEY_CHARACTERS
        assert len(key.splitlines()) == 1
        assert key.startswith(f"{account}:")
