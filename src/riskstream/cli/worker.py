"""``riskstream worker``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from riskstream.cli.options import BootstrapServers, settings_for

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["RoleChoice", "worker"]


class RoleChoice(StrEnum):
    """Which part of the work."""

    INGEST = "ingest"
    ASSESS = "assess"
    ALL = "all"


def worker(
    role: Annotated[
        RoleChoice,
        typer.Option(
            help="ingest: raw to classified; assess: score and tables; all: a process of each."
        ),
    ] = RoleChoice.ALL,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes per role; one that dies is started again.")
    ] = 1,
    bootstrap_servers: BootstrapServers = None,
    http_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            help="First port of /metrics and /health; each process takes the next.",
        ),
    ] = None,
    *,
    member: Annotated[str | None, typer.Option(hidden=True)] = None,
    restarts: Annotated[int, typer.Option(hidden=True, min=0)] = 0,
    failures: Annotated[int | None, typer.Option(hidden=True, min=3)] = None,
) -> None:
    """Classify, score and route the events of iam.events.raw.v1, until stopped.

    Runs against the topics that `riskstream topics create` makes. SIGTERM or Ctrl-C ends the
    chunks in flight and stops; what was committed is whole, whatever dies.

    **Examples:**

    riskstream worker --bootstrap-servers kafka:9092

    riskstream worker --role assess --workers 4
    """
    from riskstream.observability.logging import configure_logging

    settings = settings_for(bootstrap_servers, http={"port": http_port})
    configure_logging(settings.log)
    if member is not None:
        from riskstream.streaming.worker import History, run_worker

        if role is RoleChoice.ALL:
            raise typer.BadParameter("a member has one role")
        history = History(restarts, failures)
        run_worker(_one(role), settings, member, settings.http.port, history)
        return
    _supervise(settings, role, workers)


def _one(role: RoleChoice) -> Literal["ingest", "assess"]:
    return "ingest" if role is RoleChoice.INGEST else "assess"


def _supervise(settings: "Settings", role: RoleChoice, workers: int) -> None:
    """Check once, so that a fault is told once, then run the processes."""
    import asyncio

    from riskstream.catalog.loader import load_catalog
    from riskstream.risk.loader import load_policy
    from riskstream.streaming.preflight import check_before_start
    from riskstream.streaming.supervisor import plan_processes, supervise

    load_catalog(settings.catalog.overlay)
    load_policy(settings.risk.policy)
    settings.privacy.mask_key()
    roles = ("ingest", "assess") if role is RoleChoice.ALL else (role.value,)
    for one in roles:
        asyncio.run(check_before_start(settings, "ingest" if one == "ingest" else "assess"))
    supervise(plan_processes(settings, roles, workers), settings)
