"""Faults on real brokers: whatever dies, every event ends once and the tables add up.

The short form of ``python -m tests.chaos``; ``make chaos`` runs the long one.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskstream.demo.broker import EmbeddedBroker
from tests.chaos.run import Plan, Run
from tests.chaos.scenarios import SHORT, calm
from tests.support.apache_kafka import ApacheKafka

SEED = 20_261_123

WRITTEN_SECONDS = 3.0
"""The embedded broker writes records to disk some time after it has acknowledged them: one that
ends while records are under way takes the newest with it, and any promise with them."""


def say(text: str) -> None:
    """Progress, shown by pytest when the test fails."""
    sys.stdout.write(text + "\n")


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_no_fault_loses_repeats_or_miscounts_an_event(tmp_path: Path) -> None:
    """SIGKILL, zombies, lapsed transactions, poison, rebalances, a broker that dies or hangs."""
    plan = Plan(seed=SEED, workers=2, kills=10, rate=200.0, planned_events=30_000)
    with ApacheKafka(tmp_path / "kafka") as broker, Run(broker, plan, tmp_path, say) as run:
        for scenario in SHORT:
            run.phase(scenario)
        run.end()

        assert run.findings == []
        assert run.fleet.kills >= plan.kills
        assert [what for what, number in run.verifier.tally().items() if not number] == []


def embedded_crash(run: Run) -> None:
    """SIGKILL of the embedded broker under waiting workers, and a start."""
    _end_and_start(run, run.broker.kill)


def embedded_restart(run: Run) -> None:
    """A stop of the embedded broker under waiting workers, and a start."""
    _end_and_start(run, run.broker.stop)


def _end_and_start(run: Run, end_broker: Callable[[], None]) -> None:
    run.feeder.pause()
    run.settle("before the broker ends")
    time.sleep(WRITTEN_SECONDS)
    end_broker()
    time.sleep(2.0)
    run.broker.start()
    run.feeder.send_now(2000)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_the_embedded_broker_may_crash_under_running_workers(tmp_path: Path) -> None:
    """Killed or stopped, and started again: the workers come back alone, nothing is lost."""
    plan = Plan(seed=SEED, workers=1, planned_events=10_000, idempotent=False)
    broker = EmbeddedBroker(data_dir=tmp_path / "broker")
    with broker, Run(broker, plan, tmp_path, say) as run:
        for scenario in (calm, embedded_crash, embedded_restart):
            run.phase(scenario)
        run.end()

        assert run.findings == []
