"""Files of reference data: opened at start, opened again when they change, kept when refused.

A new version is refused when it cannot be read, or is suddenly half as long or shorter, as a
download that was cut short is. Then the one before it stays in use, and that is told.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from riskstream.errors import ConfigError

__all__ = ["Status", "Watched"]


class Sized(Protocol):
    """What a file holds."""

    def __len__(self) -> int:
        """How much."""


Held = TypeVar("Held", bound=Sized)
_SHRUNK: Final = 2
"""A file that has become so many times shorter is refused."""


class Status(Protocol):
    """Told of what happens to a file."""

    def __call__(self, event: str, /, **about: object) -> None:
        """``reference_loaded`` or ``reference_refused``."""


class Watched(Generic[Held]):
    """One file, as last taken.

    Args:
        name: What it is called in messages and metrics.
        path: Where it lies.
        load: Reads it; raises ConfigError.
        tell: Told of changes after the start.

    Raises:
        ConfigError: It cannot be read at the start.
    """

    def __init__(self, name: str, path: Path, load: Callable[[Path], Held], tell: Status) -> None:
        self.name = name
        self.path = path
        self._load = load
        self._tell = tell
        self._stamp = _stamp(path)
        self.held = load(path)
        self.refused: str | None = None
        """Why the newest version is not in use."""

    def refresh(self) -> bool:
        """Take the file anew if it has changed; whether something else is held now."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            fresh = self._load(self.path)
        except ConfigError as fault:
            self._refuse(str(fault))
            return False
        before, after = len(self.held), len(fresh)
        if after * _SHRUNK <= before:
            self._refuse(f"{self.path} went from {before} entries to {after}")
            return False
        self.held, self.refused = fresh, None
        self._tell("reference_loaded", file=self.name, entries=after)
        return True

    def _refuse(self, why: str) -> None:
        self.refused = why
        self._tell("reference_refused", file=self.name, reason=why, note="the one before it stays")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
