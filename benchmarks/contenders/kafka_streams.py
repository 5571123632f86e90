"""Kafka Streams 4.3 in Java, for the reduced job: another class of engine."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.contenders.contender import (
    ROOT,
    Command,
    Contender,
    Job,
    Run,
    clean_environment,
)
from benchmarks.contenders.reduced_catalog import write_catalog

__all__ = ["CONTENDER"]

BUILT: Final = ROOT / "build" / "bench" / "java"
LIBS: Final = BUILT / "libs"
MAIN_CLASS: Final = "riskstream.bench.ReducedJob"
HEAP: Final = ("-Xms512m", "-Xmx1g")
THREADS: Final = 2
"""Stream threads in the one process: as many as there are cores for the others' processes."""


def _commands(run: Run) -> Sequence[Command]:
    catalog = run.directory / "catalog.tsv"
    write_catalog(catalog)
    arguments = [run.bootstrap_servers, run.name, str(run.directory / "state"), str(catalog)]
    classes = f"{BUILT / 'classes'}:{LIBS}/*"
    command = ["java", *HEAP, "-cp", classes, MAIN_CLASS, *arguments, str(THREADS)]
    return [Command(command, clean_environment())]


def _missing() -> str | None:
    if shutil.which("java") is None:
        return "no Java"
    if not (BUILT / "classes" / Path(*MAIN_CLASS.split(".")).with_suffix(".class")).exists():
        return "the Java program is not built; run `make bench`"
    return None


CONTENDER: Final = Contender(
    name="kafka-streams",
    title="Kafka Streams (Java), reduced job",
    job=Job.REDUCED,
    processes=1,
    guarantee="exactly once",
    commands=_commands,
    unavailable=_missing,
)
