"""What an event costs assess while the state holds more and more users, without Kafka."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.kafka import Broker
from benchmarks.measures.child import measure_state
from benchmarks.options import Options

__all__ = ["measure"]

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
SHORT_SIZES: Final = (1_000, 10_000)
EVENTS: Final = 40_000
SHORT_EVENTS: Final = 5_000


def measure(_: Broker, options: Options, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per number of users."""
    rows = []
    for users in SHORT_SIZES if options.short else SIZES:
        told = measure_state(users, SHORT_EVENTS if options.short else EVENTS)
        tell(f"  {users:,} users: {told['cpu_us_per_event']} µs of CPU per event")
        rows.append({"users": users, "cpu_us_per_event": told["cpu_us_per_event"]})
    return rows
