"""The consumer groups: does anybody work, how far behind, and can a worker go on from there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from riskstream.cli.checkup.finding import Finding, count, fail, ok, warn

if TYPE_CHECKING:
    from riskstream.streaming.inquiry import GroupFacts, LogFacts

__all__ = ["GroupView", "judge_group"]

REBALANCING: Final = frozenset({"PreparingRebalance", "CompletingRebalance"})
NOBODY: Final = frozenset({"Dead", "Empty"})


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group and the log that it reads, by partition number."""

    name: str
    topic: str
    facts: "GroupFacts"
    logs: Mapping[int, "LogFacts"]
    committed: Mapping[int, int]
    rows: Mapping[int, bool]
    """Whether the tables of a partition hold anything; empty for a group without tables."""


def judge_group(view: GroupView, now_ms: int, patience_seconds: float) -> Iterator[Finding]:
    """State and lag, and what would stop a worker at its start.

    Args:
        view: As found.
        now_ms: Epoch milliseconds.
        patience_seconds: The oldest unread record may have waited so long.
    """
    check = f"group {view.name}"
    if view.facts.refused:
        yield fail(
            check,
            "we may not see it",
            f"grant READ and DESCRIBE on group {view.name} to the principal of the workers",
        )
        return
    broken = list(_broken(view, check))
    if broken:
        yield from broken
        return
    yield _activity(view, check, now_ms, patience_seconds)


def _broken(view: GroupView, check: str) -> Iterator[Finding]:
    lost = {
        number: view.logs[number].first - offset
        for number, offset in view.committed.items()
        if number in view.logs and offset < view.logs[number].first
    }
    if lost:
        yield fail(
            check,
            f"{sum(lost.values())} offsets of {_partitions(view.topic, lost)} were deleted before "
            "they were read",
            "start the worker once with RISKSTREAM_WORKER__LOST_OFFSETS=skip, and raise "
            f"retention.ms of {view.topic}",
        )
    beyond = [
        number
        for number, offset in view.committed.items()
        if number in view.logs and offset > view.logs[number].end
    ]
    if beyond:
        yield fail(
            check,
            f"it stands beyond the end of {_partitions(view.topic, beyond)}: the topic was made "
            "anew",
            f"stop the workers, kafka-consumer-groups.sh --delete --group {view.name}, and delete "
            "the state topics to start over",
        )
    orphaned = [n for n, some in view.rows.items() if some and n not in view.committed]
    if orphaned:
        yield fail(
            check,
            f"{_partitions(view.topic, orphaned)} have rows in the tables and no committed offset",
            f"restore the offsets: kafka-consumer-groups.sh --reset-offsets --group {view.name}",
        )


def _activity(view: GroupView, check: str, now_ms: int, patience_seconds: float) -> Finding:
    unread = sum(log.unread for log in view.logs.values()) + sum(
        log.end - log.first for number, log in view.logs.items() if number not in view.committed
    )
    since = [log.waiting_since_ms for log in view.logs.values() if log.waiting_since_ms is not None]
    waited = max((now_ms - min(since)) / 1000, 0.0) if since else 0.0
    waits = "record waits" if unread == 1 else "records wait"
    lag = f"{unread} {waits}" + (f", the oldest for {_seconds(waited)}" if since else "")
    if view.facts.state in NOBODY:
        return warn(check, f"no worker runs; {lag}", "riskstream worker")
    if view.facts.state in REBALANCING:
        return warn(check, f"is being rebalanced; {lag}", "ask again in a minute")
    members = count(view.facts.members, "member")
    if unread and waited > patience_seconds:
        return warn(
            check,
            f"{members}; {lag}",
            f"more workers, up to {len(view.logs)} processes of this role, or see why they are "
            "slow: docs/operations.md",
        )
    if view.facts.members > len(view.logs):
        return warn(
            check,
            f"{members} for {count(len(view.logs), 'partition')}; {lag}",
            "fewer processes: those without a partition have nothing to do",
        )
    return ok(check, f"{members} on {count(len(view.logs), 'partition')}; {lag}")


def _partitions(topic: str, numbers: Any) -> str:
    listed = sorted(numbers)
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""  # noqa: PLR2004
    return f"{topic}-{','.join(map(str, listed[:5]))}{more}"


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
