"""Kafka Connect's standalone worker, as a child process."""

import json
import urllib.request
from pathlib import Path
from typing import Any, Self

from riskstream.demo.broker import free_port
from riskstream.demo.leash import LeashedProcess
from tests.support.apache_kafka import java_command
from tests.support.deploy import ROOT
from tests.support.kafka import Broker
from tests.support.processes import wait_for

__all__ = ["CONNECTORS", "Connect"]

CONNECTORS = ROOT / "deploy" / "connectors"
START_SECONDS = 90.0


class Connect:
    """A worker with the shipped settings and connectors; its files are in ``work_dir``."""

    def __init__(self, broker: Broker, work_dir: Path, *connectors: str) -> None:
        here = CONNECTORS / "kafka-connect"
        self.dir = work_dir
        self._url = f"http://127.0.0.1:{free_port()}"
        self._names = [name.removesuffix(".properties") for name in connectors]
        self._process = LeashedProcess(
            [
                *java_command(),
                "org.apache.kafka.connect.cli.ConnectStandalone",
                str(here / "worker.properties"),
                *(str(here / name) for name in connectors),
            ],
            log=work_dir / "connect.log",
            env={
                "PATH": "/usr/bin:/bin",
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
                "CONNECT_LISTENER": self._url,
                "CONNECT_DIR": str(work_dir),
            },
        )

    def states(self) -> dict[str, list[str]]:
        """States of each connector and its tasks; empty while nothing answers."""
        try:
            found = self.ask("/connectors?expand=status")
        except OSError:
            return {}
        return {
            name: [
                each["status"]["connector"]["state"],
                *(task["state"] for task in each["status"]["tasks"]),
            ]
            for name, each in found.items()
        }

    def wait_until_running(self) -> Self:
        """Wait until every connector has a task and all run."""

        def running() -> bool:
            states = self.states()
            if self._process.poll() is not None:
                raise RuntimeError(f"Kafka Connect ended:\n{self._process.tail()}")
            return len(states) == len(self._names) and all(
                len(each) > 1 and set(each) == {"RUNNING"} for each in states.values()
            )

        wait_for(running, START_SECONDS, "connectors that run")
        return self

    def ask(self, path: str, body: Any = None) -> Any:
        """GET, or PUT of a JSON body."""
        request = urllib.request.Request(  # noqa: S310  (our own worker, on loopback)
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method="GET" if body is None else "PUT",
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def lines(self, name: str) -> list[str]:
        """What a file sink has written."""
        path = self.dir / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop(20)
