"""``riskstream topics``: make Kafka's topics what riskstream needs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, show, styled, table, write_json
from riskstream.errors import CheckFailedError

if TYPE_CHECKING:
    from riskstream.streaming.admin import TopicVerdict

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Create and check the topics that riskstream reads and writes.",
)

_STYLES = {"ok": "green", "created": "green", "exists": "dim", "would_create": "yellow"}


@app.command()
def create(
    *,
    partitions: Annotated[
        int | None,
        typer.Option(help="Of every topic made. Without it kafka.partitions.", min=1, max=4096),
    ] = None,
    replication_factor: Annotated[
        int | None, typer.Option(help="Without it kafka.replication_factor.", min=1, max=10)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Create the topics that are missing, and leave the others alone.

    **Example:**  riskstream topics create --partitions 12 --replication-factor 3
    """
    from riskstream.streaming.admin import create_topics

    settings = settings_for(
        bootstrap_servers,
        kafka={"partitions": partitions, "replication_factor": replication_factor},
    )
    verdicts = run(create_topics(settings.kafka, dry_run=dry_run))
    _show(verdicts, output)
    made = sum(verdict.verdict != "exists" for verdict in verdicts)
    done = "would be created" if dry_run else "created"
    note(f"{made} {done}, {len(verdicts) - made} were there.")


@app.command()
def check(
    *, bootstrap_servers: BootstrapServers = None, output: FormatOption = Format.TABLE
) -> None:
    """Compare the topics with what a worker needs; exit 1 when one is not fit.

    Every topic must exist, the tables must have as many partitions as the classified topic,
    and the settings that decide correctness must be as created.
    How long outputs are kept is your choice and only shown.

    **Example:**  riskstream topics check --format json
    """
    from riskstream.streaming.admin import check_topics

    verdicts = run(check_topics(settings_for(bootstrap_servers).kafka))
    _show(verdicts, output)
    failed = [verdict for verdict in verdicts if verdict.failed]
    if failed:
        cures = [f"  {cure}" for cure in dict.fromkeys(verdict.cure for verdict in failed)]
        raise CheckFailedError(
            f"{len(failed)} of {len(verdicts)} topics are not fit for a worker. What to do:\n"
            + "\n".join(cures)
        )


def _show(verdicts: "list[TopicVerdict]", output: Format) -> None:
    if output is Format.JSON:
        write_json([asdict(verdict) for verdict in verdicts])
        return
    rows = [
        (
            verdict.topic,
            styled(verdict.verdict.replace("_", " "), _STYLES.get(verdict.verdict, "bold red")),
            verdict.partitions,
            verdict.purpose,
            verdict.detail,
        )
        for verdict in verdicts
    ]
    show(table(["topic", "verdict", "#partitions", "holds", "detail"], rows))
