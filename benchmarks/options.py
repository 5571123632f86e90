"""The command line of ``python -m benchmarks``."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.contenders.contender import ROOT
from benchmarks.kafka import BrokerKind

__all__ = ["COMMANDS", "CONTEST", "EVERYTHING", "PUBLISH", "Options", "parse"]

CONTEST: Final = "contest"
EVERYTHING: Final = "everything"
PUBLISH: Final = "publish"
COMMANDS: Final[Mapping[str, str]] = {
    CONTEST: "every contender on the same records, in turns (the default)",
    "latency": "raw record to scored record, at fixed rates",
    "recovery": "how fast tables are rebuilt, and what they take in a worker",
    "memory": "bytes per user of the rows alone",
    "scaling": "throughput over partitions and worker processes",
    "growth": "cost per event as the state grows",
    "sizes": "bytes per event on each kind of topic",
    EVERYTHING: "all of these, one after another",
    PUBLISH: "write the results into docs/benchmarks.md and docs/sizing.md",
}
RESULTS: Final = ROOT / "build" / "bench" / "results.json"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    command: str
    rounds: int
    events: int
    users: int
    partitions: int
    seed: int
    broker: BrokerKind
    only: tuple[str, ...]
    """Names of contenders; empty means all."""
    short: bool
    """Small sizes, to see that everything runs."""
    publish: bool
    """Write the documents afterwards."""
    output: Path


def parse(arguments: Sequence[str] | None, contenders: Sequence[str]) -> Options:
    """Read the arguments; ends the program with a message where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures riskstream and what else could do its work, on one machine.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:11}{what}" for name, what in COMMANDS.items()),
    )
    parser.add_argument("command", nargs="?", default=CONTEST, choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("--rounds", type=_positive, default=3, help="turns of each contender")
    parser.add_argument("--events", type=_positive, default=60_000, help="measured, per turn")
    parser.add_argument("--users", type=_positive, default=5_000, help="of the simulated tenant")
    parser.add_argument("--partitions", type=_positive, default=4, help="of every topic")
    parser.add_argument("--seed", type=int, default=7, help="of the records")
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=contenders,
        metavar="NAME",
        help="contenders that take part: " + ", ".join(contenders),
    )
    parser.add_argument("--short", action="store_true", help="small sizes for the measurements")
    parser.add_argument("--publish", action="store_true", help="then fill docs/benchmarks.md")
    parser.add_argument("--output", type=Path, default=RESULTS, help="results as JSON")
    given = parser.parse_args(arguments)
    return Options(**{**vars(given), "only": tuple(given.only)})


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number
