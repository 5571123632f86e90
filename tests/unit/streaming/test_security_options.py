"""TLS contexts: whom they trust, what they show, and that renewed certificates are taken up."""

import ssl
from pathlib import Path

import pytest

from riskstream.config import KafkaSettings
from riskstream.errors import ConfigError
from riskstream.security import SecuritySettings
from riskstream.streaming.client import client_options
from riskstream.streaming.security import security_options, tls_context
from tests.support.certificates import Authority, Identity


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Identity:
    return authority.issue("broker", "kafka.example.com")


def security(authority: Authority, **more: object) -> SecuritySettings:
    return SecuritySettings.model_validate(
        {"protocol": "SSL", "ca_file": authority.ca_file, **more}
    )


def handshake(
    context: ssl.SSLContext,
    broker: Identity,
    *,
    host: str = "kafka.example.com",
    trusts: Authority | None = None,
) -> str | None:
    """Shake hands in memory; the common name that the broker sees, where it asks for one."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(broker.certificate, broker.key)
    if trusts is not None:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(trusts.ca_file)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(down, up, server_hostname=host)
    theirs = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = theirs.getpeercert()
    names = [pair for part in (shown or {}).get("subject", ()) for pair in part]
    return dict(names).get("commonName")  # type: ignore[arg-type]


def test_a_plain_client_has_no_options_of_security() -> None:
    """Nothing changes for those who do without."""
    assert security_options(SecuritySettings()) == {}
    assert "ssl_context" not in client_options(KafkaSettings())


def test_the_broker_must_be_trusted_and_have_the_name(
    authority: Authority, broker: Identity, tmp_path: Path
) -> None:
    """Unless the name's check is switched off; trust always counts."""
    context = tls_context(security(authority))
    handshake(context, broker)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(context, broker, host="other.example.com")
    handshake(tls_context(security(authority, verify_hostname=False)), broker, host="other")
    other = security(Authority(tmp_path), verify_hostname=False)
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        handshake(tls_context(other), broker)


def test_nothing_older_than_tls_1_2_is_spoken(authority: Authority) -> None:
    """Whatever the system's own configuration says."""
    assert tls_context(security(authority)).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_client_certificate_is_shown(authority: Authority, broker: Identity) -> None:
    """From one file or two, its key encrypted or not."""
    own = authority.issue("ingest")
    locked = authority.lock(own, "open sesame")
    for files in (
        {"certificate_file": own.certificate, "key_file": own.key},
        {"certificate_file": own.both},
        {"certificate_file": own.certificate, "key_file": locked, "key_password": "open sesame"},
    ):
        context = tls_context(security(authority, **files))
        assert handshake(context, broker, trusts=authority) == "ingest"


def test_a_renewed_certificate_is_taken_up_by_the_next_connection(
    authority: Authority, broker: Identity, tmp_path: Path
) -> None:
    """Without a restart; one that is half written is passed over."""
    certificate = tmp_path / "own.pem"
    certificate.write_bytes(authority.issue("first").both.read_bytes())
    context = tls_context(security(authority, certificate_file=certificate))
    assert handshake(context, broker, trusts=authority) == "first"
    whole = authority.issue("second").both.read_bytes()
    certificate.write_bytes(whole[:100])
    assert handshake(context, broker, trusts=authority) == "first"
    certificate.write_bytes(whole)
    assert handshake(context, broker, trusts=authority) == "second"


def test_files_that_do_not_fit_are_told(authority: Authority, tmp_path: Path) -> None:
    """Each with its name, and never a question at the terminal."""
    own, other = authority.issue("one"), authority.issue("two")
    locked = authority.lock(own, "open sesame")
    text = tmp_path / "text"
    text.write_text("no PEM", encoding="utf-8")
    for files, named in (
        ({"ca_file": text}, text),
        ({"ca_file": tmp_path / "none"}, tmp_path / "none"),
        ({"certificate_file": own.certificate, "key_file": other.key}, other.key),
        ({"certificate_file": text}, text),
        ({"certificate_file": own.certificate, "key_file": locked}, locked),
        (
            {"certificate_file": own.certificate, "key_file": locked, "key_password": "wrong"},
            locked,
        ),
    ):
        with pytest.raises(ConfigError) as told:
            tls_context(security(authority, **files))
        assert str(named) in str(told.value)
        assert "wrong" not in str(told.value)


def test_a_login_has_its_password_from_the_file_of_the_day(
    authority: Authority, tmp_path: Path
) -> None:
    """New clients take the new password."""
    file = tmp_path / "password"
    login = security(authority, protocol="SASL_SSL", username="ann", password_file=file)
    for password in ("first", "second"):
        file.write_text(password, encoding="utf-8")
        options = security_options(login)
        assert options["sasl_plain_password"] == password
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["security_protocol"] == "SASL_SSL"
