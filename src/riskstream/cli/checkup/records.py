"""What lies in the topics: by the schemas, and by the brokers' clock."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from riskstream.cli.checkup.finding import Finding, fail, ok, skipped, warn
from riskstream.contract.registry import TOPIC_SCHEMAS

if TYPE_CHECKING:
    from riskstream.config import Settings
    from riskstream.streaming.probe import ProbeFacts

__all__ = ["Sample", "judge_clock", "judge_probe", "judge_sample", "take_sample"]

SKEW_WARN_MS: Final = 1_000
SKEW_FAIL_MS: Final = 300_000
"""As much as an event's own time may be ahead before it is clipped."""
FRESH_MS: Final = 5_000
"""A record as new as this tells both clocks to agree."""
CONTROL_RECORDS: Final = 3
"""Offsets beyond the wanted records, for the ends of transactions."""
MS: Final = 1000


@dataclass(slots=True)
class Sample:
    """The newest records of a topic, checked."""

    checked: int = 0
    newest_ms: int | None = None
    """Kafka's timestamp of the newest; the broker's clock, since our topics are LogAppendTime."""
    faults: list[str] = field(default_factory=list)
    """Place and first fault of each record that is not valid."""


async def take_sample(
    settings: "Settings", topics: Mapping[str, int], records: int
) -> dict[str, Sample]:
    """Read about so many of the newest records of each topic and check them by its schema.

    Args:
        settings: Where Kafka is.
        topics: Names of topics that exist, and their partition counts.
        records: Wanted per topic; a few more or fewer may come.
    """
    from riskstream.cli.schema_check import record_faults
    from riskstream.streaming.reader import Tail, read

    samples = {name: Sample() for name in topics}
    for topic, partitions in topics.items():
        start = Tail(-(-records // partitions) + CONTROL_RECORDS)
        schema = TOPIC_SCHEMAS.get(topic)
        sample = samples[topic]
        async with aclosing(read(settings, [topic], start=start)) as found:
            async for record in found:
                sample.newest_ms = max(sample.newest_ms or 0, record.timestamp)
                if schema is None or record.value is None:
                    continue
                sample.checked += 1
                faults = record_faults(schema, record)
                if faults:
                    place = f"{record.partition}:{record.offset}"
                    sample.faults.append(f"{place} {faults[0].place} {faults[0].message}")
    return samples


def judge_sample(samples: Mapping[str, Sample]) -> Iterator[Finding]:
    """Whether what lies in the topics is what the schemas of this version say."""
    check = "schemas"
    bad = {name: sample for name, sample in samples.items() if sample.faults}
    for name, sample in bad.items():
        yield fail(
            check,
            f"{len(sample.faults)} of the newest {sample.checked} records of {name} are not by "
            f"{TOPIC_SCHEMAS[name]}: {sample.faults[0]}",
            f"something else, or another version of riskstream, writes there: `riskstream schemas "
            f"check --topic {name}` shows all",
        )
    checked = Counter({name: sample.checked for name, sample in samples.items()}).total()
    if not bad and checked:
        yield ok(check, f"the newest {checked} records are by the schemas of this version")
    elif not bad:
        yield skipped(check, "the topics hold no records yet")


def judge_clock(samples: Mapping[str, Sample], now_ms: int) -> Finding:
    """What the newest records tell of the brokers' clock without writing any."""
    check = "clock"
    stamps = [sample.newest_ms for sample in samples.values() if sample.newest_ms is not None]
    if not stamps:
        return skipped(
            check, "no record to tell the brokers' time by", "riskstream doctor --probe measures it"
        )
    ahead = max(stamps) - now_ms
    if ahead > SKEW_WARN_MS:
        return _skew(check, float(ahead), "at least ")
    if -ahead <= FRESH_MS:
        return ok(check, f"the newest record was written {max(-ahead, 0) / MS:.1f} s ago")
    return skipped(
        check,
        "the newest record is too old to tell the brokers' time by",
        "riskstream doctor --probe measures it",
    )


def judge_probe(facts: "ProbeFacts", *, transactional: bool) -> Iterator[Finding]:
    """What came of writing in a topic of our own."""
    check = "trial transaction" if transactional else "trial write"
    if facts.fault:
        yield warn(
            check,
            facts.fault,
            "the doctor needs CREATE on the cluster or on topics that begin with "
            "riskstream.doctor. for this",
        )
        return
    if facts.read_back:
        what = "committed, aborted and read back as it must be" if transactional else "read back"
        yield ok(check, what)
    else:
        yield fail(
            check,
            "a read_committed reader did not get exactly what was committed",
            "use Apache Kafka, or RISKSTREAM_WORKER__PROCESSING_GUARANTEE=at_least_once",
        )
    if facts.skew_ms is None:
        yield skipped("clock", "the broker does not stamp records (LogAppendTime)")
    elif abs(facts.skew_ms) - facts.uncertainty_ms > SKEW_WARN_MS:
        yield _skew("clock", facts.skew_ms, "")
    else:
        yield ok(
            "clock",
            f"the broker's is within {abs(facts.skew_ms) + facts.uncertainty_ms:.0f} ms of ours",
        )


def _skew(check: str, skew_ms: float, bound: str) -> Finding:
    side = "ahead of" if skew_ms > 0 else "behind"
    detail = f"the broker's is {bound}{abs(skew_ms) / MS:.1f} s {side} ours"
    cure = "synchronise both with NTP: received_time, and what counts as the future, go by it"
    judge = fail if abs(skew_ms) >= SKEW_FAIL_MS else warn
    return judge(check, detail, cure)
