"""The riskstream command as a child process, watched from outside."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from riskstream.demo.broker import free_port
from riskstream.demo.leash import LeashedProcess

__all__ = ["Riskstream", "command_path", "environment", "run", "wait_for"]

T = TypeVar("T")

HOST = "127.0.0.1"
POLL_SECONDS = 0.05


def command_path() -> Path:
    """The command of the environment that runs the tests."""
    return Path(sys.executable).parent / "riskstream"


def wait_for(predicate: Callable[[], T], timeout: float, what: str) -> T:
    """Ask until the answer is true, and return it.

    Raises:
        TimeoutError: It was not within ``timeout`` seconds; the text says ``what``.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:.0f} s: {what}")
        time.sleep(POLL_SECONDS)


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without any setting of riskstream, and with the given ones.

    Names are as in the settings' documentation without the prefix: ``KAFKA__PARTITIONS``.
    """
    kept = {key: value for key, value in os.environ.items() if key[:11] != "RISKSTREAM_"}
    given = {f"RISKSTREAM_{key}": value for key, value in (settings or {}).items()}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **given}


def run(
    arguments: Sequence[str],
    *,
    settings: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    command: Path | None = None,
    timeout: float = 120.0,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end; the caller looks at its exit code, stdout and stderr."""
    return subprocess.run(
        [str(command or command_path()), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=timeout,
        env=environment(settings),
    )


class Riskstream:
    """A riskstream command that keeps running, such as ``worker``.

    Args:
        arguments: Subcommand and options.
        work_dir: Working directory; stdout and stderr go to ``output.log`` in it.
        settings: Environment settings, see ``environment``.
        command: Which installation; without it that of the tests' own environment.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        work_dir: Path,
        *,
        settings: Mapping[str, str] | None = None,
        command: Path | None = None,
    ) -> None:
        work_dir.mkdir(parents=True, exist_ok=True)
        self._command = [str(command or command_path()), *arguments]
        self._work_dir = work_dir
        self.http_port = int((settings or {}).get("HTTP__PORT") or free_port())
        self._settings = {**(settings or {}), "HTTP__PORT": str(self.http_port)}
        self._process: LeashedProcess | None = None

    @property
    def running(self) -> bool:
        """Whether the command has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """All that it printed, over restarts."""
        path = self._work_dir / "output.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def pids(self) -> set[int]:
        """Process ids of the workers that it started, as its log tells."""
        lines = [line for line in self.log.splitlines() if "process_started" in line]
        return {int(found[1]) for line in lines if (found := re.search(r'"pid": ?(\d+)', line))}

    def start(self) -> Self:
        """Start it, or start it again with the same settings."""
        self._process = LeashedProcess(
            self._command,
            log=self._work_dir / "output.log",
            env=environment(self._settings),
            cwd=self._work_dir,
        )
        return self

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM, and SIGKILL when it takes too long; the exit code."""
        return self._started().stop(timeout)

    def kill(self) -> int:
        """SIGKILL to it and its children."""
        return self._started().kill()

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for it to end by itself; the exit code."""
        return self._started().wait(timeout)

    def wait_until_ready(self, timeout: float = 60.0) -> Self:
        """Wait for ``/health/ready`` to say yes.

        Raises:
            RuntimeError: It ended instead; the text has its output.
        """

        def ready() -> bool:
            if not self.running:
                raise RuntimeError(f"riskstream ended:\n{self.log[-4000:]}")
            return self.health("ready") == 200

        wait_for(ready, timeout, "readiness of the worker")
        return self

    def health(self, probe: str, port: int | None = None) -> int | None:
        """HTTP status of ``/health/<probe>``; None while nothing answers."""
        try:
            with _open(port or self.http_port, f"/health/{probe}") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code
        except OSError:
            return None

    def metrics(
        self, port: int | None = None
    ) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample of ``/metrics`` by name and labels."""
        with _open(port or self.http_port, "/metrics") as answer:
            text = answer.read().decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def metric_sum(self, name: str, port: int | None = None, **labels: str) -> float:
        """Sum over all samples of a name whose labels include these."""
        return sum(
            value
            for (found, has), value in self.metrics(port).items()
            if found == name and has >= set(labels.items())
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()

    def _started(self) -> LeashedProcess:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process


def _open(port: int, path: str) -> HTTPResponse:
    address = f"http://{HOST}:{port}{path}"
    answer: HTTPResponse = urllib.request.urlopen(address, timeout=5.0)
    return answer
