"""Topics and users as resources of Strimzi, the Kafka operator for Kubernetes.

Made from ``events.topics`` and ``contract.acls``, so that what an operator creates is what
``riskstream topics check`` wants and what each part may do.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from riskstream.contract.acls import Acl, Operation, Resource, Role
from riskstream.events.topics import CLASSIFIED, RAW, TopicSpec

__all__ = ["API_VERSION", "kafka_topics", "kafka_users", "lag_reader"]

API_VERSION: Final = "kafka.strimzi.io/v1"
CLUSTER_LABEL: Final = "strimzi.io/cluster"
"""Tells Strimzi which cluster a resource is for."""
IN_SYNC: Final = "min.insync.replicas"


def kafka_topics(
    specs: Iterable[TopicSpec], *, cluster: str, partitions: int, replicas: int
) -> list[dict[str, Any]]:
    """One KafkaTopic per topic.

    Args:
        specs: Topics; their names are names of Kubernetes resources, too.
        cluster: Name of the Kafka resource.
        partitions: Of every topic.
        replicas: Copies; with three or more, all but one must have a record to acknowledge it.
    """
    durable = {IN_SYNC: str(replicas - 1)} if replicas > 2 else {}  # noqa: PLR2004
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "KafkaTopic",
            "metadata": {"name": spec.name, "labels": {CLUSTER_LABEL: cluster}},
            "spec": {
                "partitions": partitions,
                "replicas": replicas,
                "config": {**spec.config, **durable},
            },
        }
        for spec in specs
    ]


def kafka_users(
    roles: Iterable[Role], *, cluster: str, app_id: str, authentication: str = "scram-sha-512"
) -> list[dict[str, Any]]:
    """One KafkaUser per role, with its rights and no others.

    Args:
        roles: As ``contract.acls`` has them.
        cluster: Name of the Kafka resource.
        app_id: Beginning of the users' names.
        authentication: ``scram-sha-512`` or ``tls``.
    """
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "KafkaUser",
            "metadata": {"name": f"{app_id}-{role.name}", "labels": {CLUSTER_LABEL: cluster}},
            "spec": {
                "authentication": {"type": authentication},
                "authorization": {"type": "simple", "acls": _acls(role.acls)},
            },
        }
        for role in roles
    ]


def lag_reader(app_id: str) -> Role:
    """Who scales workers by their lag: sees both hops' sources and groups, and reads nothing."""
    why = "its lag is asked for"
    hops = ((RAW, f"{app_id}-ingest"), (CLASSIFIED, f"{app_id}-assess"))
    return Role(
        "scaler",
        "whatever scales workers by their lag, such as KEDA",
        tuple(
            Acl(resource, name, Operation.DESCRIBE, why)
            for topic, group in hops
            for resource, name in ((Resource.TOPIC, topic), (Resource.GROUP, group))
        ),
    )


def _acls(acls: Sequence[Acl]) -> list[dict[str, Any]]:
    """One entry per resource, with all operations on it."""
    together: dict[tuple[str, str, bool], list[str]] = {}
    for acl in acls:
        key = (acl.resource.value, acl.name, acl.prefixed)
        together.setdefault(key, []).append(acl.operation.value)
    return [
        {
            "resource": {
                "type": resource,
                "name": name,
                "patternType": "prefix" if prefixed else "literal",
            },
            "operations": operations,
        }
        for (resource, name, prefixed), operations in together.items()
    ]
