"""Metrics move by tallies, and their names and labels keep to the conventions."""

import re
from collections import Counter

from riskstream.events.outcome import Tally
from riskstream.observability.metrics import Metrics


def make_metrics() -> Metrics:
    """Fresh metrics in a registry of their own."""
    return Metrics(role="assess", version="1.2.3", policy="2026-11-23")


def value(metrics: Metrics, series: str) -> float:
    """Value of one series of the exposition."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics.exposition().decode(), re.MULTILINE)
    assert found, series
    return float(found[1])


def test_a_tally_moves_every_counter() -> None:
    """Received equals the sum of the outcomes, as in the tally."""
    metrics = make_metrics()
    tally = Tally(
        records=2,
        received=10,
        routed=6,
        dead_lettered=Counter({("decode", "malformed_json"): 3}),
        filtered=Counter({"empty": 1}),
        scored=Counter({("users", "high"): 6}),
        scores=Counter({3: 1, 25: 2, 26: 1, 80: 2}),
    )

    metrics.count(tally, topic="t")
    metrics.count(tally, topic="t")

    assert value(metrics, "riskstream_received_events_total") == 20
    assert value(metrics, "riskstream_routed_events_total") == 12
    dead = 'riskstream_dead_lettered_events_total{reason="malformed_json",stage="decode"}'
    assert value(metrics, dead) == 6
    assert value(metrics, 'riskstream_filtered_events_total{reason="empty"}') == 2
    assert value(metrics, 'riskstream_scored_events_total{category="users",level="high"}') == 12
    assert value(metrics, 'riskstream_consumed_records_total{topic="t"}') == 4


def test_the_score_histogram_has_its_edges_at_the_levels() -> None:
    """No ends at 4, Low at 25, Medium at 50."""
    metrics = make_metrics()
    metrics.count(Tally(scores=Counter({4: 1, 5: 1, 25: 1, 26: 1, 50: 1, 51: 1})), topic="t")

    counts = [
        value(metrics, f'riskstream_risk_score_bucket{{le="{edge}"}}')
        for edge in ("4.0", "25.0", "50.0", "75.0", "100.0", "+Inf")
    ]

    assert counts == [1, 3, 5, 6, 6, 6]
    assert value(metrics, "riskstream_risk_score_sum") == 161


def test_watched_gauges_are_read_when_scraped() -> None:
    """Lag and rows are asked for, not pushed."""
    metrics, lag = make_metrics(), {"0": 5.0}
    metrics.watch("consumer_lag_records", "Lag.", "partition", lambda: lag)
    lag["0"] = 7.0

    assert value(metrics, 'riskstream_consumer_lag_records{partition="0"}') == 7


def test_names_follow_the_conventions() -> None:
    """One prefix; counters end in ``_total``; every metric says what it means."""
    text = make_metrics().exposition().decode()
    types = dict(re.findall(r"^# TYPE (riskstream_\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (riskstream_\S+) (.+)$", text, re.MULTILINE))

    assert types
    assert all(name.endswith("_total") for name, kind in types.items() if kind == "counter")
    assert set(types) == set(helps)
    assert not [name for name in types if name.endswith("_created")]
