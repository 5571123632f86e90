"""The brokers: what they can do, and how they are set up."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from riskstream.cli.checkup.finding import Finding, count, fail, ok, skipped, warn

if TYPE_CHECKING:
    from riskstream.config import Settings
    from riskstream.streaming.inquiry import ClusterFacts

__all__ = ["judge_cluster"]

METADATA_VERSION: Final = "metadata.version"
RELEASES: Final = (
    (30, "4.3"),
    (28, "4.2"),
    (26, "4.1"),
    (22, "4.0"),
    (21, "3.9"),
    (20, "3.8"),
    (15, "3.7"),
    (12, "3.6"),
    (9, "3.5"),
    (8, "3.4"),
    (4, "3.3"),
)
"""The first level of ``metadata.version`` of each release: Kafka's ``MetadataVersion``."""
TRANSACTIONS: Final = {
    22: "InitProducerId",
    24: "AddPartitionsToTxn",
    25: "AddOffsetsToTxn",
    26: "EndTxn",
    28: "TxnOffsetCommit",
}
JOIN_GROUP: Final = 11
STATIC_MEMBERS: Final = 5
"""The version of JoinGroup that has static members."""
DELETE_RECORDS: Final = 21
OFFSETS_KEPT_MINUTES: Final = 1440
"""Below this a worker that is down for a day forgets where it was."""


def judge_cluster(facts: "ClusterFacts", settings: "Settings") -> Iterator[Finding]:
    """Version, transactions, static members, purging, and settings of the broker that matter."""
    yield ok("kafka", f"{count(len(facts.brokers), 'broker')} ({', '.join(facts.brokers)})")
    yield _version(facts)
    yield _transactions(facts, settings)
    if facts.apis.get(JOIN_GROUP, (0, 0))[1] < STATIC_MEMBERS:
        yield fail(
            "static members",
            "the broker knows none, so every restart moves partitions",
            "use Apache Kafka 2.3 or newer",
        )
    if settings.worker.purge_classified and DELETE_RECORDS not in facts.apis:
        yield warn(
            "purging",
            "the broker cannot delete records, so the classified topic grows",
            "run kafka-delete-records.sh below the committed offset, or set "
            "RISKSTREAM_WORKER__PURGE_CLASSIFIED=false",
        )
    yield from _config(facts, settings)


def _version(facts: "ClusterFacts") -> Finding:
    level = facts.features.get(METADATA_VERSION)
    if level is None:
        return ok("kafka version", f"not told; {len(facts.apis)} APIs of Kafka's protocol")
    release = next((name for first, name in RELEASES if level >= first), "before 3.3")
    newer = " or newer" if (level, release) > (RELEASES[0][0], RELEASES[0][1]) else ""
    return ok("kafka version", f"Apache Kafka {release}{newer} (metadata.version {level})")


def _transactions(facts: "ClusterFacts", settings: "Settings") -> Finding:
    missing = [name for key, name in TRANSACTIONS.items() if key not in facts.apis]
    if settings.worker.processing_guarantee == "at_least_once":
        return warn(
            "transactions",
            "not used: worker.processing_guarantee is at_least_once, so outputs may repeat",
            "where the broker has transactions: RISKSTREAM_WORKER__PROCESSING_GUARANTEE="
            "exactly_once"
            if not missing
            else "use a broker with transactions, such as Apache Kafka",
        )
    if missing:
        return fail(
            "transactions",
            f"the broker has none ({', '.join(missing)} missing)",
            "RISKSTREAM_WORKER__PROCESSING_GUARANTEE=at_least_once, and drop repeats by `id`",
        )
    return ok("transactions", "the broker has them")


def _config(facts: "ClusterFacts", settings: "Settings") -> Iterator[Finding]:
    if not facts.config:
        yield skipped("broker settings", "we may not see them (DESCRIBE_CONFIGS on the cluster)")
        return
    faults = list(_config_faults(facts.config, settings))
    yield from faults or [ok("broker settings", "fit ours")]


def _config_faults(config: Mapping[str, str], settings: "Settings") -> Iterator[Finding]:
    get = config.get
    transaction = settings.kafka.transaction_timeout_seconds * 1000
    most = _number(get("transaction.max.timeout.ms"))
    exactly_once = settings.worker.processing_guarantee == "exactly_once"
    if exactly_once and most is not None and transaction > most:
        yield fail(
            "broker settings",
            f"transaction.max.timeout.ms is {most}, and kafka.transaction_timeout_seconds asks "
            f"for {transaction:.0f} ms",
            f"RISKSTREAM_KAFKA__TRANSACTION_TIMEOUT_SECONDS={most / 1000:.0f}, or raise the "
            "broker's",
        )
    session = settings.kafka.session_timeout_seconds * 1000
    least = _number(get("group.min.session.timeout.ms"))
    longest = _number(get("group.max.session.timeout.ms"))
    if least is not None and longest is not None and not least <= session <= longest:
        yield fail(
            "broker settings",
            f"a session may last {least} to {longest} ms, and kafka.session_timeout_seconds asks "
            f"for {session:.0f} ms",
            "set RISKSTREAM_KAFKA__SESSION_TIMEOUT_SECONDS within the broker's bounds",
        )
    kept = _number(get("offsets.retention.minutes"))
    if kept is not None and kept < OFFSETS_KEPT_MINUTES:
        yield warn(
            "broker settings",
            f"offsets.retention.minutes is {kept}: workers that are down for longer forget "
            "where they were",
            "set it to 10080, Kafka's default, or more",
        )
    if get("auto.create.topics.enable") == "true":
        yield warn(
            "broker settings",
            "auto.create.topics.enable is true: a mistyped topic name makes a topic",
            "auto.create.topics.enable=false on the brokers",
        )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
