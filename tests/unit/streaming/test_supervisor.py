"""The processes of one machine."""

import subprocess
import sys
import time

import pytest

from riskstream.config import Settings
from riskstream.errors import ConfigError
from riskstream.streaming.supervisor import _Child, _look_after, plan_processes


def test_each_role_and_worker_gets_a_member_and_a_port_of_its_own() -> None:
    """Members are stable names, ports count up from the first."""
    settings = Settings(worker={"name": "node-a"}, http={"port": 9000})

    plans = plan_processes(settings, ("ingest", "assess"), 2)

    assert [(plan.role, plan.member, plan.port) for plan in plans] == [
        ("ingest", "riskstream-ingest-node-a-0", 9000),
        ("assess", "riskstream-assess-node-a-0", 9001),
        ("ingest", "riskstream-ingest-node-a-1", 9002),
        ("assess", "riskstream-assess-node-a-1", 9003),
    ]


def test_port_zero_means_any_free_port_for_all() -> None:
    """Zero is not counted up."""
    plans = plan_processes(Settings(http={"port": 0}), ("ingest",), 3)

    assert [plan.port for plan in plans] == [0, 0, 0]


def test_a_process_is_told_how_often_it_was_started_again() -> None:
    """Its own counters begin anew each time, so this one must come from outside."""
    (plan,) = plan_processes(Settings(), ("ingest",), 1)
    assert plan.command(restarts=2)[-2:] == ["--restarts", "2"]


def child_that_ended(code: int, *, proven: bool) -> _Child:
    """A process of a plan that has just ended."""
    (plan,) = plan_processes(Settings(http={"port": 0}), ("ingest",), 1)
    process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
    process.wait()
    return _Child(plan, process, started=time.monotonic(), proven=proven)


def test_a_wrong_configuration_at_the_first_start_ends_all() -> None:
    """No restart helps."""
    with pytest.raises(ConfigError, match="configuration is wrong"):
        _look_after(child_that_ended(2, proven=False))


@pytest.mark.parametrize("code", [0, 1, 2, 3, -9])
def test_a_process_that_has_run_is_started_again(code: int) -> None:
    """Even one that says so now: a port taken for a moment, a file being edited."""
    child = child_that_ended(code, proven=True)
    _look_after(child)
    assert child.process is None
    assert child.due > time.monotonic()


def test_a_crash_proves_the_configuration() -> None:
    """What comes after a crash is no reason to end the others."""
    child = child_that_ended(3, proven=False)
    _look_after(child)
    assert child.proven
