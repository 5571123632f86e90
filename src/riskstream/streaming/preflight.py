"""What must hold before a worker starts, each fault with its cure."""

from typing import Literal

from riskstream.config import Settings
from riskstream.contract.acls import Acl, Operation, Resource, roles
from riskstream.errors import KafkaFaultError
from riskstream.events import topics
from riskstream.events.vocabulary import View
from riskstream.streaming.admin import TopicState, describe_topics
from riskstream.streaming.client import missing_topics
from riskstream.streaming.rights import check_rights
from riskstream.streaming.stores import check_store

__all__ = ["check_before_start", "needed_rights"]

CO_PARTITIONED = tuple(spec.name for spec in topics.ALL_TOPICS if spec.co_partitioned)


async def check_before_start(settings: Settings, role: Literal["ingest", "assess"]) -> Settings:
    """Look at the topics that this role needs, and what we may do with them.

    Returns:
        The settings with the number of partitions that the hop's source really has.

    Raises:
        ConfigError: The state store asked for is not installed.
        KafkaFaultError: Kafka is not reachable, topics or rights are missing, or the tables have
            other partition counts than the classified topic.
    """
    if role == "assess":
        check_store(settings.state)
    if role == "ingest":
        needed = [topics.RAW, topics.CLASSIFIED, topics.DEAD_LETTER]
    else:
        needed = [*CO_PARTITIONED, *topics.SCORED.values(), topics.ALERTS, topics.DEAD_LETTER]
        needed += [topics.VIEWS[View(view)] for view in settings.views.topics]
    await check_rights(settings.kafka, needed_rights(settings, role))
    found = await describe_topics(settings.kafka, needed)
    missing = [name for name in needed if name not in found]
    if missing:
        raise missing_topics(settings.kafka, missing)
    if role == "assess":
        _check_partitions(found)
    source = topics.RAW if role == "ingest" else topics.CLASSIFIED
    kafka = settings.kafka.model_copy(update={"partitions": found[source].partitions})
    return settings.model_copy(update={"kafka": kafka})


def needed_rights(settings: Settings, role: Literal["ingest", "assess"]) -> list[Acl]:
    """The rights without which this role cannot work, with these settings.

    To delete is not among them: the purge says itself when it is refused, and the work goes on.
    """
    transactions = settings.worker.processing_guarantee == "exactly_once"
    return [
        acl
        for acl in roles(settings.worker.app_id, views=settings.views.topics)[f"worker-{role}"].acls
        if acl.operation is not Operation.DELETE
        and (transactions or acl.resource is not Resource.TRANSACTIONAL_ID)
    ]


def _check_partitions(found: dict[str, TopicState]) -> None:
    wanted = found[topics.CLASSIFIED].partitions
    wrong = [
        f"{name} has {found[name].partitions}"
        for name in CO_PARTITIONED
        if found[name].partitions != wanted
    ]
    if wrong:
        raise KafkaFaultError(
            f"{topics.CLASSIFIED} has {wanted} partitions, but {', '.join(wrong)}. They must be "
            "equal, since a subject's row lies in the partition of its events. "
            "`riskstream topics check` says what to do."
        )
