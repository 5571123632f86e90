"""``riskstream doctor``: looks at everything that a worker needs, and says what to do."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, show, styled, table, write_json
from riskstream.cli.worker import RoleChoice
from riskstream.errors import CheckFailedError

if TYPE_CHECKING:
    from riskstream.cli.checkup.examination import Wishes
    from riskstream.cli.checkup.finding import Finding
    from riskstream.config import Settings

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}


def doctor(
    *,
    role: Annotated[
        RoleChoice,
        typer.Option(help="Look at what a worker of this role needs, as the user that it runs as."),
    ] = RoleChoice.ALL,
    worker_url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A worker's address, to ask it too; several if need be."),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also write a trial transaction to a topic made for it and deleted again: "
            "proves transactions, measures the clock.",
        ),
    ] = False,
    records: Annotated[
        int, typer.Option(help="The newest so many of each topic are checked.", min=1, max=10_000)
    ] = 50,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", help="A record may wait so long unread.", min=0)
    ] = 300.0,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Look at all that a worker needs; exit 1 when something fails.

    Kafka and what it can do, topics, copies, rights, consumer groups and lag, records against
    the schemas, clocks, policy, catalog, state directory, and workers that you name. Each line
    has a verdict and, where there is something to do, what. Nothing is written without --probe.

    **Examples:**

    riskstream doctor

    riskstream doctor --worker-url http://127.0.0.1:9464 --probe --format json
    """
    from riskstream.cli.checkup.examination import Wishes

    roles = ("ingest", "assess") if role is RoleChoice.ALL else (role.value,)
    wishes = Wishes(roles, tuple(worker_url or ()), probe, records, patience)
    findings = run(_collect(settings_for(bootstrap_servers), wishes))
    counts = Counter(str(finding.judgement) for finding in findings)
    told = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
    if output is Format.JSON:
        write_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if counts["fail"]:
        raise CheckFailedError(f"Something is wrong: {told}.")
    note(f"{told}.")


async def _collect(settings: "Settings", wishes: "Wishes") -> "list[Finding]":
    from riskstream.cli.checkup.examination import examine

    return [finding async for finding in examine(settings, wishes)]


def _show(findings: "list[Finding]") -> None:
    from rich.text import Text

    rows = []
    for finding in findings:
        found = styled(finding.detail, "")
        if finding.cure:
            found = Text("\n").join([found, styled(f"→ {finding.cure}", "bold")])
        verdict = styled(finding.judgement, _STYLES[finding.judgement])
        rows.append((verdict, finding.check, found))
    show(table(["verdict", "what", "found, and what to do"], rows))
