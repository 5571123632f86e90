"""The commands that need no Kafka, as installed from the wheel."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from riskstream.demo.broker import answers_kafka, free_port
from tests.support.cli import mixed_file
from tests.support.processes import Riskstream, environment, run, wait_for


def test_the_wheel_has_its_data(installed_riskstream: Path) -> None:
    """Catalog, policy and schemas are read from the installation."""
    for command in (["catalog", "show", "6"], ["policy", "check"], ["schemas", "list"]):
        done = run(command, command=installed_riskstream)
        assert done.returncode == 0, done.stderr
    listed = run(["schemas", "list", "--format", "json"], command=installed_riskstream)
    assert len(json.loads(listed.stdout)) >= 8


def test_a_file_is_scored_the_same_twice(installed_riskstream: Path, tmp_path: Path) -> None:
    """By name and from standard input, in any chunks: the same bytes."""
    file = tmp_path / "events.json"
    file.write_bytes(mixed_file())
    once = run(["score", str(file)], command=installed_riskstream)
    again = run(
        ["score", "-", "--chunk-records", "1"], stdin=mixed_file(), command=installed_riskstream
    )
    assert once.returncode == again.returncode == 0
    assert once.stdout == again.stdout
    checked = run(["schemas", "check", "-"], stdin=once.stdout, command=installed_riskstream)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "command", [["score", "-"], ["catalog", "list"], ["schemas", "show", "scored"]], ids=" ".join
)
def test_a_reader_that_leaves_is_no_fault(installed_riskstream: Path, command: list[str]) -> None:
    """As with ``| head -1``: silent, and the exit code that a shell gives to SIGPIPE."""
    with subprocess.Popen(
        [str(installed_riskstream), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(mixed_file())
        process.stdin.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


def test_ctrl_c_ends_quietly(installed_riskstream: Path) -> None:
    """Exit 130 and not a word."""
    with subprocess.Popen(
        [str(installed_riskstream), "score", "-", "--chunk-records", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        # More than any buffer on the way holds, so that the first output proves it is at work.
        process.stdin.write(mixed_file(200))
        process.stdin.flush()
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        process.stdout.close()
        assert process.wait(60) == 130
        assert process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_broker_runs_until_it_is_told_to_end(
    installed_riskstream: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """It prints its address, answers Kafka there, and ends with 0 and nothing left behind."""
    port = free_port()
    with subprocess.Popen(
        [str(installed_riskstream), "broker", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"127.0.0.1:%d\n" % port
        assert answers_kafka("127.0.0.1", port)
        process.send_signal(number)
        assert process.wait(30) == 0
    assert not answers_kafka("127.0.0.1", port)
    assert list(tmp_path.iterdir()) == []


def test_the_broker_keeps_a_given_directory(installed_riskstream: Path, tmp_path: Path) -> None:
    """Records outlive the broker where they are told to."""
    port, data = free_port(), tmp_path / "data"
    arguments = ["broker", "--port", str(port), "--data-dir", str(data)]
    for expected in ("created", "exists"):
        with Riskstream(arguments, tmp_path / expected, command=installed_riskstream) as broker:
            wait_for(lambda: f"127.0.0.1:{port}\n" in broker.log, 30, "the address")
            made = run(
                ["topics", "create", "-b", f"127.0.0.1:{port}", "--format", "json"],
                command=installed_riskstream,
            )
            assert {one["verdict"] for one in json.loads(made.stdout)} == {expected}
    assert data.is_dir()


def test_no_worker_to_release_is_one_clear_message(installed_riskstream: Path) -> None:
    """Exit 3, the address that was tried, and how to name another."""
    url = f"http://127.0.0.1:{free_port()}"
    done = run(["dlq", "release", "--worker-url", url], command=installed_riskstream)
    assert done.returncode == 3
    assert url.encode() in done.stderr
    assert b"--worker-url" in done.stderr
