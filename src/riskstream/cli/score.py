"""``riskstream score``: the pipeline over a file, without Kafka."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.options import opened_file, settings_for
from riskstream.cli.output import note, progress
from riskstream.errors import CheckFailedError, ConfigError

if TYPE_CHECKING:
    from riskstream.cli.scoring import FileScorer
    from riskstream.events.record import InputRecord

__all__ = ["score"]


def score(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A file, or - for standard input.")],
    *,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the counts there: a JSON object.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when anything was dead-lettered.")
    ] = False,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Score by this risk policy.")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Lay these event types over the catalog.")
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is known of users: CSV as of context load."),
    ] = None,
    account: Annotated[
        int | None,
        typer.Option(metavar="ID", min=0, help="Of lines of --context without an account_id."),
    ] = None,
    chunk_records: Annotated[
        int,
        typer.Option(help="Records worked on at once; the output does not depend on it.", min=1),
    ] = 2000,
) -> None:
    """Classify and score the events of a file: the same pipeline as a worker's, without Kafka.

    The file may hold events in any shape that the raw topic may: single events, arrays,
    REST pages, NDJSON, EventBridge envelopes, or a mix of them.
    The order of the file is taken as the order of time.

    Output is NDJSON, one line per event that is routed or dead-lettered, in the file's order:
    topic, key, headers and value; for dead letters payload (text) or payload_base64 in place
    of value.

    **Examples:**

    riskstream score events.json | jq -c 'select(.value.risk.level == "high") | .value.risk'

    curl … | riskstream score - --summary counts.json --strict > scored.ndjson
    """
    from riskstream.cli.scoring import chunks, documents, new_scorer

    settings = settings_for(risk={"policy": policy}, catalog={"overlay": catalog})
    scorer = new_scorer(settings)
    if summary is not None and not summary.parent.is_dir():
        raise ConfigError(f"There is no directory {summary.parent} to write the summary in.")
    if context is not None:
        from riskstream.cli.context_file import read_context_file

        scorer.know(read_context_file(context, account))
    with opened_file(file) as (source, size):
        records = documents(source, settings.limits.max_record_bytes)
        _run(scorer, chunks(records, chunk_records), size)
    _finish(scorer, summary, strict=strict)


def _run(scorer: "FileScorer", pieces: "Iterator[list[InputRecord]]", size: int | None) -> None:
    from riskstream.cli.scoring import output_line

    write = sys.stdout.buffer.write
    with progress("scoring", size, beside_stdout=True) as advance:
        for chunk in pieces:
            for output in scorer.score(chunk):
                write(output_line(output) + b"\n")
            advance(sum(len(record.value or b"") for record in chunk))
    sys.stdout.buffer.flush()


def _finish(scorer: "FileScorer", summary: Path | None, *, strict: bool) -> None:
    from riskstream.cli.output import json_bytes

    counts = scorer.summary
    if summary is not None:
        try:
            summary.write_bytes(json_bytes(counts.document()))
        except OSError as fault:
            raise ConfigError(f"The summary cannot be written to {summary}: {fault}") from fault
    if counts.over_a_limit:
        note(
            "riskstream: some input is over a limit (limits.max_record_bytes, "
            "limits.max_events_per_record), as it would be in Kafka. To lift one for this file "
            "set, for example, RISKSTREAM_LIMITS__MAX_EVENTS_PER_RECORD=1000000."
        )
    if strict and counts.dead_lettered:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in sorted(counts.dead_letters_by_reason.items())
        )
        raise CheckFailedError(f"{counts.dead_lettered} dead letters: {reasons}.")
