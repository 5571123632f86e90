"""The same core on Faust 0.15 as it comes: agents, Faust tables, ``topic.send``."""

from collections.abc import Sequence
from typing import Final

from benchmarks.contenders.contender import Command, Contender, Job, Run, program

__all__ = ["CONTENDER"]

TABLES: Final = ("failures", "lockouts", "users", "profiles")


def _commands(run: Run) -> Sequence[Command]:
    return [program("faust_hop", run, hop) for hop in ("ingest", "assess")]


def _changelogs(run: Run) -> dict[str, dict[str, str]]:
    return {
        f"{run.name}-assess-{table}-changelog": {"cleanup.policy": "compact"} for table in TABLES
    }


CONTENDER: Final = Contender(
    name="faust",
    title="same core on stock Faust",
    job=Job.TWO_HOPS,
    processes=2,
    guarantee="at least once",
    commands=_commands,
    extra_topics=_changelogs,
)
