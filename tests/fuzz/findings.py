"""What the fuzzer found: one input per fault, the shortest that shows it."""

import hashlib
import re
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz.checks import Cost, check

__all__ = ["Findings"]

SLOW_SECONDS: Final = 2.0
"""Of CPU for a megabyte; less input has its share of it."""
_LEAST: Final = 50_000
"""Less has the time of so many bytes."""
_MEGABYTE: Final = 1_000_000
_ROOM: Final = re.compile(r"riskstream/(?:pipeline|events|risk|windows|catalog)/")


@dataclass(slots=True)
class Findings:
    """Runs inputs, and keeps those that broke a promise or took too long.

    Args:
        folder: Where to write them; made when there is something to write.
        slowdown: How much slower the code is than it would be without instrumentation.
    """

    folder: Path
    slowdown: float = 1.0
    inputs: int = 0
    events: int = 0
    bytes_in: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    """Share of the time allowed, and size, of the input that took longest for its size."""
    began: float = field(default_factory=time.monotonic)
    _shortest: dict[str, int] = field(default_factory=dict)

    def run(self, data: bytes) -> bool:
        """Take one input through; whether it kept every promise."""
        self.inputs += 1
        self.bytes_in += len(data)
        try:
            cost = check(data)
        except Exception as fault:  # noqa: BLE001  (whatever it is, it was found)
            self._found(_name_of(fault), data, "".join(traceback.format_exception(fault)))
            return False
        self.events += cost.events
        return self._in_time(cost, data)

    def _in_time(self, cost: Cost, data: bytes) -> bool:
        allowed = SLOW_SECONDS * (len(data) + _LEAST) / _MEGABYTE
        seconds = cost.seconds / self.slowdown
        if seconds > allowed:
            # by what the process took itself, which is slow to ask for
            seconds = check(data, clock=time.process_time).seconds / self.slowdown
        if seconds / allowed > self.slowest[0]:
            self.slowest = (seconds / allowed, len(data))
        if seconds <= allowed:
            return True
        self._found("slow", data, f"{seconds:.2f} s of CPU for {len(data)} bytes\n")
        return False

    def _found(self, name: str, data: bytes, report: str) -> None:
        self.faults[name] += 1
        if len(data) >= self._shortest.get(name, len(data) + 1):
            return
        self._shortest[name] = len(data)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.bin").write_bytes(data)
        (self.folder / f"{name}.txt").write_text(report, encoding="utf-8", errors="replace")

    def summary(self) -> str:
        """One line of progress."""
        seconds = max(time.monotonic() - self.began, 0.001)
        return (
            f"{self.inputs} inputs, {self.inputs / seconds:.0f} a second, {self.events} events, "
            f"{self.bytes_in / _MEGABYTE:.1f} MB, slowest {self.slowest[1]} bytes "
            f"in {self.slowest[0]:.0%} of the time allowed, {len(self.faults)} faults"
        )


def _name_of(fault: Exception) -> str:
    """The same for the same fault: its class, its place in the code, and what it says."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if _ROOM.search(frame.filename)]
    place = f"{Path(ours[-1].filename).stem}-{ours[-1].name}" if ours else "checks"
    told = re.sub(r"[^a-z]+", "-", str(fault).lower())[:60].strip("-")
    digest = hashlib.sha256(f"{type(fault).__name__} {place} {told}".encode()).hexdigest()[:6]
    return f"{place}-{told or type(fault).__name__}-{digest}"
