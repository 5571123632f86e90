"""The dashboards as files: what Grafana needs, and what people need."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards.draw import Drawn, Line, draw, lines_of, shown
from tests.dashboards.panels import DASHBOARDS, Panel, panels, read_dashboard
from tests.deploy.test_alert_files import RECORDED
from tests.support.deploy import ROOT
from tests.support.metrics import metric_names
from tests.support.prometheus import read_yaml

FILES = sorted(DASHBOARDS.glob("*.json"))
EVERY = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
COLUMNS = 24


def test_there_are_two() -> None:
    """Operations and security."""
    assert [file.stem for file in FILES] == ["riskstream-operations", "riskstream-security"]


@EVERY
def test_a_dashboard_can_be_provisioned(file: Path) -> None:
    """A fixed uid and no id, so that links stay; the data source is the reader's choice."""
    dashboard = read_dashboard(file)
    assert dashboard["uid"] == file.stem
    assert "id" not in dashboard
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert set(variables) == {"datasource", "job"}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == (
        "datasource",
        "prometheus",
    )
    sources = re.findall(r"'datasource': \{'type': '(\w+)', 'uid': '([^']+)'\}", str(dashboard))
    assert set(sources) == {("prometheus", "${datasource}")}


@EVERY
def test_grafana_s_own_types_know_all_that_a_dashboard_says(file: Path) -> None:
    """Read into the types of Grafana's SDK and written again, nothing is missing."""
    register_default_plugins()
    given = read_dashboard(file)
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(given)))
    (annotation,) = given["annotations"]["list"]
    for name in ("expr", "step", "titleFormat"):  # the data source's business, as a panel's expr
        del annotation[name]
    assert _lost(given, kept) == []


def _lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """Paths of what is in ``given`` and not, or not so, in ``kept``."""
    if isinstance(given, dict) and isinstance(kept, dict):
        pairs = [(value, kept.get(key), f"{path}/{key}") for key, value in given.items()]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = [(a, b, f"{path}/{n}") for n, (a, b) in enumerate(zip(given, kept, strict=True))]
    else:
        return [] if given == kept else [f"{path}: {given!r} became {kept!r}"]
    return [lost for one in pairs for lost in _lost(*one)]


@EVERY
def test_panels_say_what_they_show_and_do_not_overlap(file: Path) -> None:
    """A title of its own, a description, queries with different letters, a place of its own."""
    dashboard = read_dashboard(file)
    found = [one for one in dashboard["panels"] if one["type"] != "row"]
    assert len({one["id"] for one in dashboard["panels"]}) == len(dashboard["panels"])
    assert max(Counter(one["title"] for one in found).values()) == 1
    assert all(one["description"].endswith(".") for one in found)
    assert all(
        len({target["refId"] for target in one["targets"]}) == len(one["targets"]) for one in found
    )
    cells = Counter(cell for panel in panels(dashboard) for cell in _cells(panel))
    assert max(cells.values()) == 1
    assert all(0 <= x < COLUMNS for x, _ in cells)


def _cells(panel: Panel) -> list[tuple[int, int]]:
    return [
        (panel.x + column, panel.y + line)
        for column in range(panel.width)
        for line in range(panel.height)
    ]


@EVERY
def test_expressions_use_metrics_that_exist(file: Path) -> None:
    """Our own, recorded ones, and the process's; Grafana's variables are known."""
    known = metric_names() | RECORDED
    for panel in panels(read_dashboard(file)):
        for query in panel.queries:
            filled = query.filled("1m", "1h")
            names = set(re.findall(r"\b(?:\w+:)?(?:riskstream|process)_\w+(?::\w+)*", filled))
            assert names, filled
            assert names <= known, names - known
            assert re.search(r'job=~"\.\*"', filled), filled


def test_provisioning_finds_the_dashboards() -> None:
    """One provider for the folder, one data source whose address comes from the environment."""
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    (provider,) = read_yaml(folder / "dashboards" / "riskstream.yml")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/riskstream"
    (source,) = read_yaml(folder / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "${PROMETHEUS_URL}"
    scraped = read_yaml(ROOT / "deploy" / "prometheus" / "prometheus.yml")["global"]
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]


@EVERY
def test_the_documents_show_each_panel(file: Path) -> None:
    """The pictures are of these dashboards: make pictures draws them anew."""
    picture = ROOT / "docs" / "dashboards" / f"{file.stem}.svg"
    text = " ".join(
        ET.fromstring(picture.read_text(encoding="utf-8")).itertext()  # noqa: S314  (our own file)
    )
    assert all(panel.title in text for panel in panels(read_dashboard(file)))
    assert "no data" not in text
    assert f"dashboards/{file.stem}.svg" in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9987, "percentunit", "99.9 %"),
        (0.25, "s", "250 ms"),
        (90, "s", "90 s"),
        (1234, "short", "1.23k"),
        (1500, "eps", "1.5k /s"),
        (2.5e6, "bytes", "2.5 MB"),
        (0, "short", "0"),
    ],
)
def test_numbers_have_their_units(value: float, unit: str, text: str) -> None:
    """As Grafana says them."""
    assert shown(value, unit) == text


def test_an_empty_panel_says_so() -> None:
    """What is not a number is left out; where nothing is left, the picture says no data."""
    panel = Panel("A & B", "timeseries", "short", 0, 0, 8, 8, (), {}, {})
    assert lines_of([("a", [[10, "NaN"], [11, "2"]]), ("b", [[10, "NaN"]])], 10.0) == [
        Line("a", [(1.0, 2.0)])
    ]
    text = draw("t", [Drawn(panel, [])], 60.0)
    assert "no data" in " ".join(ET.fromstring(text).itertext())  # noqa: S314  (our own text)
