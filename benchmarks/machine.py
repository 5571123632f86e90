"""The machine, by cores and memory only."""

import os
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

__all__ = ["Machine", "this_machine"]


class Machine(NamedTuple):
    """What a reader needs to compare figures."""

    cores: int
    memory_gib: int

    @override
    def __str__(self) -> str:
        return f"{self.cores} cores, {self.memory_gib} GiB of memory"


def this_machine() -> Machine:
    """Cores that this process may use, and the memory of the machine."""
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    kibibytes = int(meminfo.split("MemTotal:", 1)[1].split(maxsplit=1)[0])
    return Machine(len(os.sched_getaffinity(0)), round(kibibytes / 1024 / 1024))
