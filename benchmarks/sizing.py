"""The tables of ``docs/sizing.md``: what published figures mean for tenants of several sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from benchmarks.figures import median
from benchmarks.results import Results
from benchmarks.tables import markdown_table
from benchmarks.workload import EVENTS_PER_USER_AND_DAY

__all__ = ["Figures", "figures_of", "sizing_tables"]

DAY_SECONDS: Final = 86_400
PEAK: Final = 10
"""A busy minute against the day's mean: mornings, incidents, a directory that syncs."""
BUSY: Final = 0.5
"""Share of a core that a process may use at the peak: the rest is for catching up."""
LEAST_PROCESSES: Final = 2
"""Per role, so that one may go."""
PARTITIONS: Final = (12, 24, 48, 96, 192, 384)
TENANTS: Final = (1_000, 20_000, 200_000, 1_000_000, 5_000_000)
MIB: Final = 1024**2
GIB: Final = 1024**3
ROLES: Final = 2
DISK_BYTES: Final = 70
"""Of a user's rows in ``rocksdict``: docs/operations.md."""
ID_BYTES: Final = 32
"""Of the duplicate filter, at most."""
ID_SECONDS: Final = 90 * 60
RAW_DAYS: Final = 7
SCORED_DAYS: Final = 30
COPIES: Final = 3
CHANGELOG_BYTES: Final = 630
"""Of an ordinary user's rows in the three changelogs; until compaction catches up, twice that."""
ROWS_PER_USER: Final = 1.6
"""Of an ordinary user in the three tables: a profile, half of them failures, some a lockout."""
DISK_MEMORY_BYTES: Final = 64 * MIB
"""``state.disk_memory_bytes``."""
CACHED_BYTES: Final = 3 * 2 * 4096 * 600
"""Per partition: rows kept decoded of three tables, ``state.cached_rows``, or twice that."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, or stands in the documents where it was not."""

    cpu_us: float
    """Of both hops together per event."""
    rate: float
    """Events a second through one process per role."""
    process_bytes: float
    """At most, of a process that works off a backlog and has few rows."""
    bytes_per_user: float
    rows_per_second: float
    """Read in recovery by one process."""
    bytes_per_event: Mapping[str, float]
    """By kind of topic."""


def figures_of(results: Results) -> Figures:
    """The medians of the contest, and the largest of each further measurement."""
    turns = results.of("riskstream-eo")
    memory = results.measures.get("memory", [])
    recovery = [row for row in results.measures.get("recovery", []) if row["store"] == "memory"]
    sizes = {row["topics"]: row["bytes_per_event"] for row in results.measures.get("sizes", [])}
    return Figures(
        cpu_us=median([turn.cpu_seconds / turn.events * 1e6 for turn in turns]),
        rate=median([turn.rate for turn in turns]),
        process_bytes=median([turn.peak_rss_bytes for turn in turns]) / ROLES,
        bytes_per_user=_last(memory, "bytes_per_user", 400),
        rows_per_second=_last(recovery, "rows_per_second", 100_000),
        bytes_per_event=sizes or {"raw": 774, "classified": 1841, "scored": 2127},
    )


def sizing_tables(results: Results) -> str:
    """What a thousand events a second and a million users take, and tenants on paper."""
    figures = figures_of(results)
    return "\n\n".join((_units(figures), _tenants(figures)))


def _units(figures: Figures) -> str:
    thousand = [
        ("CPU of both roles, cores", f"{figures.cpu_us * 1000 / 1e6:.2f}"),
        ("of what one process per role does at most", f"{1000 / figures.rate:.0%}"),
        *(
            (f"written to {kind} topics, GiB a day, one copy", f"{_gib_a_day(1000, size):.0f}")
            for kind, size in figures.bytes_per_event.items()
        ),
        ("ids in the duplicate filter, MiB", f"{1000 * ID_SECONDS * ID_BYTES / MIB:.0f}"),
    ]
    million = [
        ("rows in memory, GiB", f"{1e6 * figures.bytes_per_user / GIB:.2f}"),
        ("rows in `rocksdict`, GiB of disk", f"{1e6 * DISK_BYTES / GIB:.2f}"),
        (
            "rebuild from Kafka by one process, seconds",
            f"{ROWS_PER_USER * 1e6 / figures.rows_per_second:.0f}",
        ),
    ]
    return (
        "A thousand events a second:\n\n"
        + markdown_table(("", "takes"), thousand)
        + "\n\nA million users:\n\n"
        + markdown_table(("", "takes"), million)
    )


def _tenants(figures: Figures) -> str:
    head = (
        "users",
        "events a day",
        "a second, peak",
        "processes per role",
        "partitions",
        "MiB per assess process, `memory`",
        "MiB, `rocksdict`",
        "GiB of state per process on disk",
        "GiB in Kafka",
    )
    return "Tenants:\n\n" + markdown_table(head, [_tenant(users, figures) for users in TENANTS])


def _tenant(users: int, figures: Figures) -> tuple[str, ...]:
    events = users * EVENTS_PER_USER_AND_DAY
    mean = events / DAY_SECONDS
    peak = mean * PEAK
    cores_per_role = peak * figures.cpu_us / 1e6 / ROLES
    processes = max(LEAST_PROCESSES, ceil(cores_per_role / BUSY))
    partitions = next((n for n in PARTITIONS if n >= 2 * processes), PARTITIONS[-1])
    filters = peak * ID_SECONDS * ID_BYTES / processes
    memory = figures.process_bytes + filters + users * figures.bytes_per_user / processes
    cached = CACHED_BYTES * partitions / processes
    disk_memory = figures.process_bytes + filters + DISK_MEMORY_BYTES + cached
    sizes = figures.bytes_per_event
    kept = COPIES * (
        events * (sizes["raw"] * RAW_DAYS + sizes["scored"] * SCORED_DAYS)
        + mean * ID_SECONDS * sizes["classified"]
        + 2 * users * CHANGELOG_BYTES
    )
    return (
        f"{users:,}",
        f"{events:,}",
        f"{peak:,.0f}",
        f"{processes}",
        f"{partitions}",
        f"{memory / MIB:,.0f}",
        f"{disk_memory / MIB:,.0f}",
        f"{2 * users * DISK_BYTES / processes / GIB:.2f}",
        f"{kept / GIB:,.0f}",
    )


def _gib_a_day(rate: float, size: float) -> float:
    return rate * DAY_SECONDS * size / GIB


def _last(rows: list[dict[str, Any]], name: str, otherwise: float) -> float:
    return float(rows[-1][name]) if rows else otherwise
