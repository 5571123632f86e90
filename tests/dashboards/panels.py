"""The dashboards of ``deploy/grafana`` as data: panels, their places, and what they ask."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.deploy import ROOT

__all__ = ["DASHBOARDS", "Panel", "Query", "panels", "read_dashboard"]

DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel."""

    expression: str
    legend: str

    def filled(self, interval: str, shown: str) -> str:
        """The expression with Grafana's variables filled in: rate interval and time shown."""
        values = {"__rate_interval": interval, "__range": shown, "job": ".*"}
        return re.sub(r"\$(\w+)", lambda found: values[found[1]], self.expression)

    def name(self, labels: Mapping[str, str]) -> str:
        """The legend of a series with these labels."""
        return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), self.legend)


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel; a row is one without queries."""

    title: str
    kind: str
    unit: str
    x: int
    y: int
    width: int
    height: int
    queries: tuple[Query, ...]
    options: Json
    """``fieldConfig.defaults``: thresholds, decimals, stacking."""
    colors: Mapping[str, str]
    """By the name of a series; others take what comes."""

    @property
    def stacked(self) -> bool:
        """Whether its series lie on one another."""
        return "stacking" in self.options.get("custom", {})


def read_dashboard(path: Path) -> Json:
    """The file."""
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def panels(dashboard: Json) -> Iterator[Panel]:
    """All panels and rows, in order."""
    for one in dashboard["panels"]:
        place, options = one["gridPos"], one.get("fieldConfig", {}).get("defaults", {})
        queries = [Query(t["expr"], t["legendFormat"]) for t in one.get("targets", ())]
        yield Panel(
            one["title"],
            one["type"],
            options.get("unit", "short"),
            place["x"],
            place["y"],
            place["w"],
            place["h"],
            tuple(queries),
            options,
            dict(_colors(one)),
        )


def _colors(panel: Json) -> Iterator[tuple[str, str]]:
    for override in panel.get("fieldConfig", {}).get("overrides", ()):
        for one in override["properties"]:
            if one["id"] == "color":
                yield override["matcher"]["options"], one["value"]["fixedColor"]
