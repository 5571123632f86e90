"""Every metric of riskstream, one line of meaning each.

Labels come from closed sets, topics and partitions; never a user, an address or a payload.
Counters move after the commit of the chunk that they count.
"""

from collections import Counter as Counts
from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from riskstream.events.outcome import Tally

__all__ = ["Metrics"]

SCORE_BUCKETS = (4, 25, 50, 75, 100)
"""Upper edges: OneLogin's levels No, Low, Medium, and High in two halves."""
CHUNK_BUCKETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
SECONDS_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Metrics:
    """The metrics of one worker process, in a registry of their own."""

    def __init__(self, *, role: str, version: str, policy: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"riskstream_{name}", meaning, labels, registry=self.registry)

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"riskstream_{name}", meaning, labels, registry=self.registry)

        self.info = gauge("build_info", "Always 1; which build runs.", "version", "role", "policy")
        self.info.labels(version, role, policy).set(1)
        self.records = counter("consumed_records_total", "Records read and committed.", "topic")
        self.received = counter("received_events_total", "Events met in raw records.")
        self.routed = counter("routed_events_total", "Events written to a scored topic.")
        self.dead_lettered = counter(
            "dead_lettered_events_total", "Events ended as dead letters.", "stage", "reason"
        )
        self.filtered = counter(
            "filtered_events_total", "Events left out on purpose, or records without any.", "reason"
        )
        self.scored = counter(
            "scored_events_total", "Routed events by category and risk level.", "category", "level"
        )
        self.uncataloged = counter(
            "uncataloged_events_total", "Events whose type is in no catalog."
        )
        self.failures = counter("failures_total", "Failures folded into the table.", "kind")
        self.lockouts = counter("lockouts_total", "Locks folded into the table.", "scope")
        self.effects = counter(
            "effects_total", "Effects on another user: written by ingest, folded by assess."
        )
        self.late = counter(
            "late_events_total", "Events too old for their row; scored, not folded."
        )
        self.clipped = counter(
            "clipped_events_total", "Events from the future, folded at received time + 5 minutes."
        )
        self.truncated = counter(
            "truncated_records_total", "Records that left their raw text behind to fit."
        )
        self.expired = counter("expired_rows_total", "Rows removed because nothing in them counts.")
        self.forgotten = counter(
            "forgotten_ids_total", "Ids the duplicate filter gave up early, to keep within bounds."
        )
        self.commits = counter("commits_total", "Units of work committed.")
        self.commit_failures = counter(
            "commit_failures_total", "Units of work that failed; the worker restarts after one."
        )
        self.rebalances = counter("rebalances_total", "Assignments taken on.")
        self.newest_event = gauge(
            "newest_event_timestamp_seconds", "Largest event time committed; 0 before the first."
        )
        self.last_commit = gauge(
            "last_commit_timestamp_seconds", "When a unit of work was last committed."
        )
        self.event_lag = gauge(
            "event_time_lag_seconds",
            "Commit time less the newest event time of the last chunk.",
        )
        self.assigned = gauge("assigned_partitions", "Partitions that this process works on.")
        self.ready = gauge("ready", "1 when partitions are recovered and consumed.")
        self._add_recovery()
        self.brake = gauge(
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
        self.newest = 0.0
        self._scores: Counts[int] = Counts()
        self.registry.register(_Scores(self._scores))

    def _add_recovery(self) -> None:
        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(f"riskstream_{name}", meaning, registry=self.registry)

        self.recovering = gauge("state_recovering", "1 while tables are rebuilt.")
        self.recovered_records = Counter(
            "riskstream_recovered_records_total",
            "Changelog records read to rebuild tables.",
            ("table",),
            registry=self.registry,
        )
        self.recovery_seconds = gauge("recovery_duration_seconds", "Length of the last rebuild.")
        self.recovery_remaining = gauge(
            "recovery_remaining_records", "Changelog offsets still to be read; 0 at the end."
        )
        self.recovery_rate = gauge(
            "recovery_records_per_second", "Changelog records read a second by the last rebuild."
        )
        self.recovery_seconds_left = gauge(
            "recovery_seconds_left", "Until the rebuild is done, at the rate so far."
        )

    def watch(
        self, name: str, meaning: str, label: str, read: Callable[[], dict[str, float]]
    ) -> None:
        """Add a gauge that is read when it is scraped: lag per partition, rows per table."""
        self.registry.register(_Watched(f"riskstream_{name}", meaning, label, read))

    def count(self, tally: Tally, *, topic: str) -> None:
        """Move one committed chunk's counts into the metrics."""
        self.records.labels(topic).inc(tally.records)
        for metric, amount in (
            (self.received, tally.received),
            (self.routed, tally.routed),
            (self.effects, tally.effects),
            (self.late, tally.late),
            (self.clipped, tally.clipped),
            (self.truncated, tally.truncated),
            (self.uncataloged, tally.uncataloged),
            (self.expired, tally.expired_rows),
            (self.forgotten, tally.forgotten_ids),
        ):
            if amount:
                metric.inc(amount)
        for pairs, by_pair in (
            (self.dead_lettered, tally.dead_lettered),
            (self.scored, tally.scored),
        ):
            for labels, amount in by_pair.items():
                pairs.labels(*labels).inc(amount)
        for single, by_label in (
            (self.filtered, tally.filtered),
            (self.failures, tally.failures),
            (self.lockouts, tally.lockouts),
        ):
            for label, amount in by_label.items():
                single.labels(label).inc(amount)
        self._scores.update(tally.scores)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)


class _Scores(Collector):
    """Histogram of scores, kept as counts per score: no call per event."""

    def __init__(self, scores: Counts[int]) -> None:
        self._scores = scores

    @override
    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "riskstream_risk_score", "Scores of routed events; edges are OneLogin's levels."
        )
        scores = dict(self._scores)
        buckets = [
            (str(float(edge)), sum(n for score, n in scores.items() if score <= edge))
            for edge in SCORE_BUCKETS
        ]
        buckets.append(("+Inf", sum(scores.values())))
        family.add_metric([], buckets, sum(score * n for score, n in scores.items()))
        yield family


class _Watched(Collector):
    """A gauge that asks when it is scraped."""

    def __init__(
        self, name: str, meaning: str, label: str, read: Callable[[], dict[str, float]]
    ) -> None:
        self._name, self._meaning, self._label, self._read = name, meaning, label, read

    @override
    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label])
        for value, number in self._read().items():
            family.add_metric([value], number)
        yield family
