"""What the demo runs on: an embedded broker, the topics and a worker, all gone afterwards."""

import contextlib
import os
import re
import sys
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from riskstream.config import Settings, load_settings
from riskstream.demo.broker import EmbeddedBroker
from riskstream.demo.leash import LeashedProcess
from riskstream.demo.ports import HOST, free_ports
from riskstream.errors import KafkaFaultError

__all__ = ["Stack", "free_ports"]

PROCESSES = ("ingest", "assess")
"""Of a worker in all roles, in the order of their ports."""
STOP_SECONDS = 15.0
ANSWER_SECONDS = 2.0
SAMPLE = re.compile(r"^(riskstream_\w+_total)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


class Stack:
    """Broker and worker as child processes; leaving the block stops both and removes their data.

    Args:
        partitions: Of every topic.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._cleanup = contextlib.ExitStack()
        self._worker: LeashedProcess | None = None
        self._console: LeashedProcess | None = None
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings with the broker's address and free ports in them."""
        if self._settings is None:
            raise KafkaFaultError("The demo's broker has not been started.")
        return self._settings

    @property
    def metrics_addresses(self) -> dict[str, str]:
        """Where each process of the worker shows its metrics."""
        port = self.settings.http.port
        return {
            role: f"http://{HOST}:{port + index}/metrics" for index, role in enumerate(PROCESSES)
        }

    def __enter__(self) -> Self:
        directory = self._cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix="riskstream-demo-", ignore_cleanup_errors=True)
        )
        self._directory = Path(directory)
        broker = EmbeddedBroker(data_dir=self._directory / "broker")
        try:
            self._cleanup.enter_context(broker)
            self._settings = load_settings(
                kafka={
                    "bootstrap_servers": broker.bootstrap_servers,
                    "partitions": self._partitions,
                    "replication_factor": 1,
                },
                http={"host": HOST, "port": free_ports(len(PROCESSES))},
            )
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._console, self._worker):
            if process is not None:
                process.stop(STOP_SECONDS)
        self._cleanup.close()

    def start_worker(self) -> None:
        """Start the worker; the topics must be there."""
        settings = self.settings
        own = {
            "RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
            "RISKSTREAM_KAFKA__PARTITIONS": str(settings.kafka.partitions),
            "RISKSTREAM_KAFKA__REPLICATION_FACTOR": "1",
            "RISKSTREAM_HTTP__HOST": HOST,
            "RISKSTREAM_HTTP__PORT": str(settings.http.port),
            "RISKSTREAM_LOG__FORMAT": "json",
        }
        self._worker = LeashedProcess(
            [sys.executable, "-m", "riskstream", "worker", "--role", "all", "--workers", "1"],
            log=self._directory / "worker.log",
            env={**os.environ, **own},
        )

    def start_console(self) -> str | None:
        """Start the Events page on a free port; its address, or None without its extra."""
        if find_spec("starlette") is None or find_spec("numpy") is None:
            return None
        port = free_ports(1)
        own = {
            "RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS": self.settings.kafka.bootstrap_servers,
            "RISKSTREAM_LOG__FORMAT": "json",
        }
        directory = str(self._directory / "console")
        self._console = LeashedProcess(
            [
                *(sys.executable, "-m", "riskstream", "console", "--port", str(port)),
                *("--directory", directory),
            ],
            log=self._directory / "console.log",
            env={**os.environ, **own},
        )
        return f"http://{HOST}:{port}/"

    def check_worker(self) -> None:
        """See that the worker runs.

        Raises:
            KafkaFaultError: It has ended; the text has its last log lines.
        """
        if self._worker is not None and (code := self._worker.poll()) is not None:
            raise KafkaFaultError(f"The worker ended with exit code {code}.\n{self.worker_log()}")

    def worker_log(self) -> str:
        """The worker's last log lines."""
        return "" if self._worker is None else f"Its log ends with:\n{self._worker.tail()}"

    async def ready(self) -> bool:
        """Whether every process of the worker has its partitions and consumes them."""
        for address in self.metrics_addresses.values():
            if await _get(address.replace("/metrics", "/health/ready")) is None:
                return False
        return True

    async def scrape(self) -> Counter[str] | None:
        """Sums of the worker's counters by name, over labels and processes.

        None while a process does not answer.
        """
        sums: Counter[str] = Counter()
        for address in self.metrics_addresses.values():
            text = await _get(address)
            if text is None:
                return None
            for name, value in SAMPLE.findall(text):
                sums[name] += int(float(value))
        return sums


async def _get(address: str) -> str | None:
    """Body of a 200; None for anything else."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(address) as answer,
        ):
            return await answer.text() if answer.ok else None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
