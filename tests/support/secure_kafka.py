"""Apache Kafka as a production cluster has it: TLS, logins, and nobody may do anything unless told.

Three listeners: plain for the tests themselves, who may do everything; SASL over TLS; mutual TLS.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from riskstream.contract.acls import Acl, Operation, Resource
from riskstream.demo.broker import free_port
from tests.support.apache_kafka import ApacheKafka
from tests.support.certificates import Authority
from tests.support.oauth import AUDIENCE, ISSUER, TokenServer
from tests.support.processes import wait_for

__all__ = ["CLIENT_SECRET", "PASSWORD", "PLAIN_USER", "SecureKafka"]

PASSWORD = "correct horse battery staple"
"""Of every user."""
PLAIN_USER = "paul"
"""The one user of the mechanism PLAIN, whose users stand in the broker's configuration."""
CLIENT_SECRET = "it's: a+secret/with %20"
"""Of every client of the token server."""
SECONDS = 30.0
MECHANISMS = ("SCRAM-SHA-512", "PLAIN", "OAUTHBEARER")
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"
OAUTH_LOGIN = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
OAUTH_CHECK = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
OPERATIONS = {
    Operation.READ: AclOperation.READ,
    Operation.WRITE: AclOperation.WRITE,
    Operation.CREATE: AclOperation.CREATE,
    Operation.DELETE: AclOperation.DELETE,
    Operation.DESCRIBE: AclOperation.DESCRIBE,
    Operation.DESCRIBE_CONFIGS: AclOperation.DESCRIBE_CONFIGS,
}
RESOURCES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}


class SecureKafka:
    """The broker, its authority and the server that gives out tokens for it.

    A connection ends with the token that it was opened with, as in a cluster that is run well.

    Args:
        work_dir: Holds data and certificates.
    """

    def __init__(self, work_dir: Path) -> None:
        work_dir.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(work_dir / "certificates")
        self._identity = self.authority.issue("broker", "127.0.0.1", "localhost")
        self.tokens = TokenServer(self.authority.issue("issuer", "127.0.0.1"), {})
        self._keys = work_dir / "keys.json"
        self._keys.write_text(self.tokens.keys, encoding="utf-8")
        self.sasl = f"127.0.0.1:{free_port()}"
        self.mutual_tls = f"127.0.0.1:{free_port()}"
        port = free_port()
        self.broker = ApacheKafka(
            work_dir / "kafka",
            port,
            self._properties(f"127.0.0.1:{port}"),
            jvm=(f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self._keys.as_uri()}",),
        )
        self.bootstrap_servers = self.broker.bootstrap_servers

    def _properties(self, plain: str) -> dict[str, str]:
        controller = f"127.0.0.1:{free_port()}"
        listeners = f"PLAINTEXT://{plain},SASL_SSL://{self.sasl},SSL://{self.mutual_tls}"
        user = f'user_{PLAIN_USER}="{PASSWORD}"'
        sasl = "listener.name.sasl_ssl"
        return {
            "listeners": f"{listeners},CONTROLLER://{controller}",
            "advertised.listeners": listeners,
            "controller.quorum.voters": f"1@{controller}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
            "SASL_SSL:SASL_SSL,SSL:SSL",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._identity.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.ca_file),
            "ssl.principal.mapping.rules": r"RULE:^.*CN=([^,]+).*$/$1/",
            "listener.name.ssl.ssl.client.auth": "required",
            f"{sasl}.ssl.client.auth": "none",
            f"{sasl}.sasl.enabled.mechanisms": ",".join(MECHANISMS),
            f"{sasl}.plain.sasl.jaas.config": f"{PLAIN_LOGIN} required {user};",
            f"{sasl}.scram-sha-512.sasl.jaas.config": f"{SCRAM_LOGIN} required;",
            f"{sasl}.oauthbearer.sasl.jaas.config": f"{OAUTH_LOGIN} required;",
            f"{sasl}.oauthbearer.sasl.server.callback.handler.class": OAUTH_CHECK,
            f"{sasl}.oauthbearer.connections.max.reauth.ms": "3600000",
            "sasl.oauthbearer.jwks.endpoint.url": self._keys.as_uri(),
            "sasl.oauthbearer.expected.audience": AUDIENCE,
            "sasl.oauthbearer.expected.issuer": ISSUER,
        }

    @cached_property
    def admin(self) -> AdminClient:
        """A client that may do everything."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers})

    def add_scram_user(self, name: str) -> None:
        """Let a user log in by SCRAM-SHA-512."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion(name, info, PASSWORD.encode())
        for future in self.admin.alter_user_scram_credentials([wanted]).values():
            future.result(SECONDS)

    def allow(self, user: str, acls: Iterable[Acl]) -> None:
        """Give a user these rights, and wait until they hold."""
        bindings = [_binding(user, acl) for acl in acls]
        for future in self.admin.create_acls(bindings).values():
            future.result(SECONDS)
        wait_for(lambda: set(bindings) <= self._held(user), SECONDS, f"rights of {user}")

    def deny(self, user: str, acls: Iterable[Acl]) -> None:
        """Take these rights from a user, and wait until they are gone."""
        bindings = [_binding(user, acl) for acl in acls]
        filters = [_as_filter(binding) for binding in bindings]
        for future in self.admin.delete_acls(filters).values():
            future.result(SECONDS)
        wait_for(lambda: not set(bindings) & self._held(user), SECONDS, f"no rights of {user}")

    def _held(self, user: str) -> set[AclBinding]:
        any_of = AclBindingFilter(
            *(ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{user}", None),
            *(AclOperation.ANY, AclPermissionType.ANY),
        )
        return set(self.admin.describe_acls(any_of).result(SECONDS))

    def scram(self, user: str) -> dict[str, str]:
        """Settings, as for ``tests.support.processes``, of a user who logs in by SCRAM."""
        return self._login(MECHANISM="SCRAM-SHA-512", USERNAME=user, PASSWORD=PASSWORD)

    def plain(self, password_file: Path) -> dict[str, str]:
        """The same of the user of PLAIN, whose password this file gets."""
        password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
        return self._login(MECHANISM="PLAIN", USERNAME=PLAIN_USER, PASSWORD_FILE=str(password_file))

    def oauth(self, client: str) -> dict[str, str]:
        """The same of a client of the token server, who becomes known to it."""
        self.tokens.clients[client] = CLIENT_SECRET
        return self._login(
            MECHANISM="OAUTHBEARER",
            OAUTH_TOKEN_URL=self.tokens.url,
            OAUTH_CLIENT_ID=client,
            OAUTH_CLIENT_SECRET=CLIENT_SECRET,
            OAUTH_CA_FILE=str(self.authority.ca_file),
        )

    def oauth_file(self, user: str, token_file: Path) -> dict[str, str]:
        """The same of a user whose token is in this file."""
        token_file.write_text(self.tokens.token(user), encoding="utf-8")
        return self._login(MECHANISM="OAUTHBEARER", OAUTH_TOKEN_FILE=str(token_file))

    def certificate(self, user: str) -> dict[str, str]:
        """The same of a user who shows a certificate, its key encrypted."""
        identity = self.authority.issue(user)
        security = {
            "PROTOCOL": "SSL",
            "CERTIFICATE_FILE": str(identity.certificate),
            "KEY_FILE": str(self.authority.lock(identity, PASSWORD)),
            "KEY_PASSWORD": PASSWORD,
        }
        return self._settings(self.mutual_tls, security)

    def _login(self, **security: str) -> dict[str, str]:
        return self._settings(self.sasl, {"PROTOCOL": "SASL_SSL", **security})

    def _settings(self, address: str, security: dict[str, str]) -> dict[str, str]:
        security = {"CA_FILE": str(self.authority.ca_file), **security}
        return {
            "KAFKA__BOOTSTRAP_SERVERS": address,
            **{f"KAFKA__SECURITY__{name}": value for name, value in security.items()},
        }

    def __enter__(self) -> Self:
        self.broker.start()
        self.tokens.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.tokens.__exit__(kind, value, trace)
        self.__dict__.pop("admin", None)  # else it complains of the broker's end
        self.broker.stop()


def _binding(user: str, acl: Acl) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL
    return AclBinding(
        *(RESOURCES[acl.resource], acl.name, pattern, f"User:{user}", "*"),
        *(OPERATIONS[acl.operation], AclPermissionType.ALLOW),
    )


def _as_filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        *(binding.restype, binding.name, binding.resource_pattern_type, binding.principal),
        *(binding.host, binding.operation, binding.permission_type),
    )
