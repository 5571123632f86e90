"""The topics: there, fit, replicated, and open to us."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from riskstream.cli.checkup.finding import Finding, count, fail, ok, skipped, warn
from riskstream.contract.acls import Acl, Operation
from riskstream.events.topics import RAW

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskstream.streaming.admin import TopicState, TopicVerdict
    from riskstream.streaming.inquiry import PartitionFacts, TopicFacts

__all__ = ["judge_replication", "judge_rights", "judge_topics"]

RETENTION: Final = "retention.ms"
SHORT_RETENTION_MS: Final = 86_400_000
"""Raw records that are kept for less are lost when no worker runs for a night and a day."""
COPIES: Final = 3
IN_SYNC: Final = "min.insync.replicas"


def judge_topics(
    verdicts: Sequence["TopicVerdict"],
    states: Mapping[str, "TopicState"],
    topics: Mapping[str, "TopicFacts"],
) -> Iterator[Finding]:
    """One line per topic: partitions, settings, how long it is kept; one for all that miss.

    Topics that we may not see are left to ``judge_rights``.
    """
    missing = [verdict for verdict in verdicts if verdict.topic not in {*states, *topics}]
    if missing:
        names = ", ".join(verdict.topic for verdict in missing)
        yield fail("topics", f"{len(missing)} do not exist: {names}", missing[0].cure)
    for verdict in verdicts:
        check = f"topic {verdict.topic}"
        if verdict.topic not in states:
            continue
        if verdict.failed:
            yield fail(check, verdict.detail, verdict.cure)
            continue
        kept = states[verdict.topic].config.get(RETENTION, "")
        detail = count(verdict.partitions, "partition")
        compacted = "compact" in states[verdict.topic].config.get("cleanup.policy", "")
        if not compacted and kept.removeprefix("-").isdecimal():
            detail += f", kept {_span(int(kept))}"
        if not states[verdict.topic].config:
            detail += "; its settings are not told (DescribeConfigs)"
        if verdict.detail:
            detail += f"; {verdict.detail}"
        if verdict.topic == RAW and kept.isdecimal() and int(kept) < SHORT_RETENTION_MS:
            yield warn(
                check,
                f"{detail}: what no worker has read by then is gone",
                f"raise {RETENTION} of {RAW}",
            )
        else:
            yield ok(check, detail)


def judge_replication(
    topics: Mapping[str, "TopicFacts"], states: Mapping[str, "TopicState"], brokers: int
) -> Iterator[Finding]:
    """Leaders, copies and copies in step, over all topics."""
    check = "replication"
    seen = {name: facts for name, facts in topics.items() if facts.partitions}
    if not seen:
        yield skipped(check, "there is no topic to look at")
        return
    headless = _places(seen, lambda part: part.leader < 0)
    behind = _places(seen, lambda part: len(part.in_sync) < len(part.replicas))
    if headless:
        yield fail(
            check, f"no leader: {headless}", "bring the brokers that have these partitions back"
        )
    elif behind:
        yield warn(
            check,
            f"copies out of step: {behind}",
            "a broker is down or slow; look at it before the next one goes",
        )
    fewest = min(len(part.replicas) for facts in seen.values() for part in facts.partitions)
    lax = [
        name
        for name, state in states.items()
        if fewest > 1 and state.config.get(IN_SYNC, str(fewest)) == "1"
    ]
    if fewest < min(COPIES, max(brokers, 2)):
        yield warn(
            check,
            f"{fewest} {'copy' if fewest == 1 else 'copies'} of the data on "
            f"{count(brokers, 'broker')}: a lost disk loses events",
            f"for production {COPIES} brokers and `riskstream topics create --replication-factor "
            f"{COPIES}`; existing topics: kafka-reassign-partitions.sh",
        )
    elif lax:
        yield warn(
            check,
            f"{IN_SYNC} is 1 for {', '.join(sorted(lax))}: an acknowledged write may be on one "
            "disk only",
            f"{IN_SYNC}={fewest - 1} on the brokers or topics",
        )
    elif not headless and not behind:
        yield ok(check, f"{fewest} copies of everything, all in step")


def judge_rights(missing: Sequence[Acl], needed: Sequence[Acl], *, told: bool) -> Finding:
    """Whether we may do what a worker does, as the broker tells it of our own user.

    Args:
        missing: Those of the needed rights that we do not have.
        needed: The rights of the worker's roles.
        told: Whether the broker says what we may do.
    """
    check = "rights"
    what = "; ".join(
        f"no {acl.operation} on {acl.resource} {acl.name}{'*' if acl.prefixed else ''}: {acl.why}"
        for acl in missing
    )
    if any(acl.operation is not Operation.DELETE for acl in missing):
        cure = "`riskstream topics acls --format commands` prints the commands that grant them"
        return fail(check, what, cure)
    if missing:
        return warn(check, what, "grant it, or the classified topic grows")
    if not told:
        return skipped(check, "the broker does not tell what we may do")
    return ok(check, f"all {len(needed)} that a worker needs")


def _places(topics: Mapping[str, "TopicFacts"], bad: "Callable[[PartitionFacts], bool]") -> str:
    """``topic-partition`` of the partitions that are bad, a few of many."""
    places = [
        f"{name}-{number}"
        for name, facts in topics.items()
        for number, part in enumerate(facts.partitions)
        if bad(part)
    ]
    more = len(places) - 5
    return ", ".join(places[:5]) + (f" and {more} more" if more > 0 else "")


def _span(ms: int) -> str:
    if ms < 0:
        return "for ever"
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if ms >= size:
            return f"{ms / size:g} {unit}"
    return f"{ms} ms"
