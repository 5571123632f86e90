"""Settings that protect connections to Kafka, and secrets that come from files or the environment.

A secret's text is never shown: ``SecretStr`` masks it, and ``read_secret`` alone uncovers it.
"""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from riskstream.errors import ConfigError

__all__ = ["SecuritySettings", "read_secret"]

SECRET_BYTES = 65_536
"""A longer file is no secret but a mistake."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def read_secret(value: SecretStr | None, file: Path | None, what: str) -> str | None:
    """The text of a secret, from where it stands; None where neither is set.

    Files are read at each call, so that a new secret is taken up. A line end is no part of it.

    Raises:
        ConfigError: The file cannot be read or is empty; the text never has its content.
    """
    if file is None:
        return None if value is None else value.get_secret_value()
    try:
        with file.open("rb") as opened:
            held = opened.read(SECRET_BYTES + 1)
        text = held.decode().rstrip("\r\n")
    except OSError as fault:
        raise ConfigError(f"The file {file} of {what} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError:
        raise ConfigError(f"The file {file} of {what} is not text in UTF-8.") from None
    if not text or len(held) > SECRET_BYTES:
        raise ConfigError(f"The file {file} of {what} is {'too large' if text else 'empty'}.")
    return text


class SecuritySettings(BaseModel):
    """How connections to Kafka are protected, and who we are. Names are those of Kafka's clients.

    Of a secret and its ``_file`` one may be set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """``SSL`` is TLS, with a client certificate mutual TLS; ``SASL_SSL`` a login over TLS."""
    ca_file: Path | None = None
    """PEM; who may sign the broker's certificate. Without it those that the system trusts."""
    verify_hostname: bool = True
    """Whether the broker's certificate must name the host that we connect to."""
    certificate_file: Path | None = None
    """PEM; our certificate and those between it and its authority, for mutual TLS."""
    key_file: Path | None = None
    """PEM; its key. Without it the certificate's file has it, too."""
    key_password: SecretStr | None = None
    key_password_file: Path | None = None
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    oauth_token_file: Path | None = None
    """A token that somebody else renews; read at each login."""
    oauth_token_url: str | None = None
    """Where a token is asked for, by the grant ``client_credentials``."""
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_client_secret_file: Path | None = None
    oauth_scope: str | None = None
    oauth_audience: str | None = None
    """For servers that ask for it; not part of the standard."""
    oauth_ca_file: Path | None = None
    """As ``ca_file``, for the token's server."""

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.protocol in {"SSL", "SASL_SSL"}

    @property
    def sasl(self) -> bool:
        """Whether we log in."""
        return self.protocol.startswith("SASL_")

    @property
    def secured(self) -> bool:
        """Whether the broker knows who we are, or might."""
        return self.protocol != "PLAINTEXT"

    @property
    def user(self) -> str:
        """Who we say we are, for messages."""
        if not self.sasl:
            named = self.certificate_file
            return "this user" if named is None else f"the user of the certificate {named}"
        named_by = self.oauth_client_id if self.mechanism == "OAUTHBEARER" else self.username
        return f"user {named_by}" if named_by else "this user"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = [*self._twice(), *self._without_use(), *self._lacking()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _twice(self) -> list[str]:
        names = ("password", "key_password", "oauth_client_secret")
        return [
            f"{name} and {name}_file are both set; one is enough"
            for name in names
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None
        ]

    def _without_use(self) -> list[str]:
        """Settings that the protocol or the mechanism would ignore: somebody relies on them."""
        # Not model_fields_set: settings over several sources come with all fields set.
        fields = type(self).model_fields.items()
        given = {name for name, field in fields if getattr(self, name) != field.default}
        groups = (
            (self.tls, ("ca_", "certificate_", "key_", "verify_"), "has no TLS"),
            (self.sasl, ("username", "password", "oauth_", "mechanism"), "has no login"),
        )
        faults = [
            f"{name} is set, but protocol {self.protocol} {lacks}"
            for used, prefixes, lacks in groups
            for name in sorted(given)
            if not used and name.startswith(prefixes)
        ]
        oauth = self.mechanism == "OAUTHBEARER"
        others = ("username", "password") if oauth else ("oauth_",)
        faults += [
            f"{name} is set, but mechanism {self.mechanism} has no use for it"
            for name in sorted(given)
            if self.sasl and name.startswith(others)
        ]
        return faults

    def _lacking(self) -> list[str]:
        faults = []
        if self.certificate_file is None and self.key_file is not None:
            faults.append("key_file is set, but certificate_file is not")
        if self.sasl and self.mechanism != "OAUTHBEARER":
            if self.username is None:
                faults.append(f"mechanism {self.mechanism} needs username")
            if self.password is None and self.password_file is None:
                faults.append(f"mechanism {self.mechanism} needs password or password_file")
        if self.sasl and self.mechanism == "OAUTHBEARER":
            faults += self._lacking_for_oauth()
        return faults

    def _lacking_for_oauth(self) -> list[str]:
        if (self.oauth_token_file is None) == (self.oauth_token_url is None):
            return ["mechanism OAUTHBEARER needs oauth_token_file or oauth_token_url, one of them"]
        if self.oauth_token_url is None:
            return []
        faults = []
        url = urlsplit(self.oauth_token_url)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
            faults.append("oauth_token_url must begin with https://, since a secret goes there")
        secrets = (self.oauth_client_secret, self.oauth_client_secret_file)
        if self.oauth_client_id is None or secrets == (None, None):
            faults.append(
                "oauth_token_url needs oauth_client_id, and oauth_client_secret or its _file"
            )
        return faults
