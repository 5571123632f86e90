"""The policy of a running worker: read again when its file changes, between two chunks.

A new policy scores from the next chunk on, so no record is lost or scored twice, and every score
names the version that made it. A file that has faults, whose examples do not hold, or that says
something else under the version in use is refused; the policy before it stays.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from structlog import get_logger

from riskstream.errors import PolicyError
from riskstream.pipeline.examples import failing_examples
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Policy

__all__ = ["LivePolicy"]

log = get_logger(__name__)

LOOK_SECONDS: Final = 5
"""How often the file is looked at."""


class LivePolicy:
    """Looks after the policy's file.

    Args:
        path: The operator's file; None for the shipped policy, which does not change.

    Raises:
        PolicyError: The file has faults at the start.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.taken: list[Callable[[Policy], None]] = []
        """Who is told of each new policy."""
        self._stamp = _stamp(path)
        self._looked = monotonic()
        self.policy = load_policy(path)
        self.refused: str | None = None
        """Why the newest version of the file is not in use."""

    def refresh(self) -> None:
        """Look, every few seconds at most, whether the file has changed."""
        if self._path is not None and monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            self.look()

    def look(self) -> None:
        """Take the file anew if it has changed."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            fresh = load_policy(self._path)
            _refuse_what_does_not_hold(self.policy, fresh)
        except PolicyError as fault:
            self.refused = str(fault)
            log.warning("policy_refused", reason=self.refused, in_use=self.policy.version)
            return
        self.refused = None
        if fresh != self.policy:
            log.info("policy_taken", before=self.policy.version, version=fresh.version)
            self.policy = fresh
            for tell in self.taken:
                tell(fresh)

    def refusals(self) -> dict[str, float]:
        """1 while the newest version of the file is refused."""
        return {"policy": float(self.refused is not None)}


def _refuse_what_does_not_hold(old: Policy, new: Policy) -> None:
    if new != old and new.version == old.version:
        raise PolicyError(
            f"The policy says something else under the version {new.version}, by which scores "
            "made before are known. Give it another version."
        )
    faults = list(failing_examples(new))
    if faults:
        raise PolicyError("Examples of the policy do not hold:\n  " + "\n  ".join(faults))


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)
