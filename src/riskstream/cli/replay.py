"""``riskstream replay``: what would another policy have said."""

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, duration, moment, settings_for
from riskstream.cli.output import LEVEL_STYLES, Format, note, show, styled, table, write_json
from riskstream.errors import ConfigError
from riskstream.events.times import format_time

if TYPE_CHECKING:
    from riskstream.cli.comparison import Comparison, Said
    from riskstream.cli.what_if import Replayed
    from riskstream.streaming.timespan import TimeSpan

__all__ = ["replay"]


class Against(StrEnum):
    """What the replay is compared with."""

    TOPICS = "topics"
    POLICY = "policy"


def replay(
    *,
    from_time: Annotated[
        str,
        typer.Option("--from", metavar="1d|TIME", help="Raw records that Kafka got since then."),
    ],
    to_time: Annotated[
        str | None, typer.Option("--to", metavar="1h|TIME", help="And before then; without it now.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Score by this policy; without it risk.policy."),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Lay these event types over the catalog.")
    ] = None,
    warm_up: Annotated[
        str,
        typer.Option(
            metavar="24h",
            help="Records so long before --from fill windows and profiles first; 0s for none.",
        ),
    ] = "24h",
    against: Annotated[
        Against,
        typer.Option(
            metavar="topics|policy",
            help="Compare with what the scored topics hold, or with what the policy of the "
            "settings says of the same records.",
        ),
    ] = Against.TOPICS,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="Write outputs to topics of their own, such as trial.iam.scored.users.v1 for "
            "trial. ; they are made, and kept for 7 days."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE|-", help="Write outputs as NDJSON, as score does."),
    ] = None,
    changes: Annotated[int, typer.Option(help="So many changed events are named.", min=0)] = 20,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Score raw records of a span of time again, and say which levels change.

    The pipeline is a worker's, without its Kafka: the scored topics, the tables and the consumer
    groups are not touched. Partitions are merged by time. Windows and profiles start empty at
    the warm-up; --against policy compares two policies from the same start, so that what differs
    is the policy alone.

    **Examples:**

    riskstream replay --from 7d --policy my-policy.toml --against policy

    riskstream replay --from 2d --to 1d --policy my-policy.toml --prefix trial.
    """
    from riskstream.cli.what_if import Plan, what_if

    if output is Format.JSON and out == Path("-"):
        raise ConfigError("--out - and --format json both go to stdout; give --out a file.")
    span = _span(from_time, to_time)
    plan = Plan(
        span,
        duration(warm_up, "--warm-up"),
        against_policy=against is Against.POLICY,
        prefix=_checked(prefix),
        output=out,
        keep=changes,
    )
    then = settings_for(bootstrap_servers)
    now = settings_for(bootstrap_servers, risk={"policy": policy}, catalog={"overlay": catalog})
    done = run(what_if(now, then, plan))
    if output is Format.JSON:
        write_json(_document(done, span.from_ms, span.to_ms))
    elif out != Path("-"):
        show(*_tables(done.comparison, against))
    _say(done, against, prefix)


def _span(from_time: str, to_time: str | None) -> "TimeSpan":
    from riskstream.streaming.timespan import TimeSpan

    to_ms = time.time_ns() // 1_000_000 if to_time is None else moment(to_time, "--to")
    span = TimeSpan(moment(from_time, "--from"), to_ms)
    if span.from_ms >= span.to_ms:
        raise ConfigError(
            f"--from is {format_time(span.from_ms)}, and that is not before --to, "
            f"{format_time(span.to_ms)}."
        )
    return span


def _checked(prefix: str | None) -> str | None:
    """The prefix, once it is known to keep the trial apart."""
    if prefix is not None:
        from riskstream.streaming.trial import trial_specs

        trial_specs(prefix)
    return prefix


def _document(done: "Replayed", from_ms: int, to_ms: int) -> dict[str, Any]:
    return {
        "from": format_time(from_ms),
        "to": format_time(to_ms),
        "warm_up_records": done.warm_up.tally.records,
        **done.summary.document(),
        "written": done.written,
        **done.comparison.document(),
    }


def _tables(comparison: "Comparison", against: Against) -> list[Any]:
    then = "in the topics" if against is Against.TOPICS else "by the present policy"
    parts: list[Any] = []
    if comparison.levels:
        columns = [f"{then} ↓  now →", *(f"#{level}" for level in LEVEL_STYLES)]
        parts.append(table(columns, comparison.rows()))
    if comparison.changes:
        rows = [
            (
                change.id,
                change.time,
                change.subject,
                change.event_type,
                _level(change.then),
                _level(change.now),
                change.reasons,
            )
            for change in comparison.changes
        ]
        columns = ["event", "time", "subject", "type", "then", "now", "reasons now"]
        parts.append(table(columns, rows))
    return parts


def _level(said: "Said") -> Any:
    return styled(f"{said.score} {said.level}", LEVEL_STYLES[said.level])


def _say(done: "Replayed", against: Against, prefix: str | None) -> None:
    tally, comparison = done.summary.tally, done.comparison
    note(
        f"{tally.records} records with {tally.received} events replayed: {tally.routed} scored, "
        f"{done.summary.dead_lettered} dead letters, {tally.filtered.total()} filtered; "
        f"{done.warm_up.tally.records} records before them to warm up."
    )
    note(
        f"{comparison.compared} compared: the level rises for {comparison.raised}, falls for "
        f"{comparison.lowered}; the score is another one for {comparison.score_moved}."
    )
    if comparison.unmatched:
        where = "no scored topic" if against is Against.TOPICS else "not scored by the present one"
        note(f"{comparison.unmatched} are in {where}, so there is nothing to compare them with.")
    if prefix is not None:
        note(f"{done.written} records were written to topics that begin with {prefix}")
