"""The brake on dead letters: a bad deployment must not empty a topic into the dead-letter topic."""

from collections import deque
from dataclasses import dataclass, field

from riskstream.config import BrakeSettings

__all__ = ["Brake"]


@dataclass(slots=True)
class Brake:
    """State of one partition's brake. It decides; the lane stops.

    It engages when the last events of the partition were all dead letters (``max_run``), or when
    their share among the last ``window`` events is over ``max_ratio``.
    """

    settings: BrakeSettings
    engaged: bool = False
    run: int = 0
    _recent: deque[tuple[int, int]] = field(default_factory=deque)
    """(events, dead letters) of the chunks in the window."""
    _events: int = 0
    _dead: int = 0

    def observe(self, *, events: int, dead_letters: int) -> bool:
        """Take in the outcomes of one committed chunk; True when this engages the brake."""
        if not self.settings.enabled or self.engaged or not events:
            return False
        self.run = self.run + dead_letters if dead_letters == events else 0
        self._recent.append((events, dead_letters))
        self._events += events
        self._dead += dead_letters
        while self._events - self._recent[0][0] >= self.settings.window:
            events, dead_letters = self._recent.popleft()
            self._events -= events
            self._dead -= dead_letters
        full = self._events >= self.settings.window
        too_many = full and self._dead / self._events > self.settings.max_ratio
        self.engaged = too_many or self.run >= self.settings.max_run
        return self.engaged

    def release(self) -> None:
        """Start over, with an empty window."""
        self.engaged = False
        self.run = self._events = self._dead = 0
        self._recent.clear()
