"""Why no broker takes us in. aiokafka tries all of them, and tells only that none did."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from riskstream.config import KafkaSettings
from riskstream.security import SecuritySettings
from riskstream.streaming.security import security_options
from riskstream.streaming.tokens import TokenError

__all__ = ["why_unreachable"]

PROBE_MS = 5000
BROKERS = 3
"""So many are asked; where these have the same complaint, the others would, too."""
NO_TLS = "does not speak TLS at this port. Check the port and kafka.security.protocol."
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF", "PACKET_LENGTH")
"""In OpenSSL's words, what is answered by somebody who does not speak TLS."""


async def why_unreachable(kafka: KafkaSettings) -> str:
    """One sentence or two on what is wrong and what to do; never has a secret.

    Raises:
        ConfigError: A file of ``kafka.security`` cannot be used.
    """
    options = security_options(kafka.security)
    for host, port, _ in collect_hosts(kafka.bootstrap_servers)[:BROKERS]:
        fault = await _try(host, port, kafka, options)
        found = None if fault is None else _explain(fault, kafka.security)
        if found is not None:
            return f"Kafka at {host}:{port} {found}"
    return (
        f"Kafka cannot be reached at {kafka.bootstrap_servers}. Is it running? Name another "
        "address with --bootstrap-servers, or start the embedded broker with `riskstream broker`."
    )


async def _try(
    host: str, port: int, kafka: KafkaSettings, options: dict[str, Any]
) -> BaseException | None:
    """What happens when this broker is asked something."""
    try:
        async with asyncio.timeout(PROBE_MS / 1000):
            connection = await create_conn(
                host, port, client_id=kafka.client_id, request_timeout_ms=PROBE_MS, **options
            )
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (KafkaError, OSError, TimeoutError) as fault:
        return fault
    return None


def _explain(fault: BaseException, security: SecuritySettings) -> str | None:
    """What this fault means; None where another broker is to be asked."""
    chain = list(_chain(fault))
    for one in chain:
        if isinstance(one, TokenError):
            return f"wants a token, and there is none. {one.args[0]}"
    for one in reversed(chain):  # the innermost knows best
        found = _explain_one(one, security)
        if found is not None:
            return found
    return None


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """A fault and what it came of."""
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        yield fault
        fault = fault.__cause__ or fault.__context__


def _explain_one(fault: BaseException, security: SecuritySettings) -> str | None:
    match fault:
        case SaslAuthenticationFailed():
            told = f" ({fault.args[0]})" if fault.args and fault.args[0] else ""
            return (
                f"refuses the login of {security.user} by {security.mechanism}{told}. "
                "Check kafka.security: the user, and the password or token."
            )
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            return (
                f"does not take logins by {security.mechanism}. "
                "Set kafka.security.mechanism and kafka.security.protocol to what it offers."
            )
        case ssl.SSLError():
            return _explain_tls(fault, security)
        case ConnectionResetError() | ConnectionAbortedError() if security.tls:
            return NO_TLS
        case KafkaConnectionError() if "closed" in str(fault):  # somebody is there, and hung up
            return _explain_hang_up(security)
    return None


def _explain_tls(fault: ssl.SSLError, security: SecuritySettings) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        cure = (
            "kafka.security.ca_file names who may sign it"
            if "hostname" not in fault.verify_message.lower() and "IP" not in fault.verify_message
            else "use the address that it names, or set kafka.security.verify_hostname to false"
        )
        return f"shows a certificate that is not trusted: {fault.verify_message}; {cure}."
    reason = fault.reason or str(fault)
    if any(word in reason for word in NOT_TLS):
        return NO_TLS
    if security.certificate_file is None:
        return (
            f"refuses the TLS connection ({reason}). It may ask for a client certificate: "
            "kafka.security.certificate_file and key_file."
        )
    return (
        f"refuses the TLS connection ({reason}). It may not trust the client certificate "
        f"{security.certificate_file}."
    )


def _explain_hang_up(security: SecuritySettings) -> str:
    missing = [
        what for what, used in (("TLS", security.tls), ("a login", security.sasl)) if not used
    ]
    if not missing:
        return "is there, but ended the connection; its log may say why. Has a token run out?"
    return (
        f"is there, but ended the connection. It may want {' or '.join(missing)}: "
        "check the port and kafka.security.protocol."
    )
