"""Settings that protect connections: faults are told, secrets are not."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from riskstream.config import load_settings
from riskstream.errors import ConfigError
from riskstream.security import SecuritySettings, read_secret

SECRET = "correct horse battery staple"
LOGIN = {"protocol": "SASL_SSL", "username": "ann", "password": SECRET}


def _faults(**security: object) -> str:
    with pytest.raises(ConfigError) as told:
        load_settings(kafka={"security": security})
    return str(told.value)


def test_a_secret_is_shown_nowhere() -> None:
    """Not in the text, the representation, a dump or the JSON of the settings."""
    settings = load_settings(kafka={"security": LOGIN})
    shown = (str(settings), repr(settings), str(settings.model_dump()), settings.model_dump_json())
    assert [text for text in shown if SECRET in text] == []
    assert json.loads(shown[3])["kafka"]["security"]["password"] == "**********"


@pytest.mark.parametrize(
    "security",
    [
        {**LOGIN, "protocol": "SSH"},
        {**LOGIN, "username": [SECRET]},
        {**LOGIN, "password": [SECRET]},
        {**LOGIN, "pasword": SECRET},
        {**LOGIN, "protocol": "PLAINTEXT"},
    ],
)
def test_a_fault_in_the_settings_does_not_show_them(security: dict[str, object]) -> None:
    """Neither the message nor what it came of, which ``--debug`` shows, has a value."""
    with pytest.raises(ConfigError) as told:
        load_settings(kafka={"security": security})
    assert SECRET not in f"{told.value} {told.value.__cause__}"


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside others from elsewhere."""
    monkeypatch.setenv("RISKSTREAM_KAFKA__SECURITY__PASSWORD", SECRET)
    login = {"protocol": "SASL_SSL", "username": "ann"}
    security = load_settings(kafka={"security": login}).kafka.security
    assert read_secret(security.password, None, "it") == SECRET


@pytest.mark.parametrize(
    ("security", "fault"),
    [
        ({"protocol": "SASL_SSL"}, "mechanism SCRAM-SHA-512 needs username; "),
        ({**LOGIN, "password_file": "p"}, "password and password_file are both set"),
        ({"username": "ann"}, "username is set, but protocol PLAINTEXT has no login"),
        ({**LOGIN, "protocol": "SSL"}, "password is set, but protocol SSL has no login"),
        (
            {**LOGIN, "protocol": "SASL_PLAINTEXT", "ca_file": "ca.pem"},
            "ca_file is set, but protocol SASL_PLAINTEXT has no TLS",
        ),
        (
            {**LOGIN, "oauth_token_file": "t"},
            "oauth_token_file is set, but mechanism SCRAM-SHA-512",
        ),
        ({**LOGIN, "mechanism": "OAUTHBEARER"}, "username is set, but mechanism OAUTHBEARER"),
        ({"protocol": "SSL", "key_file": "k"}, "key_file is set, but certificate_file is not"),
        (
            {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER"},
            "needs oauth_token_file or oauth_token_url",
        ),
        (
            {
                "protocol": "SASL_SSL",
                "mechanism": "OAUTHBEARER",
                "oauth_token_url": "http://issuer.example.com/token",
            },
            "must begin with https://, since a secret goes there; oauth_token_url needs",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(security: dict[str, object], fault: str) -> None:
    """A setting that would be ignored is a fault: somebody relies on it."""
    assert fault in _faults(**security)


def test_complete_settings_are_taken() -> None:
    """Each of the ways to log in."""
    oauth = {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER"}
    url = {"oauth_token_url": "https://issuer.example.com/token", "oauth_client_id": "app"}
    for security in (
        {},
        {"protocol": "SSL"},
        {"protocol": "SSL", "certificate_file": "c.pem"},
        LOGIN,
        {**LOGIN, "protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN"},
        {**oauth, "oauth_token_file": "token"},
        {**oauth, **url, "oauth_client_secret": SECRET},
        {**oauth, **url, "oauth_client_secret_file": "secret"},
    ):
        SecuritySettings.model_validate(security)


def test_a_secret_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    """Without the line end that editors add; a new secret is taken up."""
    file = tmp_path / "password"
    for text in ("first\n", "second", " with spaces \r\n"):
        file.write_text(text, encoding="utf-8")
        assert read_secret(None, file, "it") == text.rstrip("\r\n")
    assert read_secret(SecretStr("given"), None, "it") == "given"
    assert read_secret(None, None, "it") is None


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe" + SECRET.encode(), b"s" * 70_000])
def test_a_file_that_holds_no_secret_is_told_without_its_content(
    content: bytes, tmp_path: Path
) -> None:
    """Its name and what it is for."""
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as told:
        read_secret(None, file, "kafka.security.password")
    assert str(file) in str(told.value)
    assert "kafka.security.password" in str(told.value)
    assert SECRET not in str(told.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(None, tmp_path / "none", "it")
