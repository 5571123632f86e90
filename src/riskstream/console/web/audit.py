"""The audit log, lines of JSON: who looked at what, exported what, changed what."""

import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import orjson

from riskstream.console.web.access import Person
from riskstream.events.times import format_time

__all__ = ["Audit"]

FILE: Final = "audit.ndjson"
SHOWN_BYTES: Final = 1_048_576
"""From the end of the file; the page shows no more."""


class Audit:
    """Appends to ``audit.ndjson`` of a directory.

    Args:
        directory: Of the store.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._lock = threading.Lock()

    def note(self, person: Person, action: str, what: str = "", **more: Any) -> None:
        """Write one line; it is on its way to the disk when this returns."""
        line = {
            "time": format_time(int(time.time() * 1000)),
            "who": person.name,
            "role": person.role.word,
            "action": action,
            "what": what,
            **more,
        }
        with self._lock, self.path.open("ab", buffering=0) as log:
            log.write(orjson.dumps(line) + b"\n")

    def latest(self, most: int) -> list[dict[str, Any]]:
        """The last lines, the newest first."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - SHOWN_BYTES))
            lines = deque(log.read().splitlines(), most)
        found = []
        for line in reversed(lines):
            try:
                found.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue  # the first was cut, or the machine went down in the last
        return found
