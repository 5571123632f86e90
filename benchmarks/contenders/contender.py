"""What a contender is to the runner: some commands that read the raw topic and write outputs."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Command", "Contender", "Job", "Run", "clean_environment", "program"]

ROOT: Final = Path(__file__).resolve().parents[2]
"""Of the checkout."""


class Job(StrEnum):
    """What is done to each event. Only contenders with the same job are compared directly."""

    TWO_HOPS = "two-hop"
    """decode, classify, key by subject, fold into three tables, score, route."""
    ONE_HOP = "one-hop"
    """decode, classify, encode, route by category; no state and no second topic."""
    REDUCED = "reduced"
    """parse, catalog join, key by user, count failures per minute, fixed weights, route."""


@dataclass(frozen=True, slots=True)
class Run:
    """One turn of one contender."""

    bootstrap_servers: str
    name: str
    """Unique: for groups, transactional ids and application ids."""
    partitions: int
    directory: Path
    """Empty and its own."""
    workers: int = 1
    """Worker processes per hop, for contenders that can have more."""


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contender:
    """Who takes part, and how it is run."""

    name: str
    """On the command line and in the results."""
    title: str
    """In tables."""
    job: Job
    processes: int
    """That do the work, with one worker per hop; idle supervisors are not counted."""
    guarantee: str
    """What it promises: at least once, or exactly once."""
    commands: Callable[[Run], Sequence[Command]]
    extra_topics: Callable[[Run], Mapping[str, Mapping[str, str]]] = field(default=lambda _: {})
    """Topics that it needs besides riskstream's own: configuration by name."""
    unavailable: Callable[[], str | None] = field(default=lambda: None)
    """Why it cannot run here; None where it can."""


def program(
    module: str, run: Run, *arguments: str, python: str = sys.executable, **variables: str
) -> Command:
    """A module of ``contenders.programs`` as a command of its own."""
    environment = clean_environment() | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
        "BENCH_BOOTSTRAP_SERVERS": run.bootstrap_servers,
        "BENCH_RUN": run.name,
        "BENCH_PARTITIONS": str(run.partitions),
        "BENCH_DIRECTORY": str(run.directory),
        **variables,
    }
    name = f"benchmarks.contenders.programs.{module}"
    return Command([python, "-m", name, *arguments], environment)


def clean_environment() -> dict[str, str]:
    """Ours without any setting of riskstream's."""
    return {key: value for key, value in os.environ.items() if not key.startswith("RISKSTREAM_")}
