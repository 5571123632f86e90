"""riskstream itself: ``riskstream worker --role all``, the whole job with its tables."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, get_args

from benchmarks.contenders.contender import Command, Contender, Job, Run, clean_environment
from riskstream.config import WorkerSettings
from riskstream.demo.stack import free_ports

__all__ = ["AT_LEAST_ONCE", "EXACTLY_ONCE", "worker_command"]

HOPS: Final = 2


def worker_command(
    run: Run, guarantee: str, role: str = "all", more: Mapping[str, str] | None = None
) -> Command:
    """The worker as an operator starts it; ``more`` settings as ``STATE__STORE``."""
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": run.bootstrap_servers,
        "KAFKA__PARTITIONS": str(run.partitions),
        "WORKER__APP_ID": run.name,
        "WORKER__PROCESSING_GUARANTEE": guarantee,
        "HTTP__PORT": str(free_ports(HOPS * run.workers)),
        "LOG__FORMAT": "json",
        **(more or {}),
    }
    environment = clean_environment() | {
        f"RISKSTREAM_{name}": value for name, value in settings.items()
    }
    # Passed on for `python -m riskstream` out of a checkout that is not installed.
    environment.setdefault("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    arguments = ["-m", "riskstream", "worker", "--role", role, "--workers", str(run.workers)]
    return Command([sys.executable, *arguments], environment)


def _commands(guarantee: str, run: Run) -> Sequence[Command]:
    return [worker_command(run, guarantee)]


def _missing(guarantee: str) -> str | None:
    known = get_args(WorkerSettings.model_fields["processing_guarantee"].annotation)
    if guarantee in known:
        return None
    return f"this riskstream has no processing guarantee {guarantee}"


EXACTLY_ONCE: Final = Contender(
    name="riskstream-eo",
    title="riskstream, exactly once",
    job=Job.TWO_HOPS,
    processes=HOPS,
    guarantee="exactly once",
    commands=lambda run: _commands("exactly_once", run),
    unavailable=lambda: _missing("exactly_once"),
)
AT_LEAST_ONCE: Final = Contender(
    name="riskstream-alo",
    title="riskstream, at least once",
    job=Job.TWO_HOPS,
    processes=HOPS,
    guarantee="at least once",
    commands=lambda run: _commands("at_least_once", run),
    unavailable=lambda: _missing("at_least_once"),
)
