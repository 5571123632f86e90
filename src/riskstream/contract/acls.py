"""Which rights in Kafka each part of riskstream needs, and not one more.

Made from the topics of ``events.topics``, so a new topic brings its rights along.
``riskstream topics acls`` prints them, and ``tests/integration/test_acls.py`` takes one after
another away from Apache Kafka and sees what stops. Read, write and delete imply describe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote

from riskstream.events.topics import (
    ALERTS,
    CLASSIFIED,
    CONTEXT,
    DEAD_LETTER,
    FAILURES,
    FEEDBACK,
    LOCKOUTS,
    NOTIFY_DEAD_LETTER,
    NOTIFY_SENT,
    PROFILES,
    RAW,
    SCORED,
    SCORED_PREFIX,
    SOURCES,
    USERS,
    VIEWS,
    topics_with,
)
from riskstream.events.vocabulary import View

__all__ = ["Acl", "Operation", "Resource", "Role", "commands", "roles"]


class Resource(StrEnum):
    """Kinds of resources that rights are given on, spelled as in Kafka's configuration."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactionalId"


class Operation(StrEnum):
    """What may be done with them, spelled as in Kafka's configuration."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DELETE = "Delete"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


@dataclass(frozen=True, slots=True)
class Acl:
    """One right: an operation on one resource, or on all whose names begin alike."""

    resource: Resource
    name: str
    operation: Operation
    why: str
    """What stops without it."""
    prefixed: bool = False
    """Whether ``name`` is the beginning of names."""


@dataclass(frozen=True, slots=True)
class Role:
    """Who needs which rights."""

    name: str
    purpose: str
    acls: tuple[Acl, ...]

    def principal(self, app_id: str) -> str:
        """How ``topics acls`` calls its user, unless told otherwise."""
        return f"User:{app_id}-{self.name}"


def roles(
    app_id: str = "riskstream", group: str = "siem", views: Iterable[str] = ()
) -> dict[str, Role]:
    """Every role by its name.

    Args:
        app_id: ``worker.app_id``: prefix of the workers' groups and transactional ids.
        group: The consumer group of the role ``scored-consumer``, which is yours to name.
        views: ``views.topics``; each is one more topic to create and to write.
    """
    found = (
        Role("topic-admin", "topics create, topics check", _topic_admin(views)),
        Role("worker-ingest", "worker --role ingest", _ingest(f"{app_id}-ingest")),
        Role("worker-assess", "worker --role assess", _assess(f"{app_id}-assess", views)),
        Role(
            "raw-producer",
            "whoever sends OneLogin's events; feed, source webhook",
            (_topic(RAW, Operation.WRITE, "events are sent"),),
        ),
        Role("source-poll", "source poll", _poll(f"{app_id}-source-")),
        Role(
            "scored-consumer",
            f"whoever takes the scored events, as group {group}",
            (_scored(), Acl(Resource.GROUP, group, Operation.READ, "it consumes as a group")),
        ),
        Role("reader", "events, tables, dlq list, dlq show, schemas check --topic", _reader()),
        Role("context-admin", "context load, context list, context show", _context()),
        Role("dead-letter-replay", "dlq replay", _replay()),
        Role("notify", "notify", _notify(f"{app_id}-notify")),
        Role("console", "console", _console()),
    )
    return {role.name: role for role in found}


def commands(role: Role, principal: str, bootstrap_servers: str = "…") -> list[str]:
    """Calls of Kafka's own ``kafka-acls.sh`` that give the rights of a role."""
    together: dict[tuple[Resource, str, bool], list[Operation]] = {}
    for acl in role.acls:
        together.setdefault((acl.resource, acl.name, acl.prefixed), []).append(acl.operation)
    return [
        " ".join(_command(principal, bootstrap_servers, resource, name, prefixed, operations))
        for (resource, name, prefixed), operations in together.items()
    ]


_OPTIONS = {
    Resource.TOPIC: "--topic",
    Resource.GROUP: "--group",
    Resource.TRANSACTIONAL_ID: "--transactional-id",
}


def _command(  # noqa: PLR0913, PLR0917  (the parts of one command line)
    principal: str,
    bootstrap_servers: str,
    resource: Resource,
    name: str,
    prefixed: bool,
    operations: Iterable[Operation],
) -> Iterable[str]:
    yield f"kafka-acls.sh --bootstrap-server {bootstrap_servers} --add"
    yield f"--allow-principal {quote(principal)}"
    yield from (f"--operation {operation}" for operation in operations)
    yield f"{_OPTIONS[resource]} {quote(name)}"
    if prefixed:
        yield "--resource-pattern-type prefixed"


def _topic(name: str, operation: Operation, why: str) -> Acl:
    return Acl(Resource.TOPIC, name, operation, why)


def _scored() -> Acl:
    why = "scored events are read, of categories to come, too"
    return Acl(Resource.TOPIC, SCORED_PREFIX, Operation.READ, why, prefixed=True)


def _hop(group: str) -> tuple[Acl, ...]:
    """What either role of a worker needs beside its topics."""
    ids = Acl(
        Resource.TRANSACTIONAL_ID,
        f"{group}-",
        Operation.WRITE,
        "work is committed; not with at_least_once",
        prefixed=True,
    )
    return (Acl(Resource.GROUP, group, Operation.READ, "partitions are assigned"), ids)


def _ingest(group: str) -> tuple[Acl, ...]:
    return (
        _topic(RAW, Operation.READ, "events are consumed"),
        _topic(CLASSIFIED, Operation.WRITE, "events are classified"),
        _topic(DEAD_LETTER, Operation.WRITE, "bad input is kept"),
        *_hop(group),
    )


def _assess(group: str, views: Iterable[str]) -> tuple[Acl, ...]:
    tables = {
        FAILURES: "failures",
        LOCKOUTS: "lockouts",
        USERS: "users",
        PROFILES: "profiles",
        CONTEXT: "context",
    }
    return (
        _topic(CLASSIFIED, Operation.READ, "classified events are consumed"),
        _topic(CLASSIFIED, Operation.DELETE, "what is done is purged (worker.purge_classified)"),
        *(_topic(name, Operation.WRITE, "scored events are routed") for name in SCORED.values()),
        _topic(ALERTS, Operation.WRITE, "rises to High are told"),
        _topic(DEAD_LETTER, Operation.WRITE, "bad input is kept"),
        *(
            _topic(VIEWS[View(view)], Operation.WRITE, f"scored events are written as {view}")
            for view in views
        ),
        *(
            _topic(name, operation, f"rows of the {table} are {verb}")
            for name, table in tables.items()
            for operation, verb in ((Operation.READ, "recovered"), (Operation.WRITE, "written"))
        ),
        *_hop(group),
    )


def _poll(ids: str) -> tuple[Acl, ...]:
    return (
        _topic(RAW, Operation.WRITE, "events are sent"),
        _topic(SOURCES, Operation.READ, "it goes on where it was"),
        _topic(SOURCES, Operation.WRITE, "how far it has read is kept"),
        Acl(
            Resource.TRANSACTIONAL_ID,
            ids,
            Operation.WRITE,
            "events and how far it has read are committed together",
            prefixed=True,
        ),
    )


def _notify(group: str) -> tuple[Acl, ...]:
    return (
        _scored(),
        _topic(ALERTS, Operation.READ, "alerts are told (notify.alerts)"),
        _topic(NOTIFY_SENT, Operation.READ, "what was sent before is known"),
        _topic(NOTIFY_SENT, Operation.WRITE, "what is sent is remembered"),
        _topic(NOTIFY_DEAD_LETTER, Operation.WRITE, "what cannot be sent is kept"),
        Acl(Resource.GROUP, group, Operation.READ, "partitions are assigned"),
    )


def _reader() -> tuple[Acl, ...]:
    return (
        _scored(),
        _topic(FAILURES, Operation.READ, "tables failures"),
        _topic(LOCKOUTS, Operation.READ, "tables lockouts"),
        _topic(USERS, Operation.READ, "tables users"),
        _topic(ALERTS, Operation.READ, "schemas check --topic"),
        _topic(DEAD_LETTER, Operation.READ, "dlq list, dlq show"),
        _topic(NOTIFY_DEAD_LETTER, Operation.READ, "schemas check --topic"),
    )


def _context() -> tuple[Acl, ...]:
    return (
        _topic(CONTEXT, Operation.READ, "what is known is compared and shown"),
        _topic(CLASSIFIED, Operation.WRITE, "what is new is told to the workers"),
    )


def _replay() -> tuple[Acl, ...]:
    return (
        _topic(DEAD_LETTER, Operation.READ, "dead letters are chosen"),
        _topic(RAW, Operation.READ, "what was sent back before is found"),
        _topic(RAW, Operation.WRITE, "dead letters are sent back"),
    )


def _console() -> tuple[Acl, ...]:
    return (
        _scored(),
        _topic(FAILURES, Operation.READ, "users' failures are shown"),
        _topic(LOCKOUTS, Operation.READ, "lockouts are shown"),
        _topic(USERS, Operation.READ, "standings are shown"),
        _topic(ALERTS, Operation.READ, "alerts are shown"),
        _topic(DEAD_LETTER, Operation.READ, "dead letters are shown"),
        _topic(FEEDBACK, Operation.READ, "feedback is shown"),
        _topic(FEEDBACK, Operation.WRITE, "feedback is given"),
        _topic(RAW, Operation.READ, "what was sent back before is found"),
        _topic(RAW, Operation.WRITE, "dead letters are sent back"),
    )


def _topic_admin(views: Iterable[str]) -> tuple[Acl, ...]:
    return tuple(
        _topic(spec.name, operation, why)
        for spec in topics_with(views)
        for operation, why in (
            (Operation.CREATE, "topics create"),
            (Operation.DESCRIBE, "topics create, topics check"),
            (Operation.DESCRIBE_CONFIGS, "topics check"),
        )
    )
