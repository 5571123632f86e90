"""Metrics move by tallies, and their names and labels keep to the conventions."""

import re
import tempfile
from collections import Counter

from riskstream.catalog.loader import load_catalog
from riskstream.events.outcome import Tally
from riskstream.observability.metrics import Metrics

NOW = 1_795_000_000.0


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

    metrics.count(tally, topic="t", now=NOW)
    metrics.count(tally, topic="t", now=NOW)

    assert value(metrics, "riskstream_received_events_total") == 20
    assert value(metrics, "riskstream_routed_events_total") == 12
    dead = 'riskstream_dead_lettered_events_total{reason="malformed_json",stage="decode"}'
    assert value(metrics, dead) == 6
    assert value(metrics, 'riskstream_filtered_events_total{reason="empty"}') == 2
    assert value(metrics, 'riskstream_scored_events_total{category="users",level="high"}') == 12
    assert value(metrics, 'riskstream_consumed_records_total{topic="t"}') == 4


def test_accounts_beyond_the_bound_are_counted_together() -> None:
    """The first keep their names for good, and nothing is left uncounted."""
    metrics = Metrics(role="assess", version="0", policy="p", max_accounts=2)
    metrics.count(Tally(accounts=Counter({7: 1, 8: 2, 9: 3})), topic="t", now=NOW)
    metrics.count(Tally(accounts=Counter({10: 4, 8: 5})), topic="t", now=NOW)

    found = {name: value(metrics, _account(name)) for name in ("7", "8", "other")}
    assert found == {"7": 1, "8": 7, "other": 7}
    assert metrics.exposition().count(b"riskstream_account_events_total{") == 3


def _account(name: str) -> str:
    return f'riskstream_account_events_total{{account="{name}"}}'


def test_event_types_are_named_by_the_catalog_alone() -> None:
    """However many ids somebody makes up, they are one series."""
    metrics = Metrics(role="assess", version="0", policy="p", catalog=load_catalog())
    metrics.count(Tally(types=Counter({6: 2, 60_001: 3, 60_002: 4})), topic="t", now=NOW)

    series = 'riskstream_type_events_total{event_type="%s"}'
    assert value(metrics, series % "USER_FAILED_ONELOGIN_LOGIN") == 2
    assert value(metrics, series % "uncataloged") == 7


def test_delivery_is_measured_from_the_raw_record_s_timestamp() -> None:
    """Each event in its bucket; a sender's clock ahead of ours counts as no time."""
    metrics, now_ms = make_metrics(), int(NOW * 1000)
    arrivals = [*[now_ms - 200] * 5, now_ms - 30_001, now_ms + 9, *[now_ms - 30_000] * 2]
    metrics.count(Tally(arrivals=arrivals), topic="t", now=NOW)

    series = 'riskstream_delivery_seconds_bucket{le="%s"}'
    assert [value(metrics, series % edge) for edge in ("0.1", "0.3", "30.0", "60.0", "+Inf")] == [
        1,
        6,
        8,
        9,
        9,
    ]
    assert value(metrics, "riskstream_delivery_seconds_count") == 9


def test_failed_units_are_counted_over_processes() -> None:
    """Each process ends with the unit that failed, mostly before anybody scrapes it."""
    with tempfile.TemporaryFile() as file:
        for before in range(3):
            metrics = make_metrics()
            metrics.carry_failures(file.fileno())
            assert value(metrics, "riskstream_commit_failures_total") == before
            metrics.count_failure()
            assert value(metrics, "riskstream_commit_failures_total") == before + 1


def test_closed_sets_begin_at_zero() -> None:
    """So that Prometheus sees the first lockout as an increase."""
    metrics = Metrics(role="assess", version="0", policy="p", catalog=load_catalog())
    assert value(metrics, 'riskstream_scored_events_total{category="users",level="high"}') == 0
    assert value(metrics, 'riskstream_lockouts_total{scope="account"}') == 0
    assert value(metrics, 'riskstream_failures_total{category="users",kind="login"}') == 0
    bug = 'riskstream_dead_lettered_events_total{reason="internal_error",stage="%s"}'
    assert value(metrics, bug % "assess") == 0
    ingest = Metrics(role="ingest", version="0", policy="p")
    assert value(ingest, bug % "decode") == 0
    assert b"riskstream_lockouts_total{" not in ingest.exposition()


def test_the_score_histogram_has_its_edges_at_the_levels() -> None:
    """No ends at 4, Low at 25, Medium at 50."""
    metrics = make_metrics()
    metrics.count(
        Tally(scores=Counter({4: 1, 5: 1, 25: 1, 26: 1, 50: 1, 51: 1})), topic="t", now=NOW
    )

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
