"""What a run found, as JSON: raw figures of every turn, so that any table can be made of them."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Results", "Turn", "load_results", "save_results"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One contender, one round."""

    contender: str
    round: int
    events: int
    outputs: int
    """Read back committed, without those of the warm-up."""
    distinct: int
    seconds: float
    """From the first record that may be consumed to the last committed output."""
    first_output_seconds: float
    cpu_seconds: float
    """Of the contender's own processes in that time."""
    broker_cpu_seconds: float
    peak_rss_bytes: int
    """Of the contender's processes together, at most, since their start."""

    @property
    def complete(self) -> bool:
        """Exactly one output per event."""
        return self.outputs == self.distinct == self.events

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds


@dataclass(slots=True)
class Results:
    """Everything that ``results.json`` holds."""

    machine: dict[str, int]
    settings: dict[str, Any]
    versions: dict[str, str]
    turns: list[Turn] = field(default_factory=list)
    unavailable: dict[str, str] = field(default_factory=dict)
    """Why a contender took no part, by name."""
    failed: dict[str, str] = field(default_factory=dict)
    """What went wrong with a contender that began."""
    measures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows of the further measurements by the name of their subcommand."""

    def of(self, contender: str) -> list[Turn]:
        """The turns of one contender."""
        return [turn for turn in self.turns if turn.contender == contender]


def save_results(results: Results, path: Path) -> None:
    """Write atomically enough for a run that is interrupted: never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def load_results(path: Path) -> Results:
    """Read back what ``save_results`` wrote.

    Raises:
        OSError: There is no such file.
        ValueError: It was not written by this program.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        data["turns"] = [Turn(**turn) for turn in data["turns"]]
        return Results(**data)
    except (KeyError, TypeError) as fault:
        raise ValueError(f"{path} holds no results of this program: {fault}") from fault
