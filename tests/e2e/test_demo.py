"""``riskstream demo`` and ``riskstream feed`` as a person runs them, from the built wheel."""

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from riskstream.demo.broker import EmbeddedBroker
from riskstream.events.topics import DEAD_LETTER, RAW, SCORED
from tests.support.kafka import read_topic
from tests.support.processes import Riskstream, environment, run, wait_for

EVENTS = 2000
CHECKED_RECORDS = "300"
"""Of each topic; the shapes of values repeat."""


def _demo(command: Path, work_dir: Path, *options: str) -> tuple[dict[str, Any], str]:
    summary = work_dir / "summary.json"
    arguments = ["demo", "--events", str(EVENTS), "--summary", str(summary), *options]
    done = run(arguments, command=command, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(summary.read_bytes()), done.stdout.decode()


def test_the_demo_counts_every_event_twice_the_same(
    installed_riskstream: Path, tmp_path: Path
) -> None:
    """Exit 0, nothing missing, every topic and level, and the same again with the same seed.

    But for the levels of a few events, and alerts that follow from them: what is usual is
    learned in the order in which the raw partitions were read, and among the users of one
    partition.
    """
    first, shown = _demo(installed_riskstream, tmp_path)
    assert first["events"] == EVENTS
    assert first["events"] == first["routed"] + first["dead_lettered"] + first["filtered"]
    assert set(first["by_topic"]) == {*SCORED.values(), DEAD_LETTER}
    assert all(first["by_level"][level] > 0 for level in ("no", "low", "medium", "high"))
    assert first["alerts"] >= 1
    assert first["lockouts"] >= 1
    assert first["dead_lettered"] == sum(first["dead_letters_by_reason"].values())
    assert "None is missing" in shown
    second, printed = _demo(installed_riskstream, tmp_path, "--format", "json", "--partitions", "3")
    assert json.loads(printed) == second
    assert sum(first["by_level"].values()) == sum(second["by_level"].values())
    differing = {"seconds", "events_per_second", "by_level", "alerts"}
    assert {k: v for k, v in first.items() if k not in differing} == {
        k: v for k, v in second.items() if k not in differing
    }


def test_a_kept_demo_can_be_looked_at(installed_riskstream: Path, tmp_path: Path) -> None:
    """It says where it is; what is in its topics is valid by the schemas; SIGTERM ends it all."""
    demo = Riskstream(
        ["demo", "--keep", "--events", "1000"], tmp_path, command=installed_riskstream
    )
    with demo:
        wait_for(lambda: "riskstream feed" in demo.log or not demo.running, 120, "the demo's end")
        (line,) = (line for line in demo.log.splitlines() if "BOOTSTRAP_SERVERS=" in line)
        settings = {"KAFKA__BOOTSTRAP_SERVERS": line.partition("=")[2]}
        for topic in (*SCORED.values(), DEAD_LETTER, "iam.state.failures.v1"):
            check = ["schemas", "check", "--topic", topic, "--limit", CHECKED_RECORDS]
            done = run(check, settings=settings, command=installed_riskstream)
            assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        assert demo.stop() == 0
    assert run(["topics", "check"], settings=settings, timeout=60).returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(
    number: signal.Signals, installed_riskstream: Path, tmp_path: Path
) -> None:
    """Stopped while the worker starts: 130, no temporary directory and so no broker."""
    settings = environment() | {"TMPDIR": str(tmp_path)}
    command = [str(installed_riskstream), "demo"]
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if "starting a worker" in line:
                break
        assert list(tmp_path.glob("riskstream-demo-*"))
        demo.send_signal(number)
        assert demo.wait(60) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_demo_in_the_background_offers_the_page_and_ends_by_sigterm(
    installed_riskstream: Path, tmp_path: Path
) -> None:
    """As a script starts it, with SIGINT ignored: the console answers, and nothing is left."""
    settings = environment() | {"TMPDIR": str(tmp_path)}
    command = ["sh", "-c", "trap '' INT; exec \"$0\" demo --keep --events 300"]
    with subprocess.Popen(
        [*command, str(installed_riskstream)], env=settings, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if "The Events page is at " in line:
                break
        address = line.partition("is at ")[2].strip()

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"{address}health/ready", timeout=5) as told:  # noqa: S310
                    return bool(told.status == 200)
            except OSError:
                return False

        wait_for(answers, 60, "the Events page")
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def test_feed_sends_what_it_says(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A feed with an end sends as many events; one without ends in good order on SIGTERM."""
    settings = {"KAFKA__BOOTSTRAP_SERVERS": embedded_broker.bootstrap_servers}
    missing = run(["feed", "--events", "1"], settings=settings, command=installed_riskstream)
    assert missing.returncode == 3
    assert b"riskstream topics create" in missing.stderr
    made = run(["topics", "create"], settings=settings, command=installed_riskstream)
    assert made.returncode == 0
    counted = ["feed", "--events", "300", "--rate", "3000"]
    done = run(counted, settings=settings, command=installed_riskstream)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Sent 300 events" in done.stderr
    before = len(read_topic(embedded_broker, RAW))
    endless = Riskstream(["feed"], tmp_path, settings=settings, command=installed_riskstream)
    with endless:
        wait_for(lambda: len(read_topic(embedded_broker, RAW)) > before, 60, "records of the feed")
        assert endless.stop() == 0
    assert "Sent " in endless.log
