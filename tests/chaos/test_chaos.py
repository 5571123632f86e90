"""Faults on real brokers: whatever dies, every event ends once and the tables add up.

The short form of ``python -m tests.chaos``; ``make chaos`` runs the long one.
"""

import sys
from pathlib import Path

import pytest

from riskstream.demo.broker import EmbeddedBroker
from tests.chaos.run import Plan, Run
from tests.chaos.scenarios import SHORT, available, broker_crash, broker_restart
from tests.support.apache_kafka import ApacheKafka

SEED = 20_261_123


def say(text: str) -> None:
    """Progress, shown by pytest when the test fails."""
    sys.stdout.write(text + "\n")


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_no_fault_loses_repeats_or_miscounts_an_event(tmp_path: Path) -> None:
    """SIGKILLs, zombies, timed-out transactions, poison, rebalances, a broker that dies or hangs."""
    plan = Plan(seed=SEED, workers=2, kills=10, rate=200.0, planned_events=30_000)
    with ApacheKafka(tmp_path / "kafka") as broker, Run(broker, plan, tmp_path, say) as run:
        for scenario in available(SHORT):
            run.phase(scenario)
        run.end()

        assert run.findings == []
        assert run.fleet.kills >= plan.kills


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_the_embedded_broker_may_crash_under_running_workers(tmp_path: Path) -> None:
    """Killed and started again, then stopped and started again: the workers come back alone."""
    plan = Plan(seed=SEED, workers=1, rate=200.0, planned_events=10_000, session_seconds=10.0)
    broker = EmbeddedBroker(data_dir=tmp_path / "broker")
    with broker, Run(broker, plan, tmp_path, say) as run:
        for scenario in (broker_crash, broker_restart):
            run.phase(scenario)
        run.end()

        assert run.findings == []
