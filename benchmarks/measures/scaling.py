"""Throughput of riskstream over partitions and worker processes."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.contenders.riskstream_worker import EXACTLY_ONCE
from benchmarks.contest import Course, run_turn
from benchmarks.kafka import Broker
from benchmarks.options import Options
from benchmarks.workload import make_workload

__all__ = ["measure"]

SHAPES: Final = ((1, 1), (2, 1), (4, 1), (8, 1), (4, 2), (8, 2), (8, 4))
"""Partitions, worker processes of each hop."""
SHORT_SHAPES: Final = ((1, 1), (4, 2))


def measure(broker: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per shape."""
    workload = make_workload(options.events, seed=options.seed, users=options.users)
    rows = []
    for partitions, workers in SHORT_SHAPES if options.short else SHAPES:
        turn = run_turn(EXACTLY_ONCE, Course(broker, workload, partitions, workers), 0)
        tell(f"  {partitions} partitions, {workers} workers: {turn.rate:,.0f} events/s")
        rows.append(
            {
                "partitions": partitions,
                "workers_per_hop": workers,
                "events_per_second": round(turn.rate),
                "cpu_us_per_event": round(turn.cpu_seconds / turn.events * 1e6, 1),
                "each_event_once": turn.complete,
            }
        )
    return rows
