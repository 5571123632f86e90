"""``riskstream notify``: messages about risky events and about alerts to a webhook."""

from contextlib import aclosing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, moment, settings_for
from riskstream.cli.output import note, write_line
from riskstream.events.vocabulary import Category, Kind
from riskstream.risk.levels import Level

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["notify"]


class StyleChoice(StrEnum):
    """``--style``."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    JSON = "json"


def notify(
    *,
    risk: Annotated[
        list[Level] | None,
        typer.Option(metavar="LEVEL", help="Levels worth a message; several if need be."),
    ] = None,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(metavar="KIND", help="Such as lockout; several if need be. Without it all."),
    ] = None,
    category: Annotated[
        list[Category] | None,
        typer.Option(metavar="CATEGORY", help="Whose scored topics are read. Without it all."),
    ] = None,
    style: Annotated[
        StyleChoice | None,
        typer.Option(metavar="slack|pagerduty|json", help="Without it notify.style."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own payload: JSON with $names.")
    ] = None,
    events: Annotated[
        bool | None,
        typer.Option("--events/--no-events", help="Tell of scored events, or not."),
    ] = None,
    alerts: Annotated[
        bool | None,
        typer.Option("--alerts/--no-alerts", help="Tell of subjects that rise to High, or not."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the payloads of --since and end; nothing is sent."),
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="1h|TIME", help="Of --dry-run: records from then on.")
    ] = "1d",
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send a message to a webhook for each alert and each event that is worth one, until stopped.

    One message per alert, and one per subject and reason of events within notify.window_minutes.
    What the receiver does not
    take is tried again, and kept in iam.notify.dead-letter.v1 in the end.
    The webhook's address is a secret, so it comes from notify.url_file or the environment.

    **Examples:**

    RISKSTREAM_NOTIFY__URL=https://hooks.example.com/T0/B0/x riskstream notify --risk high

    riskstream notify --no-events --style pagerduty

    riskstream notify --kind lockout --risk medium --risk high --style json --dry-run --since 1w
    """
    from riskstream.observability.logging import configure_logging

    settings = settings_for(
        bootstrap_servers,
        notify={
            "levels": [str(one) for one in risk] if risk else None,
            "kinds": [str(one) for one in kind] if kind else None,
            "categories": [str(one) for one in category] if category else None,
            "style": None if style is None else str(style),
            "template": template,
            "events": events,
            "alerts": alerts,
        },
    )
    if dry_run:
        configure_logging(settings.log.model_copy(update={"level": "warning"}))
        run(_show(settings, moment(since, "--since")))
        return
    import asyncio

    from riskstream.streaming.notifier import notify as send

    configure_logging(settings.log)
    asyncio.run(send(settings))


async def _show(settings: "Settings", since_ms: int) -> None:
    from riskstream.notify.notices import MemoryLedger, Notices, Notified
    from riskstream.notify.selection import Selection
    from riskstream.notify.template import load_templates
    from riskstream.streaming.notifier import chosen_topics
    from riskstream.streaming.reader import Since, read

    chosen = settings.notify
    template, alert_template = load_templates(chosen.style, chosen.template, chosen.alert_template)

    async def deliver(payload: bytes) -> None:
        write_line(payload)

    notices = Notices(
        selection=Selection.of(chosen),
        template=template,
        alert_template=alert_template,
        deliver=deliver,
        ledger=MemoryLedger(),
        window_ms=chosen.window_minutes * 60_000,
        routing_key="…",
        console_url=chosen.console_url,
    )
    counts = dict.fromkeys(Notified, 0)
    async with aclosing(read(settings, chosen_topics(chosen), start=Since(since_ms))) as records:
        async for record in records:
            counts[await notices.handle(record)] += 1
    note(
        f"{counts[Notified.DELIVERED]} messages would be sent, "
        f"{counts[Notified.SUPPRESSED]} more records are told by them."
    )
