"""docs/operations.md names every setting with its default, and every metric with its labels."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

import riskstream
from riskstream.config import Settings
from riskstream.observability.metrics import ConsoleMetrics, Metrics, NotifyMetrics

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(riskstream.__file__).parent


def _rows(first_column: str, page: str = "operations") -> dict[str, list[str]]:
    """Rows of the table with this first column, by their first cell."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"| {first_column} |")
    table = rest.partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0].strip("`"): row[1:] for row in cells}


def _settings(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(field.default)


def _shown(default: Any) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return f"`{', '.join(default)}`"
    if default in ("", SecretStr("")):
        return "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_setting_is_documented_with_its_default() -> None:
    """The table and ``config.Settings`` say the same."""
    documented = {name: row[0] for name, row in _rows("setting").items()}
    assert documented == dict(_settings())


def test_every_metric_is_documented_with_its_labels() -> None:
    """The table and ``observability.metrics`` say the same."""
    documented = {name: row[0] for name, row in _rows("metric").items()}
    assert documented == _metrics()


def test_every_metric_of_notify_is_documented() -> None:
    """With its labels, in a table of its own."""
    documented = {name: row[0] for name, row in _rows("of notify").items()}
    counters = vars(NotifyMetrics(version="0")).values()
    found = {
        metric._name + ("_total" if metric._type == "counter" else ""): ", ".join(
            metric._labelnames
        )
        for metric in counters
        if "notify" in getattr(metric, "_name", "")
    }
    assert documented == found


def test_every_metric_of_the_console_is_documented() -> None:
    """On the console's page."""
    documented = set(_rows("of the console", "console"))
    families = ConsoleMetrics(version="0").registry.collect()
    assert documented == {each.name for each in families if "console" in each.name}


def _metrics() -> dict[str, str]:
    metrics = Metrics(role="assess", version="0", policy="p")
    found = {}
    for family in metrics.registry.collect():
        if family.name.startswith("riskstream_"):
            suffix = "_total" if family.type == "counter" else ""
            found[family.name + suffix] = ""
    for metric in vars(metrics).values():
        labels = getattr(metric, "_labelnames", ())
        if labels:
            suffix = "_total" if metric._type == "counter" else ""
            found[metric._name + suffix] = ", ".join(labels)
    return found | _watched()


def _watched() -> dict[str, str]:
    """Gauges that are added where there is something to read."""
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    calls = re.findall(r'\.watch\(\s*"(\w+)",\s*"[^"]*",\s*"(\w+)"', source)
    assert calls
    return {f"riskstream_{name}": label for name, label in calls}
