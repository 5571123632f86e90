"""The two Faust apps, one per role: where everything is put together."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import faust
from aiokafka import TopicPartition
from faust.app.base import BootStrategy
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from faust.serializers.codecs import Codec
from structlog import get_logger
from typing_extensions import override
from yarl import URL

from riskstream import __version__
from riskstream.catalog.loader import load_catalog
from riskstream.config import DuplicateSettings, Settings
from riskstream.events.record import Output
from riskstream.events.topics import CLASSIFIED
from riskstream.events.vocabulary import View
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.duplicates import DuplicateFilter
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.mask import mask_of
from riskstream.reference.reference import Reference
from riskstream.security import SecuritySettings
from riskstream.streaming.acknowledged import AcknowledgedUnit, SharedSender
from riskstream.streaming.assignor import HopAssignor
from riskstream.streaming.hop import Hop
from riskstream.streaming.live_policy import LivePolicy
from riskstream.streaming.purge import Purger
from riskstream.streaming.recovery import HopTableManager
from riskstream.streaming.security import security_options
from riskstream.streaming.stages import AssessStage, IngestStage, Stage
from riskstream.streaming.stores import new_stores
from riskstream.streaming.tables import StateTables
from riskstream.streaming.tail import SeenIds
from riskstream.streaming.transactional import TransactionalUnit
from riskstream.streaming.transport import ChunkTransport
from riskstream.streaming.unit import UnitOfWork
from riskstream.views.render import Rendered, view_outputs

__all__ = ["HopApp", "Role", "create_app"]

log = get_logger(__name__)

Role = Literal["ingest", "assess"]

REBALANCE_SECONDS = 60.0
METADATA_AGE_MS = 5_000
"""A leader of the group that asks a broker just come up may be told that there is no such topic,
and then assigns nothing to anybody. It assigns anew when its metadata change, so it must look."""
NEVER_SECONDS = 86_400.0
"""aiokafka leaves the group when nobody polls; a braked or idle worker does not poll."""


class _Boot(BootStrategy):
    """Only what consumes: no producer of Faust's, no web pages, no sensors."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class _Chunks(Codec):
    """A chunk passes through Faust's decoding as it is."""

    @override
    def _loads(self, s: Any) -> Any:
        return s

    @override
    def _dumps(self, s: Any) -> Any:
        return s


class HopApp(faust.App):
    """A Faust app with a hop."""

    BootStrategy = _Boot
    hop: Hop
    purger: Purger | None = None
    """Set where this role empties its source topic."""
    shared: SharedSender
    """Used by at_least_once alone, and started then."""

    @override
    def _create_directories(self) -> None:
        """Faust's own directories stay unmade: nothing of ours is written there."""


def create_app(role: Role, settings: Settings, member: str) -> tuple[HopApp, Metrics]:
    """Build one role's app; call it inside the event loop that will run it.

    Args:
        role: Which hop.
        settings: All settings.
        member: Stable name of this process within the group: its ``group.instance.id``.

    Raises:
        ConfigError: The catalog overlay, the policy or the mask's key has faults, or the state
            store's library is not installed.
    """
    live = LivePolicy(settings.risk.policy)
    policy = live.policy
    catalog = load_catalog(settings.catalog.overlay)
    metrics = Metrics(
        role=role,
        version=__version__,
        policy=policy.version,
        catalog=catalog,
        max_accounts=settings.metrics.max_accounts,
    )
    live.taken.append(lambda fresh: metrics.use_policy(fresh.version))
    metrics.watch(
        "policy_refused", "1 while the newest policy file is refused.", "file", live.refusals
    )
    app = _faust_app(role, settings, member)
    limits = Limits(**settings.limits.model_dump())
    mask = mask_of(settings.privacy.mask_key())
    stage: Stage
    if role == "ingest":
        reference = Reference(settings.reference, _tell)
        ingest = Ingest(catalog, limits, mask, reference)
        stage = IngestStage(ingest, _both(reference.refresh, live.refresh))
        metrics.watch(
            "reference_entries",
            "Entries of a file of reference data, as it is in use.",
            "file",
            reference.sizes,
        )
        metrics.watch(
            "reference_refused",
            "1 while the newest version of a file of reference data is refused.",
            "file",
            reference.refusals,
        )
    else:
        stores = new_stores(settings.state, settings.worker.app_id)
        tables = StateTables(app, settings.kafka.partitions, stores, settings.state.cached_rows)
        prefetch = settings.state.store != "memory"
        seen = SeenIds(settings.kafka, CLASSIFIED, metrics, _filters(settings.duplicates))
        stage = assessing = AssessStage(
            Assess(policy, limits, mask, settings.kafka.partitions),
            tables,
            settings.kafka,
            metrics,
            prefetch=prefetch,
            seen=seen,
            views=_views(settings),
        )
        assessing.refresh = live.refresh
        live.taken.append(
            lambda fresh: assessing.use(Assess(fresh, limits, mask, settings.kafka.partitions))
        )
        metrics.watch("table_keys", "Rows per table.", "table", tables.key_counts)
        metrics.watch("seen_ids", "Ids in the duplicate filter.", "partition", seen.counts)
        if settings.worker.purge_classified:
            app.purger = Purger(settings.kafka, CLASSIFIED, seen.spare)
    app.shared = SharedSender(settings.kafka)
    app.hop = Hop(stage, settings=settings, metrics=metrics, new_unit=_units(app, settings))
    metrics.watch(
        "consumer_lag_records",
        "Records between the committed offset and the last stable offset.",
        "partition",
        app.hop.consumer_lag,
    )
    metrics.watch(
        "last_fetch_timestamp_seconds",
        "When Kafka last answered a fetch, while the partition is not braked.",
        "partition",
        app.hop.last_fetches,
    )
    _declare(app, stage.source)
    return app, metrics


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        one()
        other()

    return call


def _tell(event: str, /, **about: object) -> None:
    """What happens to files of reference data, in the log."""
    (log.warning if event == "reference_refused" else log.info)(event, **about)


def _filters(duplicates: DuplicateSettings) -> Callable[[], DuplicateFilter] | None:
    """What makes the duplicate filter of a partition; None where it is off."""
    if not duplicates.enabled:
        return None
    window_ms = duplicates.window_minutes * 60_000
    return lambda: DuplicateFilter(window_ms, duplicates.max_ids_per_partition)


def _views(settings: Settings) -> Callable[[Sequence[Output]], Rendered] | None:
    """What makes the views of scored records; None where none is asked for."""
    if not settings.views.topics:
        return None
    views = tuple(View(name) for name in settings.views.topics)
    limit = settings.limits.max_message_bytes
    return lambda outputs: view_outputs(outputs, views, limit)


def _units(app: HopApp, settings: Settings) -> Callable[[int], UnitOfWork]:
    """How a partition's work is committed, by the processing guarantee."""
    group, kafka = app.conf.id, settings.kafka
    if settings.worker.processing_guarantee == "exactly_once":
        return lambda partition: TransactionalUnit(
            kafka, transactional_id=f"{group}-{partition}", group=group
        )

    async def commit_offset(source: TopicPartition, offset: int) -> None:
        await app.hop.consumer.commit_offset(source, offset)

    return lambda _: AcknowledgedUnit(kafka, app.shared, commit_offset)


def _declare(app: HopApp, source: str) -> None:
    """Declare the agent and what happens at a revocation."""
    topic = app.topic(source, key_type=None, value_serializer=_Chunks(), acks=False)

    @app.agent(topic, name=source)
    async def lanes(stream: Any) -> None:
        async for event in stream.events():
            app.hop.submit(event.message.tp, event.value)

    @app.on_partitions_revoked.connect
    async def revoked(*_: Any, **__: Any) -> None:
        await app.hop.release()


def _faust_app(role: Role, settings: Settings, member: str) -> HopApp:
    kafka = settings.kafka
    broker = f"kafka://{kafka.bootstrap_servers.replace(',', ';')}"
    app = HopApp(
        f"{settings.worker.app_id}-{role}",
        broker=broker,
        broker_client_id=kafka.client_id,
        broker_credentials=_credentials(kafka.security),
        broker_request_timeout=kafka.request_timeout_seconds,
        broker_session_timeout=kafka.session_timeout_seconds,
        broker_heartbeat_interval=kafka.session_timeout_seconds / 5,
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_max_poll_interval=NEVER_SECONDS,
        consumer_group_instance_id=member,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        consumer_max_fetch_size=settings.worker.fetch_bytes,
        store="memory://",
        value_serializer="raw",
        topic_partitions=kafka.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=64,
        web_enabled=False,
        worker_redirect_stdouts=False,
        TableManager=HopTableManager,
        PartitionAssignor=HopAssignor,
    )
    app.transport = ChunkTransport([URL(broker)], app, loop=None)
    return app


def _credentials(security: SecuritySettings) -> Credentials | None:
    """What protects our other clients, for Faust's consumer; None for plain connections."""
    options = security_options(security)
    context = options.get("ssl_context")
    if "sasl_oauth_token_provider" in options:
        return OAuthCredentials(oauth_cb=options["sasl_oauth_token_provider"], ssl_context=context)
    if "sasl_mechanism" in options:
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)
