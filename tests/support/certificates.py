"""Certificates made when a test runs: an authority, and what it signs."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

__all__ = ["Authority", "Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """PEM files of one certificate."""

    certificate: Path
    """With those between it and the authority."""
    key: Path
    both: Path
    """Key and certificate in one file, as Kafka wants them."""


class Authority:
    """Signs certificates; its own is in ``ca_file``."""

    def __init__(self, work_dir: Path) -> None:
        work_dir.mkdir(parents=True, exist_ok=True)
        self._dir = work_dir
        self._ca = trustme.CA()
        self.ca_file = work_dir / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)

    def issue(self, name: str, *hosts: str) -> Identity:
        """A certificate with this common name, for these hosts and addresses."""
        made = self._ca.issue_cert(*(hosts or (f"{name}.example.com",)), common_name=name)
        paths = Identity(*(self._dir / f"{name}-{kind}.pem" for kind in ("cert", "key", "both")))
        paths.certificate.write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))
        # Kafka takes keys in PKCS 8 alone.
        key = load_pem_private_key(made.private_key_pem.bytes(), None)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        paths.key.write_bytes(pem)
        paths.both.write_bytes(pem + paths.certificate.read_bytes())
        return paths

    def lock(self, identity: Identity, password: str) -> Path:
        """The key of an identity once more, encrypted."""
        key = load_pem_private_key(identity.key.read_bytes(), None)
        locked = identity.key.with_name(f"{identity.key.stem}-locked.pem")
        encryption = BestAvailableEncryption(password.encode())
        locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return locked
