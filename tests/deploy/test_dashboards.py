"""Every expression of the dashboards, asked of a real Prometheus that looks at a live worker."""

import time
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest

from tests.dashboards.panels import DASHBOARDS, panels, read_dashboard
from tests.support.processes import run, wait_for
from tests.support.prometheus import Watched, watched_worker

pytestmark = pytest.mark.tools

SECONDS = 60
EVENTS = 2000
LATER = "rate15m_usual1w"
"""What is usual is known after an hour; the tests of the alerts evaluate it."""
FILES = sorted(DASHBOARDS.glob("*.json"))


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A worker that was fed with the demo's events before Prometheus's eyes."""
    with watched_worker(tmp_path_factory.mktemp("dashboards")) as watched:
        command = ["feed", "--rate", str(EVENTS // 4), "--events", str(EVENTS)]
        assert run(command, settings=watched.settings).returncode == 0
        outcomes = " + ".join(
            f"sum(riskstream_{outcome}_events_total)"
            for outcome in ("routed", "dead_lettered", "filtered")
        )
        wait_for(lambda: watched.prometheus.value(outcomes) == EVENTS, SECONDS, "all outcomes seen")
        yield watched


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_no_panel_is_empty_by_mistake(fed: Watched, file: Path) -> None:
    """Each expression is understood and has finite numbers; each panel of security counts some."""
    prometheus = fed.prometheus
    for panel in panels(read_dashboard(file)):
        largest = 0.0
        for query in panel.queries:
            expression = query.filled("30s", "1m")
            found = prometheus.query(expression)
            values = [float(one["value"][1]) for one in found]
            if LATER not in expression:
                assert [value for value in values if isfinite(value)], (panel.title, expression)
            assert all(query.name(one["metric"]) != "" or panel.kind == "stat" for one in found)
            largest = max([largest, *(value for value in values if isfinite(value))])
        if panel.queries and "security" in file.stem:
            assert largest > 0, panel.title


def test_a_range_has_points(fed: Watched) -> None:
    """As Grafana asks: over a time, in steps."""
    now = time.time()
    (series,) = fed.prometheus.query_range("sum(riskstream_assigned_partitions)", now - 3, now, 1)
    assert len(series["values"]) >= 2
