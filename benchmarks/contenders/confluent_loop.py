"""A hand-written loop on confluent-kafka, stateless: the floor for a Python client."""

from collections.abc import Sequence
from typing import Final

from benchmarks.contenders.contender import Command, Contender, Job, Run, program

__all__ = ["CONTENDER"]

PROCESSES: Final = 2
"""As many as riskstream's worker has, so that both have the same cores to run on."""


def _commands(run: Run) -> Sequence[Command]:
    return [program("confluent_hop", run) for _ in range(PROCESSES)]


CONTENDER: Final = Contender(
    name="confluent",
    title="hand-written confluent-kafka loop",
    job=Job.ONE_HOP,
    processes=PROCESSES,
    guarantee="at least once",
    commands=_commands,
)
