"""``riskstream dlq``: look at dead letters, send them back, release the brake."""

from collections import deque
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import (
    BootstrapServers,
    FormatOption,
    StreamFormatOption,
    settings_for,
)
from riskstream.cli.output import Format, note, printable, show, table, write_json, write_line
from riskstream.errors import CheckFailedError, ConfigError
from riskstream.events.outcome import Reason
from riskstream.events.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskstream.cli.dead_letters import DeadLetterRecord

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Look at dead letters, send them back, and release a worker's brake.",
)

Reasons = Annotated[
    list[Reason] | None,
    typer.Option("--reason", metavar="REASON", help="Such as malformed_json; several if need be."),
]


@app.command("list")
def list_letters(
    *,
    reason: Reasons = None,
    limit: Annotated[int, typer.Option(help="The latest so many.", min=1, max=1_000_000)] = 50,
    bootstrap_servers: BootstrapServers = None,
    output: StreamFormatOption = Format.TABLE,
) -> None:
    """List dead letters, the latest last.

    **Example:**  riskstream dlq list --reason malformed_json --limit 10
    """
    from riskstream.cli.dead_letters import read_letters

    kept: deque[DeadLetterRecord] = deque(maxlen=limit)
    seen = 0

    def take(letter: "DeadLetterRecord") -> None:
        nonlocal seen
        seen += 1
        kept.append(letter)

    run(read_letters(settings_for(bootstrap_servers), frozenset(reason or ()), take))
    letters = sorted(kept, key=lambda letter: (letter.timestamp, letter.partition, letter.offset))
    if output is Format.JSON:
        for letter in letters:
            write_line(letter.document())
        return
    rows = [
        (
            letter.place,
            format_time(letter.timestamp),
            letter.stage,
            letter.reason,
            letter.origin_text,
            len(letter.value),
            letter.detail,
        )
        for letter in letters
    ]
    columns = ["letter", "written", "stage", "reason", "origin", "#bytes", "detail"]
    show(table(columns, rows))
    note(f"{len(rows)} of {seen} dead letters.")


@app.command("show")
def show_letter(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As listed.")],
    *,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show one dead letter with its headers and its bytes.

    Bytes that could steer a terminal are shown as escapes.

    **Example:**  riskstream dlq show 2:17
    """
    from riskstream.cli.dead_letters import as_letter
    from riskstream.events.topics import DEAD_LETTER
    from riskstream.streaming.reader import read_one

    partition, _, offset = place.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise ConfigError(f"A dead letter is named PARTITION:OFFSET, such as 2:17; not {place}.")
    settings = settings_for(bootstrap_servers)
    record = run(read_one(settings, DEAD_LETTER, int(partition), int(offset)))
    if record is None:
        raise CheckFailedError(f"There is no dead letter {place}.")
    letter = as_letter(record)
    if output is Format.JSON:
        write_json(letter.document())
        return
    key = "" if letter.key is None else letter.key.decode("utf-8", "backslashreplace")
    show(table(["header", "value"], [("(key)", key), *letter.headers.items()]))
    show(f"{len(letter.value)} bytes", *_safe_lines(letter.value))


@app.command()
def replay(
    *,
    reason: Reasons = None,
    limit: Annotated[int | None, typer.Option(help="The first so many.", min=1)] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="At most so many a second, beside live traffic.", min=0.01),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send also what was sent back before.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Send the original bytes of dead letters back to the raw topic, under their original key.

    What was sent back before is left out, and so is what failed again after it was: --again
    takes both. Letters whose bytes did not fit into a record cannot be sent.

    **Examples:**

    riskstream dlq replay --reason internal_error --dry-run

    riskstream dlq replay --reason internal_error --rate 100 --yes
    """
    from riskstream.cli.replaying import choose, send

    settings = settings_for(bootstrap_servers)
    chosen = run(choose(settings, frozenset(reason or ()), limit, again=again))
    if chosen.places and not (dry_run or yes):
        reasons = ", ".join(f"{count} {name}" for name, count in sorted(chosen.by_reason.items()))
        question = f"Send {len(chosen.places)} dead letters to the raw topic ({reasons})?"
        typer.confirm(question, abort=True, err=True)
    counts = {
        "chosen": len(chosen.places),
        "sent": run(send(settings, chosen, rate)) if chosen.places and not dry_run else 0,
        "replayed_before": chosen.replayed_before,
        "truncated": chosen.truncated,
    }
    by_reason = dict(sorted(chosen.by_reason.items()))
    if output is Format.JSON:
        write_json({**counts, "by_reason": by_reason})
    else:
        rows = [*counts.items(), *((f"chosen: {name}", n) for name, n in by_reason.items())]
        show(table(["dead letters", "#count"], rows))
    if dry_run:
        note("Nothing was sent.")
    elif chosen.replayed_before:
        note("Those sent back before were left out; --again sends them too.")


@app.command()
def release(
    *,
    worker_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The worker's; without it http.host and http.port."),
    ] = None,
    partition: Annotated[
        int | None, typer.Option(help="Only this one; without it all.", min=0)
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Release the brake of a worker: partitions paused for too many dead letters go on.

    **Example:**  riskstream dlq release --worker-url http://127.0.0.1:9464 --partition 2
    """
    from riskstream.cli.brake import release_brake
    from riskstream.security import read_secret

    http = settings_for().http
    url = worker_url or f"http://{http.host}:{http.port}"
    token = read_secret(http.token, http.token_file, "http.token")
    released = release_brake(url, partition, token)
    if output is Format.JSON:
        write_json({"released": released})
    else:
        show(table(["#released partition"], [(number,) for number in released]))
    note(f"{len(released)} partitions go on." if released else "No partition was braked.")


def _safe_lines(value: bytes) -> "Iterator[str]":
    for line in value.split(b"\n"):
        yield printable(line.decode("utf-8", "backslashreplace"))
