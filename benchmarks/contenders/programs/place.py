"""Where a program runs and as what, as the runner tells it."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place", "here"]


@dataclass(frozen=True, slots=True)
class Place:
    """What ``contender.program`` puts into the environment."""

    bootstrap_servers: str
    run: str
    partitions: int
    directory: Path


def here() -> Place:
    """Of this process."""
    return Place(
        os.environ["BENCH_BOOTSTRAP_SERVERS"],
        os.environ["BENCH_RUN"],
        int(os.environ["BENCH_PARTITIONS"]),
        Path(os.environ["BENCH_DIRECTORY"]),
    )
