"""The reduced job in riskstream's own shell, with its pure stages replaced by the reduced ones.

Chunks, transactions and changelogs are the product's.
"""

from collections.abc import Sequence
from typing import Final

from benchmarks.contenders.contender import Command, Contender, Job, Run, program
from riskstream.demo.stack import free_ports

__all__ = ["CONTENDER"]

HOPS: Final = ("ingest", "assess")


def _commands(run: Run) -> Sequence[Command]:
    port = free_ports(len(HOPS))
    return [
        program(
            "reduced_hop",
            run,
            hop,
            RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS=run.bootstrap_servers,
            RISKSTREAM_KAFKA__PARTITIONS=str(run.partitions),
            RISKSTREAM_WORKER__APP_ID=run.name,
            RISKSTREAM_HTTP__PORT=str(port + number),
            RISKSTREAM_LOG__FORMAT="json",
        )
        for number, hop in enumerate(HOPS)
    ]


CONTENDER: Final = Contender(
    name="riskstream-reduced",
    title="riskstream's shell, reduced job",
    job=Job.REDUCED,
    processes=len(HOPS),
    guarantee="exactly once",
    commands=_commands,
)
