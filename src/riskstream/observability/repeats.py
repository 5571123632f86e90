"""Holds back what the libraries say over and over while a broker is away."""

import logging
import time
from collections.abc import Callable

from typing_extensions import override

__all__ = ["Repeats"]

LIBRARIES = ("aiokafka", "asyncio", "faust", "mode", "uvicorn")
WINDOW_SECONDS = 10.0
AT_MOST = 3
"""Of one message within a window. Kafka's clients try again many times a second."""
MOST_MESSAGES = 1000
"""Counted at once: some libraries put values into the text itself."""


class Repeats(logging.Filter):
    """Lets at most so many lines of one library message through in a window.

    A message is its logger and its text before values are put in. The first line of the next
    window says in ``held_back`` how many were left out. Lines of our own always pass.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[tuple[str, str], tuple[float, int]] = {}
        """Start of the window and lines in it, by message."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in LIBRARIES or record.levelno < logging.WARNING:
            return True
        key, now = (record.name, str(record.msg)), self._clock()
        since, count = self._counts.get(key, (now, 0))
        if now - since >= WINDOW_SECONDS:
            if count > AT_MOST:
                record.held_back = count - AT_MOST
            since, count = now, 0
        if len(self._counts) >= MOST_MESSAGES:
            self._counts.clear()
        self._counts[key] = (since, count + 1)
        return count < AT_MOST
