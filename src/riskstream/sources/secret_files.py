"""Secrets from files and settings, and how one that was given is compared."""

import hmac
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr
from structlog import get_logger

from riskstream.errors import ConfigError

__all__ = ["AcceptedSecrets", "client_secret", "read_secrets"]

LEAST_CHARACTERS = 16
"""Of a webhook's secret: it is all that keeps strangers from writing events."""

log = get_logger(__name__)


def read_secrets(path: Path) -> list[str]:
    """The secrets in a file, one a line; blank lines do not count.

    Raises:
        ConfigError: It cannot be read, is no text, or holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"The secret file {path} cannot be read: {fault}") from fault
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise ConfigError(f"The secret file {path} holds no secret.")
    return found


def client_secret(given: SecretStr | None, path: Path | None) -> Callable[[], str]:
    """What gives the client secret: the setting, else the first line of the file as it is now.

    Raises:
        ConfigError: There is neither, or the file cannot be used; also from the function.
    """
    if given is not None and path is not None:
        raise ConfigError("Give poll.client_secret or poll.client_secret_file, not both.")
    if path is not None:
        read_secrets(path)
        return lambda: read_secrets(path)[0]
    if given is None or not given.get_secret_value():
        raise ConfigError(
            "The poller needs the secret of its API credentials: a file that holds it in "
            "RISKSTREAM_POLL__CLIENT_SECRET_FILE, or itself in RISKSTREAM_POLL__CLIENT_SECRET."
        )
    return given.get_secret_value


class AcceptedSecrets:
    """The secrets that a sender may give: those of the settings and those of a file.

    The file is read again when it changes, so a new secret can be put beside the old one, given
    to the sender, and the old one taken away, without a restart. While it cannot be read, what
    it held last stays valid.

    Args:
        fixed: From the settings.
        path: Of the file.

    Raises:
        ConfigError: There is no secret, one is too short, or the file cannot be read.
    """

    def __init__(self, fixed: Iterable[SecretStr | None], path: Path | None) -> None:
        self._fixed = [one.get_secret_value().strip() for one in fixed if one is not None]
        self._path = path
        self._state: tuple[int, int, int] | None = None
        self._digests: tuple[bytes, ...] = ()
        self._load()

    def allow(self, given: str) -> bool:
        """Whether this is one of them. Takes equally long whichever it is, or is not."""
        self._refresh()
        digest = sha256(given.encode("utf-8", "surrogateescape")).digest()
        matches = [hmac.compare_digest(digest, one) for one in self._digests]
        return any(matches)

    def _load(self) -> None:
        state = self._look()
        texts = [*self._fixed, *(read_secrets(self._path) if self._path else ())]
        if not texts:
            raise ConfigError(
                "The webhook needs a secret that OneLogin sends with each delivery: a file that "
                "holds it in RISKSTREAM_WEBHOOK__SECRET_FILE, or itself in "
                "RISKSTREAM_WEBHOOK__SECRET."
            )
        if any(len(text) < LEAST_CHARACTERS for text in texts):
            raise ConfigError(
                f"A webhook secret has fewer than {LEAST_CHARACTERS} characters. Make one with "
                "`openssl rand -hex 32`."
            )
        self._digests = tuple(sha256(text.encode()).digest() for text in texts)
        self._state = state

    def _refresh(self) -> None:
        if self._path is None or (state := self._look()) == self._state:
            return
        try:
            self._load()
        except ConfigError as fault:
            self._state = state  # said once per change
            log.error("secret_file_unusable", error=str(fault))  # noqa: TRY400  (no traceback)
        else:
            log.info("secrets_read_again", secrets=len(self._digests))

    def _look(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)
