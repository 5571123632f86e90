"""How far a recovery has come: for the log, the metrics and readiness."""

from collections.abc import Iterable
from time import monotonic

from structlog import get_logger

from riskstream.observability.metrics import Metrics

__all__ = ["RecoveryProgress"]

REPORT_SECONDS = 2.0

log = get_logger(__name__)


class RecoveryProgress:
    """Counts offsets, not records: compacted logs hold fewer of these, so the end may come early.

    Args:
        metrics: Shows it.
        tables: Names of the tables by changelog topic.
    """

    def __init__(self, metrics: Metrics, tables: dict[str, str]) -> None:
        self._metrics = metrics
        self._tables = tables
        self._total = 0
        self._started = self._reported = monotonic()
        self.records = 0
        """Read so far."""
        self.remaining = 0
        """Offsets still to be read."""

    def start(self, unread: Iterable[int]) -> None:
        """So many offsets lie before us, per changelog."""
        self._total = sum(unread)
        self._started = self._reported = monotonic()
        self.report(self._total)

    def read(self, topic: str, records: int) -> None:
        """These were taken in."""
        self.records += records
        self._metrics.recovered_records.labels(self._tables[topic]).inc(records)

    def report(self, remaining: int) -> None:
        """So many offsets are left."""
        self.remaining = remaining
        self._metrics.recovery_remaining.set(remaining)
        self._metrics.recovery_rate.set(self.rate)
        self._metrics.recovery_seconds_left.set(self.seconds_left or 0.0)
        if monotonic() - self._reported >= REPORT_SECONDS:
            self._reported = monotonic()
            log.info("recovery_progress", **self.as_dict())

    @property
    def rate(self) -> float:
        """Records a second since the start."""
        passed = monotonic() - self._started
        return self.records / passed if passed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; None before anything was read."""
        done = self._total - self.remaining
        if done <= 0:
            return None if self.remaining else 0.0
        return (monotonic() - self._started) / done * self.remaining

    def as_dict(self) -> dict[str, float | None]:
        """For the log and readiness."""
        left = self.seconds_left
        return {
            "records": self.records,
            "remaining_records": self.remaining,
            "records_per_second": round(self.rate),
            "seconds_left": None if left is None else round(left, 1),
        }
