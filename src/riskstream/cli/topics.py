"""``riskstream topics``: make Kafka's topics what riskstream needs."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, settings_for
from riskstream.cli.output import Format, note, show, styled, table, write_json
from riskstream.errors import CheckFailedError, ConfigError
from riskstream.events.topics import topics_with

if TYPE_CHECKING:
    from rich.table import Table

    from riskstream.contract.acls import Role
    from riskstream.streaming.admin import TopicVerdict

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Create and check the topics that riskstream reads and writes, and list its rights.",
)


class AclFormat(StrEnum):
    """``--format`` of ``acls``."""

    TABLE = "table"
    JSON = "json"
    COMMANDS = "commands"


class Authentication(StrEnum):
    """``--authentication`` of ``export``."""

    SCRAM = "scram-sha-512"
    TLS = "tls"


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
    specs = topics_with(settings.views.topics)
    verdicts = run(create_topics(settings.kafka, specs, dry_run=dry_run))
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

    settings = settings_for(bootstrap_servers)
    verdicts = run(check_topics(settings.kafka, topics_with(settings.views.topics)))
    _show(verdicts, output)
    failed = [verdict for verdict in verdicts if verdict.failed]
    if failed:
        cures = [f"  {cure}" for cure in dict.fromkeys(verdict.cure for verdict in failed)]
        raise CheckFailedError(
            f"{len(failed)} of {len(verdicts)} topics are not fit for a worker. What to do:\n"
            + "\n".join(cures)
        )


@app.command()
def acls(
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="Only this one; several if need be."),
    ] = None,
    *,
    principal: Annotated[
        str | None,
        typer.Option(metavar="TYPE:NAME", help="Who gets them. Without it User:{app_id}-{role}."),
    ] = None,
    group: Annotated[
        str, typer.Option(metavar="GROUP", help="Consumer group of the role scored-consumer.")
    ] = "siem",
    bootstrap_servers: BootstrapServers = None,
    output: Annotated[
        AclFormat,
        typer.Option(
            "--format",
            metavar="table|json|commands",
            help="json is one JSON document; commands are lines for a shell with Kafka's tools.",
        ),
    ] = AclFormat.TABLE,
) -> None:
    """List the rights (ACLs) in Kafka that each part of riskstream needs.

    Asks no broker. Whatever part works under a user of its own needs these and no others;
    groups and transactional ids are named after worker.app_id.

    **Examples:**

    riskstream topics acls --role worker-ingest --role worker-assess

    riskstream topics acls --role raw-producer --principal User:collector --format commands
    """
    from riskstream.contract.acls import commands, roles

    settings = settings_for(bootstrap_servers)
    app_id = settings.worker.app_id
    known = roles(app_id, group, settings.views.topics)
    unknown = [name for name in role or () if name not in known]
    if unknown:
        raise ConfigError(f"There is no role {unknown[0]}; there are {', '.join(known)}.")
    chosen = [one for name, one in known.items() if not role or name in role]
    named = [(one, principal or one.principal(app_id)) for one in chosen]
    if output is AclFormat.JSON:
        write_json([{**asdict(one), "principal": who} for one, who in named])
    elif output is AclFormat.COMMANDS:
        servers = settings.kafka.bootstrap_servers
        show(*(line for one, who in named for line in commands(one, who, servers)))
    else:
        show(*(_acl_table(one, who) for one, who in named))


@app.command()
def export(
    *,
    cluster: Annotated[str, typer.Option(metavar="NAME", help="Of the Kafka resource.")] = "kafka",
    partitions: Annotated[
        int | None, typer.Option(help="Without it kafka.partitions.", min=1, max=4096)
    ] = None,
    replication_factor: Annotated[
        int | None, typer.Option(help="Without it kafka.replication_factor.", min=1, max=10)
    ] = None,
    users: Annotated[
        bool, typer.Option("--users", help="Also a KafkaUser with its rights for each role.")
    ] = False,
    group: Annotated[
        str, typer.Option(metavar="GROUP", help="Consumer group of the role scored-consumer.")
    ] = "siem",
    authentication: Annotated[
        Authentication, typer.Option(metavar="scram-sha-512|tls", help="Of the users.")
    ] = Authentication.SCRAM,
) -> None:
    """Print the topics, and the users, as resources of Strimzi: a Kubernetes List in JSON.

    **Example:**  riskstream topics export --cluster kafka --users | kubectl apply -f -
    """
    from riskstream.contract.acls import roles
    from riskstream.contract.strimzi import kafka_topics, kafka_users
    from riskstream.events.topics import ALL_TOPICS

    settings = settings_for(
        kafka={"partitions": partitions, "replication_factor": replication_factor}
    )
    kafka, app_id = settings.kafka, settings.worker.app_id
    items = kafka_topics(
        ALL_TOPICS,
        cluster=cluster,
        partitions=kafka.partitions,
        replicas=kafka.replication_factor,
    )
    if users:
        items += kafka_users(
            roles(app_id, group).values(),
            cluster=cluster,
            app_id=app_id,
            authentication=authentication.value,
        )
    write_json({"apiVersion": "v1", "kind": "List", "items": items})


def _acl_table(role: "Role", principal: str) -> "Table":
    rows = [
        (acl.operation, acl.resource, acl.name + ("*" if acl.prefixed else ""), acl.why)
        for acl in role.acls
    ]
    title = f"{role.name} ({principal}): {role.purpose}"
    return table(["operation", "resource", "name", "needed because"], rows, title=title)


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
