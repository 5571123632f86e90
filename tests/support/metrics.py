"""The names of all metrics that processes of riskstream show."""

import re
from functools import cache
from pathlib import Path

import riskstream
from riskstream.observability.metrics import (
    ConsoleMetrics,
    Metrics,
    NotifyMetrics,
    PollMetrics,
    WebhookMetrics,
)

__all__ = ["metric_names"]


@cache
def metric_names() -> frozenset[str]:
    """As in queries: counters with ``_total``, histograms with each of their suffixes."""
    names = set()
    shown = (
        Metrics(role="assess", version="0", policy="p"),
        *(
            made(version="0")
            for made in (ConsoleMetrics, NotifyMetrics, PollMetrics, WebhookMetrics)
        ),
    )
    for family in (family for each in shown for family in each.registry.collect()):
        if family.type == "histogram":
            names |= {f"{family.name}{end}" for end in ("", "_bucket", "_count", "_sum")}
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    source = "".join(
        path.read_text(encoding="utf-8") for path in Path(riskstream.__file__).parent.rglob("*.py")
    )
    watched = re.findall(r'\.watch\(\s*"(\w+)"', source)
    return frozenset(names | {f"riskstream_{name}" for name in watched})
