"""``riskstream context``: say who is privileged, who is no person, and who is in which group."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import (
    BootstrapServers,
    FormatOption,
    StreamFormatOption,
    settings_for,
)
from riskstream.cli.output import Format, note, progress, show, table, write_json, write_line
from riskstream.errors import CheckFailedError

if TYPE_CHECKING:
    from riskstream.cli.context_changes import ContextChanges
    from riskstream.config import Settings

__all__ = ["app"]

LOOK_SECONDS = 0.5
"""Between two looks at what the workers have taken in."""

app = typer.Typer(
    no_args_is_help=True,
    help="Say who is privileged, who is no person, and who is in which group.",
)


@app.command()
def load(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    *,
    account: Annotated[
        int | None,
        typer.Option(metavar="ID", min=0, help="Of lines without an account_id."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    delete_missing: Annotated[
        bool,
        typer.Option(
            "--delete-missing",
            help="Forget users of the file's accounts that the file does not list.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Forget them even where it is more than half.")
    ] = False,
    wait: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", min=0, help="So long for the workers to take it in; then exit 1."
        ),
    ] = 0,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Load what is known of users from a CSV file; only what changed is sent.

    The header line names the columns, in any order: **user_id**, and any of **account_id**,
    **groups**, **privileged**, **service_account**, **email**, **department**.
    Cells are separated by commas or semicolons, groups within their cell by |.
    A line is all that is known of its user: what it leaves out is empty, or false.

    Workers go by it from the events on that they read after it.
    The same file can be loaded any number of times.

    **Examples:**

    riskstream context load users.csv --account 1234 --dry-run

    riskstream context load users.csv --delete-missing
    """
    from riskstream.cli.context_changes import compare, refuse_hasty
    from riskstream.cli.context_file import read_context_file
    from riskstream.cli.table_rows import read_context_rows
    from riskstream.pipeline.mask import mask_of

    settings = settings_for(bootstrap_servers)
    mask = mask_of(settings.privacy.mask_key())
    users = read_context_file(file, account, None if mask is None else mask.name)
    rows = run(read_context_rows(settings))
    changes = compare(users, rows, delete_missing=delete_missing)
    if delete_missing and not force:
        refuse_hasty(changes, rows)
    if not dry_run:
        _send(settings, changes)
    taken_in = dry_run or not wait or run(_taken_in(settings, changes, wait))
    counts = {**changes.counts(), "sent": 0 if dry_run else len(changes.outputs(0))}
    if output is Format.JSON:
        write_json(counts)
    else:
        show(table(["users", "#"], list(counts.items())))
        if changes and not dry_run and not wait:
            note("Workers take it in as they read on: riskstream context list shows it then.")
    if not taken_in:
        raise CheckFailedError(
            f"After {wait} s the workers have not taken all of it in. It waits in the classified "
            "topic: look whether they run and how far behind they are (riskstream doctor)."
        )


@app.command("show")
def show_user(
    user: Annotated[str, typer.Argument(metavar="USER", help="A subject, such as 1234:7.")],
    *,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what is known of one user.

    **Example:**  riskstream context show 1234:7
    """
    from riskstream.cli.table_rows import read_context_rows
    from riskstream.risk.context_rows import encode_context

    row = run(read_context_rows(settings_for(bootstrap_servers), user)).get(user)
    if row is None:
        raise CheckFailedError(
            f"Nothing is known of {user}. Users are named by account and id, such as 1234:7."
        )
    if output is Format.JSON:
        write_line(encode_context(row))
        return
    known = row.context
    show(
        table(
            ["context", user],
            [
                ("groups", ", ".join(known.groups)),
                ("privileged", known.privileged),
                ("service account", known.service_account),
                ("e-mail", known.email),
                ("department", known.department),
            ],
        )
    )


@app.command("list")
def list_users(
    *,
    group: Annotated[str | None, typer.Option(help="Only those in this group.")] = None,
    privileged: Annotated[
        bool, typer.Option("--privileged", help="Only privileged users.")
    ] = False,
    service_accounts: Annotated[
        bool, typer.Option("--service-accounts", help="Only service accounts.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most so many; 0 shows all.", min=0)] = 100,
    bootstrap_servers: BootstrapServers = None,
    output: StreamFormatOption = Format.TABLE,
) -> None:
    """List the users of whom something is known, by their ids.

    **Example:**  riskstream context list --privileged
    """
    from riskstream.cli.context_changes import by_id
    from riskstream.cli.table_rows import read_context_rows
    from riskstream.risk.context_rows import encode_context

    rows = run(read_context_rows(settings_for(bootstrap_servers)))
    chosen = [
        rows[subject]
        for subject in sorted(rows, key=by_id)
        if (group is None or group in rows[subject].context.groups)
        and (rows[subject].context.privileged or not privileged)
        and (rows[subject].context.service_account or not service_accounts)
    ]
    shown = chosen[:limit] if limit else chosen
    if output is Format.JSON:
        for row in shown:
            write_line(encode_context(row))
        return
    columns = ["user", "privileged", "service account", "groups", "department", "e-mail"]
    cells = [
        (
            row.subject,
            row.context.privileged,
            row.context.service_account,
            ", ".join(row.context.groups),
            row.context.department,
            row.context.email,
        )
        for row in shown
    ]
    show(table(columns, cells))
    note(f"{len(shown)} of {len(chosen)} users.")


def _send(settings: "Settings", changes: "ContextChanges") -> None:
    from riskstream.streaming.write import write_all

    outputs = changes.outputs(int(time.time() * 1000))
    with progress("loading", len(outputs)) as advance:
        run(write_all(settings.kafka, outputs, advance))


async def _taken_in(settings: "Settings", changes: "ContextChanges", seconds: int) -> bool:
    """Whether the workers go by the changes within that time."""
    import asyncio

    from riskstream.cli.table_rows import read_context_rows

    end = time.monotonic() + seconds
    while not changes.made_in(await read_context_rows(settings)):
        if time.monotonic() >= end:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True
