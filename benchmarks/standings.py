"""What the turns of a run add up to: medians by contender, and the ratios between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.contenders.contender import Contender
from benchmarks.figures import median, ratio
from benchmarks.results import Results

__all__ = ["RATIOS", "Compared", "Standing", "StatedRatio", "ratios_of", "standings"]

MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Standing:
    """One contender over all rounds."""

    contender: Contender
    rounds: int
    rate: float
    """Median events per second."""
    lowest: float
    highest: float
    cpu_us: float
    """Median CPU time per event of its own processes, microseconds."""
    broker_cpu_us: float
    peak_rss_bytes: float
    complete: bool
    """Exactly one output per event in every round."""


@dataclass(frozen=True, slots=True)
class StatedRatio:
    """A comparison that is always made, and what was aimed for."""

    what: str
    one: str
    """Name of the contender above the line."""
    other: str
    aim: float | None = None


RATIOS: Final = (
    StatedRatio("exactly once to stock Faust", "riskstream-eo", "faust", 25.0),
    StatedRatio("exactly once to Quix Streams", "riskstream-eo", "quix", 3.0),
    StatedRatio("exactly once to the one-hop loop", "riskstream-eo", "confluent", 0.5),
    StatedRatio("exactly once to at least once", "riskstream-eo", "riskstream-alo", 0.8),
    StatedRatio("reduced job: our shell to Kafka Streams", "riskstream-reduced", "kafka-streams"),
)


def standings(results: Results, contenders: Sequence[Contender]) -> list[Standing]:
    """Of every contender that finished a round, in their order."""
    found = []
    for contender in contenders:
        turns = results.of(contender.name)
        if not turns:
            continue
        rates = [turn.rate for turn in turns]
        found.append(
            Standing(
                contender=contender,
                rounds=len(turns),
                rate=median(rates),
                lowest=min(rates),
                highest=max(rates),
                cpu_us=median([turn.cpu_seconds / turn.events for turn in turns]) * MICROSECONDS,
                broker_cpu_us=median([turn.broker_cpu_seconds / turn.events for turn in turns])
                * MICROSECONDS,
                peak_rss_bytes=median([turn.peak_rss_bytes for turn in turns]),
                complete=all(turn.complete for turn in turns),
            )
        )
    return found


class Compared(NamedTuple):
    """A stated ratio as it came out."""

    stated: StatedRatio
    rate: float
    """Of the median rates."""
    cpu: float | None
    """Of the CPU time per event, the other's above the line: more than 1 is less work."""


def ratios_of(found: Sequence[Standing]) -> list[Compared]:
    """The stated ratios, where both sides took part."""
    by_name = {standing.contender.name: standing for standing in found}
    told = []
    for stated in RATIOS:
        one, other = by_name.get(stated.one), by_name.get(stated.other)
        if one is None or other is None:
            continue
        rate = ratio(one.rate, other.rate)
        if rate is not None:
            told.append(Compared(stated, rate, ratio(other.cpu_us, one.cpu_us)))
    return told
