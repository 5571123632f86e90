"""What the rows of many users take in memory, without Kafka: three tables of one partition."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.kafka import Broker
from benchmarks.measures.child import measure_state
from benchmarks.options import Options

__all__ = ["measure"]

SIZES: Final = (100_000, 1_000_000)
"""Fewer would fit into what a fresh process has free."""
SHORT_SIZES: Final = (100_000,)


def measure(_: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per number of users."""
    rows = []
    for users in SHORT_SIZES if options.short else SIZES:
        row = measure_state(users, 0)
        tell(f"  {users:,} users: {row['bytes_per_user']} bytes each")
        rows.append(row)
    return rows
