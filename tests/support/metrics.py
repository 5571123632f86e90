"""The names of all metrics that workers show."""

import re
from functools import cache
from pathlib import Path

import riskstream
from riskstream.observability.metrics import Metrics

__all__ = ["metric_names"]


@cache
def metric_names() -> frozenset[str]:
    """As in queries: counters with ``_total``, histograms with each of their suffixes."""
    names = set()
    for family in Metrics(role="assess", version="0", policy="p").registry.collect():
        if family.type == "histogram":
            names |= {f"{family.name}{end}" for end in ("", "_bucket", "_count", "_sum")}
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    source = "".join(
        path.read_text(encoding="utf-8") for path in Path(riskstream.__file__).parent.rglob("*.py")
    )
    watched = re.findall(r'\.watch\(\s*"(\w+)"', source)
    return frozenset(names | {f"riskstream_{name}" for name in watched})
