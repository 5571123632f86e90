"""Two builds side by side: workers are upgraded and rolled back one by one under load.

The second build is the first one with another version and another policy version, which its
scored records carry. So this proves the way of the change, not that two releases understand each
other's records: for that, ``docs/deployment.md`` has the rules.
"""

import json
import shutil
import sysconfig
import time
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from riskstream.demo.stack import free_ports
from riskstream.events.topics import SCORED
from tests.chaos.feeder import Feeder
from tests.chaos.run import CATALOG, POLICY
from tests.chaos.workload import Workload
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import delete_everything, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.recount import Kinds
from tests.support.verifier import Verifier

NEXT_VERSION = "99.0.0"
NEXT_POLICY = "next"
APP_ID = "upgrade"
RATE = 200.0
SETTLE_SECONDS = 120.0


def _command(home: Path, build: Path) -> Path:
    """A command that runs the package of a directory, in an environment of its own."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    scheme = {"base": str(home), "platbase": str(home)}
    own = Path(sysconfig.get_path("purelib", "venv", scheme))
    for part in build.iterdir():
        shutil.copytree(part, own / part.name)
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "dependencies.pth").write_text("\n".join(sorted(dependencies)), encoding="utf-8")
    command = home / "bin" / "riskstream"
    command.write_text(f'#!/bin/sh\nexec "{home}/bin/python" -m riskstream "$@"\n')
    command.chmod(0o755)
    return command


@pytest.fixture
def next_build(installed_riskstream: Path, tmp_path: Path) -> Path:
    """The installed wheel, with another version and a policy that says so."""
    found = next((installed_riskstream.parents[1] / "lib").glob("*/site-packages"))
    build = tmp_path / "build"
    (package,) = found.glob("riskstream")
    (info,) = found.glob("riskstream-*.dist-info")
    shutil.copytree(package, build / "riskstream")
    shutil.copytree(info, build / f"riskstream-{NEXT_VERSION}.dist-info")
    metadata = build / f"riskstream-{NEXT_VERSION}.dist-info" / "METADATA"
    version = run(["--version"], command=installed_riskstream).stdout.split()[-1].decode()
    text = metadata.read_text(encoding="utf-8")
    assert f"\nVersion: {version}\n" in text
    metadata.write_text(
        text.replace(f"\nVersion: {version}\n", f"\nVersion: {NEXT_VERSION}\n"), encoding="utf-8"
    )
    policy = build / "riskstream" / "risk" / "policy.toml"
    lines = policy.read_text(encoding="utf-8").splitlines()
    policy.write_text(
        "\n".join(
            f'version = "{NEXT_POLICY}"' if line.startswith("version = ") else line
            for line in lines
        ),
        encoding="utf-8",
    )
    command = _command(tmp_path / "next", build)
    assert run(["--version"], command=command).stdout.split()[-1].decode() == NEXT_VERSION
    return command


class Worker:
    """One machine: a name, a directory for its state, and whatever build runs there."""

    def __init__(self, name: str, work_dir: Path, settings: dict[str, str]) -> None:
        self.name = name
        self._work_dir = work_dir / name
        self._settings = {**settings, "WORKER__NAME": name, "HTTP__PORT": str(free_ports(2))}
        self._running: Riskstream | None = None

    def start(self, command: Path) -> None:
        """Start a build, and wait until both roles have their rows and read."""
        self._running = Riskstream(
            ["worker"], self._work_dir, settings=self._settings, command=command
        ).start()
        for port in self._ports:
            wait_for(lambda port=port: self.running.health("ready", port) == 200, 90, self.name)

    def change_to(self, command: Path) -> list[dict[str, Any]]:
        """Stop as Kubernetes does, start the other build; what its recovery began with."""
        assert self.running.stop() == 0
        before = len(self.running.log)
        self.start(command)
        lines = self.running.log[before:].splitlines()
        return [json.loads(line) for line in lines if '"recovery_started"' in line]

    def version(self) -> str:
        """What the metrics say."""
        labels = {
            dict(labels)["version"]
            for port in self._ports
            for name, labels in self.running.metrics(port)
            if name == "riskstream_build_info"
        }
        (version,) = labels
        return version

    @property
    def running(self) -> Riskstream:
        """The build that runs."""
        assert self._running is not None
        return self._running

    @property
    def _ports(self) -> tuple[int, int]:
        port = int(self._settings["HTTP__PORT"])
        return port, port + 1

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.stop()

    def __enter__(self) -> Self:
        return self


@contextmanager
def _fleet(broker: ApacheKafka, work_dir: Path) -> Iterator[tuple[Worker, Worker]]:
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "KAFKA__SESSION_TIMEOUT_SECONDS": "25",
        "WORKER__APP_ID": APP_ID,
        "STATE__STORE": "rocksdict",
        "LOG__FORMAT": "json",
    }
    assert run(["topics", "create", "--partitions", "4"], settings=settings).returncode == 0
    with ExitStack() as stack:
        one, two = [stack.enter_context(Worker(n, work_dir, settings)) for n in ("one", "two")]
        yield one, two


def _settle(verifier: Verifier) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        verifier.catch_up()
        progress = verifier.progress()
        if progress.complete:
            return
        assert time.monotonic() < deadline, progress
        time.sleep(0.2)


@pytest.mark.kafka
@pytest.mark.timeout(420)
def test_workers_are_upgraded_and_rolled_back_one_by_one_under_load(
    apache_kafka: ApacheKafka, installed_riskstream: Path, next_build: Path, tmp_path: Path
) -> None:
    """Nothing is lost or twice, tables are exact, rows on disk are taken on by the other build."""
    delete_everything(apache_kafka)
    version = run(["--version"], command=installed_riskstream).stdout.split()[-1].decode()
    type_ids = sorted(Kinds.read(CATALOG, POLICY).rows)
    workload = Workload(7, type_ids, 20_000)
    with _fleet(apache_kafka, tmp_path) as (one, two), ExitStack() as stack:
        verifier = stack.enter_context(
            Verifier(apache_kafka.bootstrap_servers, CATALOG, POLICY, APP_ID)
        )
        feeder = stack.enter_context(
            Feeder(apache_kafka.bootstrap_servers, workload, rate=RATE, seed=7)
        )
        for worker in (one, two):
            worker.start(installed_riskstream)
        feeder.send_now(2000)
        _settle(verifier)

        feeder.resume()
        begun = one.change_to(next_build)
        assert {one.version(), two.version()} == {version, NEXT_VERSION}
        begun += two.change_to(next_build)
        assert {one.version(), two.version()} == {NEXT_VERSION}
        begun += one.change_to(installed_riskstream)
        begun += two.change_to(installed_riskstream)
        assert {one.version(), two.version()} == {version}
        feeder.pause()

        _settle(verifier)
        assert [one.running.stop(), two.running.stop()] == [0, 0]
        verifier.catch_up()
        assert verifier.open_transactions(30.0) == []
        assert verifier.check() == []

    policies = Counter(
        json.loads(record.value or b"")["risk"]["policy"]
        for topic in SCORED.values()
        for record in read_topic(apache_kafka, topic)
    )
    assert len(policies) == 2
    assert policies[NEXT_POLICY] > 0
    # Each came back within its session, so it had its partitions before, and read their tail.
    assert [line["rebuilt"] for line in begun] == [[]] * len(begun), begun
