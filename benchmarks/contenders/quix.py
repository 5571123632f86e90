"""The same core on Quix Streams 3 with its RocksDB state and changelog topics.

Quix Streams needs other versions of pydantic and confluent-kafka than riskstream's tools, so it
has an environment of its own, which ``make bench`` installs.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.contenders.contender import ROOT, Command, Contender, Job, Run, program

__all__ = ["CONTENDER", "quix_python"]

PYTHON_VARIABLE: Final = "BENCH_QUIX_PYTHON"


def quix_python() -> Path:
    """The interpreter of that environment, whether it is there or not."""
    named = os.environ.get(PYTHON_VARIABLE)
    return Path(named) if named else ROOT / "build" / "bench" / "quix" / "bin" / "python"


def _commands(run: Run) -> Sequence[Command]:
    return [
        program("quix_hop", run, hop, python=str(quix_python())) for hop in ("ingest", "assess")
    ]


def _missing() -> str | None:
    if quix_python().exists():
        return None
    return f"no environment with Quix Streams; run `make bench`, or set {PYTHON_VARIABLE}"


CONTENDER: Final = Contender(
    name="quix",
    title="same core on Quix Streams",
    job=Job.TWO_HOPS,
    processes=2,
    guarantee="at least once",
    commands=_commands,
    unavailable=_missing,
)
