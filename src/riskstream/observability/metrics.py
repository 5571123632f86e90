"""Every metric of riskstream, one line of meaning each.

Labels come from closed sets, topics and partitions; never a user, an address or a payload.
Event types are named by the catalog, all others are ``uncataloged``. Accounts are named up to a
number, the rest is ``other``.
Counters move after the commit of the chunk that they count. Those of a closed set begin at 0:
Prometheus sees no increase in a series that is born with its first event.
"""

import os
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from riskstream.catalog.catalog import Catalog
from riskstream.events.outcome import FilterReason, Reason, Stage, Tally
from riskstream.events.vocabulary import FAILURE_KINDS, Category, LockScope
from riskstream.observability.collectors import CountedHistogram, Names, WatchedGauge
from riskstream.risk.levels import Level
from riskstream.risk.policy import Family

__all__ = ["ConsoleMetrics", "Metrics", "NotifyMetrics", "PollMetrics", "WebhookMetrics"]

SCORE_BUCKETS = (4, 25, 50, 75, 100)
"""Upper edges: OneLogin's levels No, Low, Medium, and High in two halves."""
DELIVERY_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 60, 300, 1800, 7200)
"""30 seconds is the service level objective's."""
CHUNK_BUCKETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
BODY_BUCKETS = (1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6)
SECONDS_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


MAX_ACCOUNTS = 20
UNCATALOGED = Category.UNCATALOGED.value


class Metrics:
    """The metrics of one worker process, in a registry of their own.

    Args:
        role: ``ingest`` or ``assess``.
        version: Of riskstream.
        policy: The risk policy's version.
        catalog: Names the event types; without it all are ``uncataloged``.
        max_accounts: Accounts that get a series of their own.
    """

    def __init__(
        self,
        *,
        role: str,
        version: str,
        policy: str,
        catalog: Catalog | None = None,
        max_accounts: int = MAX_ACCOUNTS,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

        self.info = self._gauge(
            "build_info", "Always 1; which build runs.", "version", "role", "policy"
        )
        self._build = version, role
        self.use_policy(policy)
        self._add_events()
        self._add_work()
        self._add_recovery()
        self.newest = 0.0
        self._failures_file: int | None = None
        self._scores = CountedHistogram(
            "riskstream_risk_score",
            "Scores of routed events; edges are OneLogin's levels.",
            SCORE_BUCKETS,
        )
        self._delivery = CountedHistogram(
            "riskstream_delivery_seconds",
            "From the raw record's timestamp to the commit of the scored event.",
            DELIVERY_BUCKETS,
        )
        self.registry.register(self._scores)
        self.registry.register(self._delivery)
        self._account = Names(max_accounts)
        entries = () if catalog is None else catalog.entries
        self._type = {entry.id: entry.api_name for entry in entries}
        self._begin_at_zero(role, catalog)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"riskstream_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"riskstream_{name}", meaning, labels, registry=self.registry)

    def _add_events(self) -> None:
        self.records = self._counter(
            "consumed_records_total", "Records read and committed.", "topic"
        )
        self.received = self._counter("received_events_total", "Events met in raw records.")
        self.routed = self._counter("routed_events_total", "Events written to a scored topic.")
        self.dead_lettered = self._counter(
            "dead_lettered_events_total", "Events ended as dead letters.", "stage", "reason"
        )
        self.filtered = self._counter(
            "filtered_events_total", "Events left out on purpose, or records without any.", "reason"
        )
        self.scored = self._counter(
            "scored_events_total", "Routed events by category and risk level.", "category", "level"
        )
        self.uncataloged = self._counter(
            "uncataloged_events_total", "Events whose type is in no catalog."
        )
        self.accounts = self._counter(
            "account_events_total", "Routed events by OneLogin account.", "account"
        )
        self.types = self._counter(
            "type_events_total", "Routed events by event type.", "event_type"
        )
        self.failures = self._counter(
            "failures_total", "Failures folded into the table.", "category", "kind"
        )
        self.lockouts = self._counter("lockouts_total", "Locks folded into the table.", "scope")
        self.alerts = self._counter(
            "alerts_total", "Subjects that rose to High, by the family of what did it.", "family"
        )
        self.repeats = self._counter(
            "alert_repeats_total", "Events of subjects that stood High and had been told of."
        )
        self.effects = self._counter(
            "effects_total", "Effects on another user: written by ingest, folded by assess."
        )
        self.contexts = self._counter(
            "contexts_total", "Records of context of users, taken in by assess."
        )
        self.late = self._counter(
            "late_events_total", "Events too old for their row; scored, not folded."
        )
        self.clipped = self._counter(
            "clipped_events_total", "Events from the future, folded at received time + 5 minutes."
        )
        self.truncated = self._counter(
            "truncated_records_total", "Records that left their raw text behind to fit."
        )
        self.expired = self._counter(
            "expired_rows_total", "Rows removed because nothing in them counts."
        )
        self.forgotten = self._counter(
            "forgotten_ids_total", "Ids the duplicate filter gave up early, to keep within bounds."
        )

    def _add_work(self) -> None:
        self.commits = self._counter("commits_total", "Units of work committed.")
        self.view_failures = self._counter(
            "view_failures_total", "Scored events of which no view could be made; a bug."
        )
        self.commit_failures = self._counter(
            "commit_failures_total", "Units of work that failed; the worker restarts after one."
        )
        self.restarts = self._counter(
            "restarts_total", "Times that the worker started this process again."
        )
        self.rebalances = self._counter("rebalances_total", "Assignments taken on.")
        self.newest_event = self._gauge(
            "newest_event_timestamp_seconds", "Largest event time committed; 0 before the first."
        )
        self.last_commit = self._gauge(
            "last_commit_timestamp_seconds", "When a unit of work was last committed."
        )
        self.event_lag = self._gauge(
            "event_time_lag_seconds",
            "Commit time less the newest event time of the last chunk.",
        )
        self.assigned = self._gauge("assigned_partitions", "Partitions that this process works on.")
        self.ready = self._gauge("ready", "1 when partitions are recovered and consumed.")
        self.brake = self._gauge(
            "brake_engaged", "1 while a partition is paused for too many dead letters.", "partition"
        )
        self.chunk_records = Histogram(
            "riskstream_chunk_records",
            "Records per unit of work.",
            buckets=CHUNK_BUCKETS,
            registry=self.registry,
        )
        self.chunk_seconds = Histogram(
            "riskstream_chunk_duration_seconds",
            "Time spent on a unit of work, by step.",
            ("step",),
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )

    def _begin_at_zero(self, role: str, catalog: Catalog | None) -> None:
        """Make the series of closed sets that this role can move."""
        if role == "ingest":
            for stage in (Stage.DECODE, Stage.VALIDATE, Stage.CLASSIFY):
                self.dead_lettered.labels(stage.value, Reason.INTERNAL_ERROR.value)
            for reason in (FilterReason.TOMBSTONE, FilterReason.EMPTY):
                self.filtered.labels(reason.value)
            return
        self.dead_lettered.labels(Stage.ASSESS.value, Reason.INTERNAL_ERROR.value)
        self.filtered.labels(FilterReason.DUPLICATE.value)
        self.filtered.labels(FilterReason.WARM_UP.value)
        for category in Category:
            for level in Level:
                self.scored.labels(category.value, level.value)
        for scope in LockScope:
            self.lockouts.labels(scope.value)
        for family in Family:
            self.alerts.labels(family.value)
        for entry in () if catalog is None else catalog.entries:
            if entry.kind in FAILURE_KINDS:
                self.failures.labels(entry.category.value, FAILURE_KINDS[entry.kind].value)

    def _add_recovery(self) -> None:
        self.recovering = self._gauge("state_recovering", "1 while tables are rebuilt.")
        self.recovered_records = self._counter(
            "recovered_records_total", "Changelog records read to rebuild tables.", "table"
        )
        self.recovery_seconds = self._gauge(
            "recovery_duration_seconds", "Length of the last rebuild."
        )
        self.recovery_remaining = self._gauge(
            "recovery_remaining_records", "Changelog offsets still to be read; 0 at the end."
        )
        self.recovery_rate = self._gauge(
            "recovery_records_per_second", "Changelog records read a second by the last rebuild."
        )
        self.recovery_seconds_left = self._gauge(
            "recovery_seconds_left", "Until the rebuild is done, at the rate so far."
        )

    def carry_failures(self, file: int | None) -> None:
        """Count failed units beyond the life of this process, which ends with the first.

        Args:
            file: Descriptor of an open file that has one byte for each so far, and gets more.
        """
        self._failures_file = file
        if file is not None:
            self.commit_failures.inc(os.fstat(file).st_size)

    def count_failure(self) -> None:
        """A unit of work has failed."""
        self.commit_failures.inc()
        if self._failures_file is not None:
            os.write(self._failures_file, b".")

    def use_policy(self, version: str) -> None:
        """Name the policy that is in use from now on."""
        self.info.clear()
        self.info.labels(*self._build, version).set(1)

    def watch(
        self, name: str, meaning: str, label: str, read: Callable[[], dict[str, float]]
    ) -> None:
        """Add a gauge that is read when it is scraped: lag per partition, rows per table."""
        self.registry.register(WatchedGauge(f"riskstream_{name}", meaning, label, read))

    def count(self, tally: Tally, *, topic: str, now: float) -> None:
        """Move one chunk's counts into the metrics; it was committed at ``now``, epoch seconds."""
        self.records.labels(topic).inc(tally.records)
        for metric, amount in (
            (self.received, tally.received),
            (self.routed, tally.routed),
            (self.effects, tally.effects),
            (self.contexts, tally.contexts),
            (self.late, tally.late),
            (self.clipped, tally.clipped),
            (self.truncated, tally.truncated),
            (self.uncataloged, tally.uncataloged),
            (self.repeats, tally.repeats),
            (self.expired, tally.expired_rows),
            (self.forgotten, tally.forgotten_ids),
        ):
            if amount:
                metric.inc(amount)
        for pairs, by_pair in (
            (self.dead_lettered, tally.dead_lettered),
            (self.scored, tally.scored),
            (self.failures, tally.failures),
        ):
            for labels, amount in by_pair.items():
                pairs.labels(*labels).inc(amount)
        for single, by_label in (
            (self.filtered, tally.filtered),
            (self.lockouts, tally.lockouts),
            (self.alerts, tally.alerts),
        ):
            for label, amount in by_label.items():
                single.labels(label).inc(amount)
        self._count_open_sets(tally, now)

    def _count_open_sets(self, tally: Tally, now: float) -> None:
        for account, amount in tally.accounts.items():
            self.accounts.labels(self._account(account)).inc(amount)
        for event_type, amount in tally.types.items():
            self.types.labels(self._type.get(event_type, UNCATALOGED)).inc(amount)
        for score, amount in tally.scores.items():
            self._scores.add(score, amount)
        now_ms = now * 1000
        self._delivery.add_all([max(now_ms - ms, 0.0) / 1000 for ms in tally.arrivals])

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)


class _SourceMetrics:
    """What the sources' metrics share: a registry of their own, and how it is shown."""

    def __init__(self, role: str, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.info = self._gauge("build_info", "Always 1; which build runs.", "version", "role")
        self.info.labels(version, role).set(1)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"riskstream_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"riskstream_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"riskstream_{name}", meaning, buckets=buckets, registry=self.registry)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)


class WebhookMetrics(_SourceMetrics):
    """The metrics of ``riskstream source webhook``."""

    def __init__(self, *, version: str) -> None:
        super().__init__("webhook", version)
        self.requests = self._counter(
            "webhook_requests_total", "Deliveries by how they were answered.", "result"
        )
        self.bytes = self._counter("webhook_accepted_bytes_total", "Bytes written to Kafka.")
        self.pending = self._gauge(
            "webhook_pending_bytes", "Bytes taken in that Kafka has not acknowledged."
        )
        self.last_accepted = self._gauge(
            "webhook_last_accepted_timestamp_seconds", "When Kafka last acknowledged a delivery."
        )
        self.seconds = self._histogram(
            "webhook_request_duration_seconds",
            "From the head of a delivery to its answer.",
            SECONDS_BUCKETS,
        )
        self.body_bytes = self._histogram(
            "webhook_body_bytes", "Size of accepted deliveries.", BODY_BUCKETS
        )


class NotifyMetrics(_SourceMetrics):
    """The metrics of ``riskstream notify``."""

    def __init__(self, *, version: str) -> None:
        super().__init__("notify", version)
        self.records = self._counter(
            "notify_records_total", "Scored records by what became of them.", "outcome"
        )
        self.retries = self._counter(
            "notify_retries_total", "Messages that the receiver did not take, to be tried again."
        )
        self.last_delivery = self._gauge(
            "notify_last_delivery_timestamp_seconds", "When the receiver last took a message."
        )


class ConsoleMetrics(_SourceMetrics):
    """The metrics of ``riskstream console``."""

    def __init__(self, *, version: str) -> None:
        super().__init__("console", version)
        self.following = self._gauge(
            "console_following", "1 while the store is filled from Kafka, else 0."
        )
        self.lag = self._gauge(
            "console_lag_records", "Records that Kafka has and the store does not, as last known."
        )
        self.events = self._gauge("console_events", "Events in the store.")
        self.store_bytes = self._gauge("console_store_bytes", "Of the store's file in use.")


class PollMetrics(_SourceMetrics):
    """The metrics of ``riskstream source poll``."""

    def __init__(self, *, version: str) -> None:
        super().__init__("poll", version)
        self.requests = self._counter(
            "poll_requests_total", "Calls of the events API by what came of them.", "result"
        )
        self.events = self._counter("poll_events_total", "Events written to the raw topic.")
        self.repeated = self._counter(
            "poll_repeated_events_total", "Events of the overlap, known already and left out."
        )
        self.sweeps = self._counter("poll_sweeps_total", "Sweeps read to their end.")
        self.position = self._gauge(
            "poll_position_timestamp_seconds", "Where the next sweep begins; all before is done."
        )
        self.last_page = self._gauge(
            "poll_last_page_timestamp_seconds", "When the API last gave a page."
        )
        self.calls_left = self._gauge(
            "poll_calls_left", "Calls of the account's API that the hour still has."
        )
