"""TLS and logins, as aiokafka wants them; Faust's consumer is given the same by ``apps``."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from structlog import get_logger
from typing_extensions import override

from riskstream.errors import ConfigError
from riskstream.security import SecuritySettings, read_secret
from riskstream.streaming.tokens import ClientCredentials, TokenFile

__all__ = ["security_options", "tls_context", "trusting"]

log = get_logger(__name__)


def security_options(security: SecuritySettings) -> dict[str, Any]:
    """Keyword arguments that protect an aiokafka client; empty for plain connections.

    Raises:
        ConfigError: A file is missing or not what it should be.
    """
    if not security.secured:
        return {}
    options: dict[str, Any] = {"security_protocol": security.protocol}
    if security.tls:
        options["ssl_context"] = tls_context(security)
    if not security.sasl:
        return options
    options["sasl_mechanism"] = security.mechanism
    if security.mechanism == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = _token_provider(security)
    else:
        password = read_secret(security.password, security.password_file, "kafka.security.password")
        options |= {"sasl_plain_username": security.username, "sasl_plain_password": password}
    return options


@lru_cache(maxsize=8)
def tls_context(security: SecuritySettings) -> ssl.SSLContext:
    """What TLS connections are made with; one per process, so that authorities are read once.

    Raises:
        ConfigError: A file is missing or not what it should be.
    """
    context = _Renewing(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = security.verify_hostname
    _trust(context, security.ca_file, "kafka.security.ca_file")
    if security.certificate_file is not None:
        context.identify(security)
    return context


def trusting(ca_file: Path | None, setting: str) -> ssl.SSLContext | None:
    """A context that trusts these authorities alone; None where the system's will do.

    Raises:
        ConfigError: The file is missing or holds none.
    """
    if ca_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust(context, ca_file, setting)
    return context


def _trust(context: ssl.SSLContext, ca_file: Path | None, setting: str) -> None:
    """Trust the authorities of a file, or without one those of the system.

    Raises:
        ConfigError: The file is missing or holds none.
    """
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    try:
        context.load_verify_locations(ca_file)
    except OSError as fault:  # ssl.SSLError is one
        raise ConfigError(
            f"{setting} names {ca_file}, which holds no certificates in PEM that can be read: "
            f"{fault.strerror or fault}."
        ) from fault


class _Renewing(ssl.SSLContext):
    """A context that takes up a renewed client certificate with the next connection.

    Certificates that are renewed by a machine live for days; a worker for longer.
    """

    _security: SecuritySettings | None = None
    _loaded: tuple[float, ...] = ()

    def identify(self, security: SecuritySettings) -> None:
        """Show this certificate.

        Raises:
            ConfigError: Certificate or key cannot be read, or do not belong together.
        """
        self._security = security
        self._load()

    def _load(self) -> None:
        security = self._security
        if security is None or security.certificate_file is None:
            return
        password = read_secret(
            security.key_password, security.key_password_file, "kafka.security.key_password"
        )
        certificate, key = security.certificate_file, security.key_file
        files = [file for file in (certificate, key) if file]
        try:
            changed = tuple(file.stat().st_mtime for file in files)
            if changed != self._loaded:
                # Never asks at the terminal, as it would for an encrypted key without a password.
                self.load_cert_chain(certificate, key, password or "")
                self._loaded = changed
        except OSError as fault:
            raise ConfigError(
                f"The certificate {' and key '.join(map(str, files))} of kafka.security cannot be "
                f"used: {fault.strerror or fault}. They must be PEM and belong together, and an "
                "encrypted key needs key_password or key_password_file."
            ) from fault

    @override
    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        try:
            self._load()
        except ConfigError as fault:
            if not self._loaded:
                raise
            # Half-written, perhaps. The one that is loaded may still do.
            log.warning("certificate_not_renewed", error=str(fault))
        return super().wrap_bio(*args, **kwargs)


@lru_cache(maxsize=8)
def _token_provider(security: SecuritySettings) -> AbstractTokenProvider:
    """One for all clients of a process, so that a token is asked for once."""
    if security.oauth_token_file is not None:
        return TokenFile(security.oauth_token_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust(context, security.oauth_ca_file, "kafka.security.oauth_ca_file")
    return ClientCredentials(security, context)
