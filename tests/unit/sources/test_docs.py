"""docs/sources.md names every metric of the sources, every answer, and every trouble."""

from pathlib import Path

from riskstream.observability.metrics import PollMetrics, WebhookMetrics
from riskstream.sources.webhook import ANSWERS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """Cells of the table whose head begins like this."""
    lines = TEXT.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_metric_is_documented_with_its_labels() -> None:
    """The table and the metrics say the same."""
    found = {}
    for metrics in (WebhookMetrics(version="0"), PollMetrics(version="0")):
        for metric in vars(metrics).values():
            name = getattr(metric, "_name", "")
            if name.startswith("riskstream_"):
                suffix = "_total" if metric._type == "counter" else ""
                found[f"`{name}{suffix}`"] = ", ".join(metric._labelnames)
    assert {row[0]: row[1] for row in rows("| metric |")} == found


def test_every_answer_is_documented() -> None:
    """With its status."""
    documented = {}
    for row in rows("| status | when |"):
        codes = [int(word.strip(",")) for word in row[0].split() if word.strip(",").isdecimal()]
        results = [text.strip(" `") for text in row[2].split(",")]
        documented.update(dict(zip(results, codes * len(results), strict=False)))
    assert documented == {result.value: int(status) for result, (status, _) in ANSWERS.items()}
