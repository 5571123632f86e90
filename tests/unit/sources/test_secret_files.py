"""Secrets: several at once, changed without a restart, never too short."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from riskstream.config import WebhookSettings
from riskstream.errors import ConfigError
from riskstream.sources.secret_files import AcceptedSecrets, client_secret

OLD, NEW = "old-secret-0123456789", "new-secret-0123456789"


def test_two_secrets_are_valid_at_once() -> None:
    """So that OneLogin can be given the new one at any time."""
    secrets = AcceptedSecrets((SecretStr(NEW), SecretStr(OLD), None), None)
    assert secrets.allow(OLD)
    assert secrets.allow(NEW)
    for wrong in ("", OLD[:-1], OLD + "x", "Bearer " + OLD, "\udcff", "ü"):
        assert not secrets.allow(wrong)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """Put the new one beside the old one, then take the old one away."""
    path = tmp_path / "secrets"
    path.write_text(f"{OLD}\n\n", encoding="utf-8")
    secrets = AcceptedSecrets((), path)
    assert secrets.allow(OLD)
    path.write_text(f"{NEW}\n{OLD}\n", encoding="utf-8")
    assert secrets.allow(NEW)
    assert secrets.allow(OLD)
    path.write_text(f"{NEW}\n", encoding="utf-8")
    assert not secrets.allow(OLD)


@pytest.mark.parametrize("then", [None, "", "short"])
def test_a_file_that_breaks_leaves_what_was_valid(tmp_path: Path, then: str | None) -> None:
    """A slip while rotating must not lock the sender out."""
    path = tmp_path / "secrets"
    path.write_text(OLD, encoding="utf-8")
    secrets = AcceptedSecrets((), path)
    if then is None:
        path.unlink()
    else:
        path.write_text(then, encoding="utf-8")
    assert secrets.allow(OLD)
    assert not secrets.allow(then or "")


def test_without_a_good_secret_nothing_starts(tmp_path: Path) -> None:
    """None, one too short, a file that is missing or empty."""
    empty = tmp_path / "empty"
    empty.write_text("\n \n", encoding="utf-8")
    for fixed, path in (
        ((), None),
        ((SecretStr("short"),), None),
        ((), tmp_path / "missing"),
        ((SecretStr(OLD),), empty),
    ):
        with pytest.raises(ConfigError):
            AcceptedSecrets(fixed, path)


def test_the_client_secret_comes_from_one_place(tmp_path: Path) -> None:
    """The file is read for each token."""
    path = tmp_path / "secret"
    path.write_text("one\n", encoding="utf-8")
    get = client_secret(None, path)
    assert get() == "one"
    path.write_text("two\n", encoding="utf-8")
    assert get() == "two"
    assert client_secret(SecretStr("three"), None)() == "three"
    for given, file in ((None, None), (SecretStr("x"), path), (SecretStr(""), None)):
        with pytest.raises(ConfigError):
            client_secret(given, file)


def test_settings_do_not_show_secrets() -> None:
    """Neither printed nor in a fault."""
    assert OLD not in repr(WebhookSettings(secret=SecretStr(OLD)))
