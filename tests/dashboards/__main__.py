"""Pictures of the dashboards for the documents: ``make pictures``.

A worker on an embedded broker is fed with the demo's events for some minutes, a real Prometheus
looks at it, and every panel's expressions are asked of Prometheus and drawn.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.dashboards.draw import Drawn, draw, lines_of
from tests.dashboards.panels import DASHBOARDS, Panel, panels, read_dashboard
from tests.support.deploy import ROOT
from tests.support.processes import run
from tests.support.prometheus import Prometheus, watched_worker

PICTURES = ROOT / "docs" / "dashboards"
SCRAPE_SECONDS = 2
RATE_INTERVAL = "20s"
STEP_SECONDS = 3


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=180, help="how long to feed")
    parser.add_argument("--rate", type=int, default=50, help="events a second")
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder for the pictures")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="riskstream-pictures-") as home,
        watched_worker(Path(home), seconds=SCRAPE_SECONDS) as watched,
    ):
        start = time.time()
        events = options.rate * options.seconds
        feed = ["feed", "--rate", str(options.rate), "--events", str(events)]
        fed = run(feed, settings=watched.settings, timeout=10 * options.seconds)
        if fed.returncode != 0:
            raise SystemExit(fed.stderr.decode())
        time.sleep(2 * SCRAPE_SECONDS)  # for Prometheus to have seen the last of it
        for file in sorted(DASHBOARDS.glob("*.json")):
            picture = options.output / f"{file.stem}.svg"
            picture.write_text(_picture(file, watched.prometheus, start, time.time()))
            print(picture)  # noqa: T201


def _picture(file: Path, prometheus: Prometheus, start: float, end: float) -> str:
    dashboard = read_dashboard(file)
    drawn = [_drawn(panel, prometheus, start, end) for panel in panels(dashboard)]
    return draw(dashboard["title"], drawn, end - start)


def _drawn(panel: Panel, prometheus: Prometheus, start: float, end: float) -> Drawn:
    shown = f"{end - start:.0f}s"
    found = []
    for query in panel.queries:
        expression = query.filled(RATE_INTERVAL, shown)
        if panel.kind == "timeseries":
            series = prometheus.query_range(expression, start, end, STEP_SECONDS)
            found += [(query.name(one["metric"]), one["values"]) for one in series]
        else:
            series = prometheus.query(expression)
            found += [(query.name(one["metric"]), [one["value"]]) for one in series]
    return Drawn(panel, lines_of(found, start))


if __name__ == "__main__":
    main()
