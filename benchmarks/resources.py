"""What process trees use, out of /proc; and how a tree is stopped and continued."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Usage", "children", "descendants", "signal_all", "usage"]

TICKS: Final = os.sysconf("SC_CLK_TCK")
PROC: Final = Path("/proc")


class Usage(NamedTuple):
    """Of some processes together."""

    cpu_seconds: float
    rss_bytes: int
    peak_rss_bytes: int


def children(pid: int) -> set[int]:
    """The direct children of a process."""
    return set(_children_by_parent().get(pid, ()))


def descendants(pids: Iterable[int]) -> set[int]:
    """All processes below these; they themselves are not among them."""
    below = _children_by_parent()
    found: set[int] = set()
    left = list(pids)
    while left:
        new = below.get(left.pop(), set()) - found
        found |= new
        left.extend(new)
    return found


def usage(pids: Iterable[int]) -> Usage:
    """CPU time so far and memory now; of processes that have ended, nothing."""
    cpu, rss, peak = 0.0, 0, 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = _stat(pid)
            cpu += (int(fields[11]) + int(fields[12])) / TICKS
            status = (PROC / str(pid) / "status").read_text(encoding="utf-8")
            rss += _kibibytes(status, "VmRSS:") * 1024
            peak += _kibibytes(status, "VmHWM:") * 1024
    return Usage(cpu, rss, peak)


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _children_by_parent() -> dict[int, set[int]]:
    below: dict[int, set[int]] = defaultdict(set)
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                below[int(_stat(int(entry.name))[1])].add(int(entry.name))
    return below


def _stat(pid: int) -> list[str]:
    """Fields of stat from the state on; the command before them may hold blanks."""
    text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def _kibibytes(status: str, name: str) -> int:
    _, found, rest = status.partition(name)
    return int(rest.split(maxsplit=1)[0]) if found else 0
