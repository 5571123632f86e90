"""Which of the rights that a role needs are missing, as the broker itself tells.

Kafka tells what we may do with a topic or a group (Metadata 8, DescribeGroups 3). A role's
transactional ids are only a prefix, and of these we ask whether one of them is known to be ours.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IncompatibleBrokerVersion,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.admin import DescribeGroupsRequest

from riskstream.config import KafkaSettings
from riskstream.contract.acls import Acl, Operation, Resource
from riskstream.errors import KafkaFaultError
from riskstream.events.topics import ALL_TOPICS
from riskstream.streaming.client import client_options, kafka_faults
from riskstream.streaming.requests import Permissions

__all__ = ["UNTOLD", "check_rights", "is_denial", "is_given", "missing_rights", "rights_fault"]

BITS = {
    Operation.READ: 3,
    Operation.WRITE: 4,
    Operation.CREATE: 5,
    Operation.DELETE: 6,
    Operation.DESCRIBE: 8,
    Operation.DESCRIBE_CONFIGS: 10,
}
"""Kafka's numbers of operations, which are bits of its answers."""
UNTOLD = -(2**31)
"""Kafka's answer where it does not say."""
RETRY_SECONDS = 0.2


DENIALS = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


def is_denial(fault: BaseException | None) -> bool:
    """Whether this says that a right is missing, by itself or by what it came of."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return isinstance(fault, DENIALS) or (fault is not None and is_denial(fault.__cause__))


async def check_rights(kafka: KafkaSettings, needed: Sequence[Acl]) -> None:
    """See that we have these rights; nothing is asked over plain connections.

    Raises:
        KafkaFaultError: Some are missing; the text has each. Or Kafka cannot be reached.
    """
    lacking = await missing_rights(kafka, needed) if kafka.security.secured else []
    if lacking:
        raise rights_fault(kafka, lacking)


def rights_fault(kafka: KafkaSettings, lacking: Iterable[Acl]) -> KafkaFaultError:
    """The fault for rights that are missing."""
    lines = [
        f"  {acl.operation} on {acl.resource} {acl.name}{'*' if acl.prefixed else ''}: {acl.why}"
        for acl in lacking
    ]
    return KafkaFaultError(
        f"Kafka at {kafka.bootstrap_servers} does not give {kafka.security.user} these rights:\n"
        + "\n".join(lines)
        + "\n`riskstream topics acls` lists what each part needs; with --format commands it has "
        "the lines that give them."
    )


async def missing_rights(kafka: KafkaSettings, needed: Sequence[Acl]) -> list[Acl]:
    """Those of these rights that we do not have; those of which the broker does not tell, we have.

    Raises:
        KafkaFaultError: Kafka cannot be reached.
    """
    async with _client(kafka) as client:
        topics = await _topics(client, needed)
        missing = []
        for acl in needed:
            if acl.resource is Resource.TOPIC:
                given = all(is_given(topics[name], acl.operation) for name in _names(acl))
            elif acl.resource is Resource.GROUP:
                given = is_given(await _group(client, acl.name), acl.operation)
            else:
                given = await _known(client, f"{acl.name}0")
            if not given:
                missing.append(acl)
        return missing


def is_given(operations: int, operation: Operation) -> bool:
    """Whether an answer's bits have this operation; so it is said where the broker says nothing."""
    return operations == UNTOLD or bool(operations & (1 << BITS[operation]))


def _names(acl: Acl) -> list[str]:
    """The topics of an ACL; of a prefix those of the contract."""
    if not acl.prefixed:
        return [acl.name]
    return [spec.name for spec in ALL_TOPICS if spec.name.startswith(acl.name)]


@asynccontextmanager
async def _client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaClient]:
    async with kafka_faults(kafka):
        client = AIOKafkaClient(**client_options(kafka))
        try:
            await client.bootstrap()
            async with asyncio.timeout(kafka.request_timeout_seconds):
                yield client
        finally:
            await client.close()


async def _topics(client: AIOKafkaClient, needed: Iterable[Acl]) -> dict[str, int]:
    """Bits of what we may do, by topic; none of a topic that we may not even see."""
    wanted = {name for acl in needed if acl.resource is Resource.TOPIC for name in _names(acl)}
    if not wanted:
        return {}
    try:
        answer = await client.send(client.get_random_node(), Permissions(sorted(wanted)))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return dict.fromkeys(wanted, UNTOLD)
    denied = TopicAuthorizationFailedError.errno
    found = {
        name: 0 if error == denied else operations
        for error, name, _internal, _partitions, operations in answer.topics
    }
    return dict.fromkeys(wanted, UNTOLD) | found


async def _coordinator(client: AIOKafkaClient, kind: CoordinationType, name: str) -> int:
    """The node that coordinates this group or id; of a new cluster, once it has one."""
    while True:
        try:
            node: int = await client.coordinator_lookup(kind, name)
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return node


async def _group(client: AIOKafkaClient, group: str) -> int:
    try:
        node = await _coordinator(client, CoordinationType.GROUP, group)
        request = DescribeGroupsRequest([group], include_authorized_operations=True)
        answer = await client.send(node, request)
    except GroupAuthorizationFailedError:
        return 0
    except IncompatibleBrokerVersion:
        return UNTOLD
    (described,) = answer.to_object()["groups"]
    if described["error_code"] == GroupAuthorizationFailedError.errno:
        return 0
    return int(described.get("authorized_operations", UNTOLD))


async def _known(client: AIOKafkaClient, transactional_id: str) -> bool:
    try:
        await _coordinator(client, CoordinationType.TRANSACTION, transactional_id)
    except TransactionalIdAuthorizationFailed:
        return False
    return True
