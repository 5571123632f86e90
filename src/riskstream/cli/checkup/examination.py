"""The examination: asks everything in order, and goes on after what could not be answered."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from riskstream.cli.checkup.broker import judge_cluster
from riskstream.cli.checkup.finding import Finding, fail
from riskstream.cli.checkup.groups import GroupView, judge_group
from riskstream.cli.checkup.local import judge_local
from riskstream.cli.checkup.records import judge_clock, judge_probe, judge_sample, take_sample
from riskstream.cli.checkup.topics import judge_replication, judge_rights, judge_topics
from riskstream.cli.checkup.workers import ask_worker, judge_workers
from riskstream.contract.acls import Acl, Resource, roles
from riskstream.errors import ConfigError, KafkaFaultError
from riskstream.events.topics import ALL_TOPICS, CLASSIFIED, RAW, TopicSpec, topics_with
from riskstream.events.vocabulary import View
from riskstream.risk.loader import load_policy
from riskstream.streaming.admin import describe_topics, judge
from riskstream.streaming.inquiry import inquire, log_facts
from riskstream.streaming.probe import probe
from riskstream.streaming.rights import is_denial, missing_rights

if TYPE_CHECKING:
    from riskstream.config import Settings
    from riskstream.streaming.admin import TopicState
    from riskstream.streaming.inquiry import GroupFacts, TopicFacts

__all__ = ["Wishes", "examine"]

TABLES: Final = tuple(
    spec.name for spec in ALL_TOPICS if spec.co_partitioned and spec.name != CLASSIFIED
)
SOURCES: Final = {"ingest": RAW, "assess": CLASSIFIED}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the examination is about."""

    roles: Sequence[str] = tuple(SOURCES)
    """Of a worker, whose topics, rights and groups are looked at."""
    worker_urls: Sequence[str] = ()
    probe: bool = False
    """Write a few records to a topic made for it."""
    records: int = 50
    """Looked at per topic."""
    patience_seconds: float = 300.0
    """How long a record may wait before that is worth a word."""


async def examine(settings: "Settings", wishes: Wishes) -> AsyncIterator[Finding]:
    """Every finding, in order.

    Raises:
        ConfigError: A worker's address is no http one.
    """
    workers = [ask_worker(url) for url in wishes.worker_urls]
    for finding in judge_local(settings):
        yield finding
    try:
        async for finding in _kafka(settings, wishes):
            yield finding
    except KafkaFaultError as fault:
        yield fail("kafka", str(fault), "remedy this first: the rest was not looked at")
    for finding in judge_workers(workers, _policy_version(settings)):
        yield finding


async def _kafka(settings: "Settings", wishes: Wishes) -> AsyncIterator[Finding]:
    app_id = settings.worker.app_id
    known = roles(app_id, views=settings.views.topics)
    needed = [acl for role in wishes.roles for acl in known[f"worker-{role}"].acls]
    specs = (
        topics_with(settings.views.topics)
        if len(wishes.roles) == len(SOURCES)
        else _topics_of(needed)
    )
    names = [spec.name for spec in specs]
    async with inquire(settings.kafka) as ask:
        cluster = await ask.cluster()
        for finding in judge_cluster(cluster, settings):
            yield finding
        topics = await ask.topics(names)
        groups = {role: await ask.group(f"{app_id}-{role}") for role in wishes.roles}
    missing = await missing_rights(settings.kafka, needed)
    told = any(facts.rights_told for facts in topics.values())
    states = await _states(settings, names)
    verdicts = [judge(spec, states.get(spec.name), states.get(CLASSIFIED)) for spec in specs]
    for finding in (
        *judge_topics(verdicts, states, topics),
        *judge_replication(topics, states, len(cluster.brokers)),
        judge_rights(missing, needed, told=told),
        *await _groups(settings, wishes, topics, groups),
    ):
        yield finding
    readable = {
        name: len(facts.partitions)
        for name, facts in topics.items()
        if facts.partitions and facts.readable
    }
    samples = await take_sample(settings, readable, wishes.records)
    for finding in judge_sample(samples):
        yield finding
    if not wishes.probe:
        yield judge_clock(samples, _now_ms())
        return
    transactional = settings.worker.processing_guarantee == "exactly_once"
    for finding in judge_probe(await probe(settings), transactional=transactional):
        yield finding


async def _states(settings: "Settings", names: list[str]) -> "dict[str, TopicState]":
    """The topics with their settings, or without them where we may not see them."""
    try:
        return await describe_topics(settings.kafka, names, configs=True)
    except KafkaFaultError as fault:
        if not is_denial(fault):
            raise
        return await describe_topics(settings.kafka, names)


def _topics_of(needed: Sequence[Acl]) -> tuple[TopicSpec, ...]:
    """Those that one role of a worker has to do with."""
    names = {acl.name for acl in needed if acl.resource is Resource.TOPIC}
    return tuple(spec for spec in topics_with(View) if spec.name in names)


async def _groups(
    settings: "Settings",
    wishes: Wishes,
    topics: "Mapping[str, TopicFacts]",
    groups: "Mapping[str, GroupFacts]",
) -> list[Finding]:
    """Both groups, with their logs and tables."""
    places: dict[tuple[str, int], int | None] = {}
    for name in {SOURCES[role] for role in groups} | ({*TABLES} if "assess" in groups else set()):
        topic = topics.get(name)
        for number in range(len(topic.partitions) if topic and topic.readable else 0):
            places[name, number] = None
    for group in groups.values():
        places |= {place: at for place, at in group.committed.items() if place in places}
    logs = await log_facts(settings, places) if places else {}
    findings: list[Finding] = []
    for role, facts in groups.items():
        source = SOURCES[role]
        rows = {
            number: any(
                logs[name, number].end > logs[name, number].first
                for name in TABLES
                if (name, number) in logs
            )
            for of, number in logs
            if of == source and role == "assess"
        }
        view = GroupView(
            f"{settings.worker.app_id}-{role}",
            source,
            facts,
            {number: log for (of, number), log in logs.items() if of == source},
            {number: at for (of, number), at in facts.committed.items() if of == source},
            rows,
        )
        if view.logs:
            findings += judge_group(view, _now_ms(), wishes.patience_seconds)
    return findings


def _policy_version(settings: "Settings") -> str:
    try:
        return load_policy(settings.risk.policy).version
    except ConfigError:
        return "unknown"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
