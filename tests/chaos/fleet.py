"""Worker processes that may be killed, stopped and continued, and that come back by themselves."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from riskstream.demo.leash import LeashedProcess
from riskstream.demo.ports import free_ports
from tests.support.processes import environment

__all__ = ["Fleet", "Slot", "command_of"]

POLL_SECONDS = 0.1
ROLES = ("ingest", "assess")
_TELLING = ("fenced", "fetch_discarded", "assignment_superseded", "parent_gone")
"""Words of messages that are no warnings, and yet worth counting."""


@dataclass(slots=True)
class Slot:
    """One member of a consumer group: the process may change, name and port stay."""

    role: str
    number: int
    port: int
    log: Path
    process: LeashedProcess | None = None
    pid: int = 0
    wanted: bool = True
    """Whether it is started again when it ends."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Environment of this one alone."""
    starts: int = 0

    @property
    def name(self) -> str:
        """``ingest-0``."""
        return f"{self.role}-{self.number}"

    @property
    def running(self) -> bool:
        """Whether its process lives, stopped or not."""
        return self.process is not None and self.process.poll() is None


class Fleet:
    """Keeps the wanted processes running, as a service manager would: at once, without a pause.

    Args:
        work_dir: For logs, one per member.
        settings: Environment settings, see ``tests.support.processes.environment``.
        workers: Members per role.
        on_disk: Every so many members one keeps its state on disk; 0 for none, 1 for all.
    """

    def __init__(
        self, work_dir: Path, settings: Mapping[str, str], workers: int, on_disk: int
    ) -> None:
        self._settings = dict(settings)
        self._on_disk = on_disk
        self.state_dir = work_dir / "state"
        """Of the members with their state on disk."""
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._work_dir = work_dir
        work_dir.mkdir(parents=True, exist_ok=True)
        first = free_ports(2 * (workers + 2))
        self._ports = iter(range(first, first + 2 * (workers + 2)))
        self.slots = [self._slot(role, number) for number in range(workers) for role in ROLES]
        self.exits: Counter[tuple[str, int]] = Counter()
        """Role and exit code of processes that ended and were not killed by us."""
        self.kills = 0
        """SIGKILLs sent."""
        self._expected: set[int] = set()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def _slot(self, role: str, number: int) -> Slot:
        return Slot(role, number, next(self._ports), self._work_dir / f"{role}-{number}.log")

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._keeper.join()
        for slot in self.slots:
            if slot.process is not None:
                slot.process.kill()

    def _keep(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            with self._lock:
                for slot in self.slots:
                    self._look_after(slot)

    def _look_after(self, slot: Slot) -> None:
        if slot.process is not None:
            code = slot.process.poll()
            if code is None:
                return
            if slot.pid not in self._expected:
                self.exits[slot.role, code] += 1
            slot.process, slot.pid = None, 0
        if slot.wanted and not self._over.is_set():
            self._start(slot)

    def _start(self, slot: Slot) -> None:
        command = [sys.executable, "-m", "riskstream", "worker", "--role", slot.role]
        command += ["--member", f"chaos-{slot.name}", "--http-port", str(slot.port)]
        settings = dict(self._settings)
        if self._on_disk and slot.number % self._on_disk == 0:
            settings |= {"STATE__STORE": "rocksdict", "STATE__DIRECTORY": str(self.state_dir)}
        env = {**environment(settings), **slot.extra}
        slot.process = LeashedProcess(command, log=slot.log, env=env, cwd=self._work_dir)
        slot.pid = command_of(slot.process)
        slot.starts += 1

    # Faults

    def pick(self, rng: random.Random, role: str | None = None) -> Slot:
        """Any member that runs."""
        while True:
            with self._lock:
                running = [
                    slot for slot in self.slots if slot.running and role in {None, slot.role}
                ]
            if running:
                return rng.choice(running)
            time.sleep(POLL_SECONDS)

    def of(self, role: str) -> list[Slot]:
        """The members of one role."""
        return [slot for slot in self.slots if slot.role == role]

    def kill(self, *slots: Slot) -> None:
        """SIGKILL, all at once."""
        with self._lock:
            for slot in slots:
                if slot.running:
                    self._expected.add(slot.pid)
                    self.kills += 1
                    os.kill(slot.pid, signal.SIGKILL)

    def freeze(self, *slots: Slot) -> None:
        """SIGSTOP."""
        with self._lock:
            for slot in slots:
                if slot.running:
                    os.kill(slot.pid, signal.SIGSTOP)

    def thaw(self, *slots: Slot) -> None:
        """SIGCONT."""
        with self._lock:
            for slot in slots:
                if slot.running:
                    os.kill(slot.pid, signal.SIGCONT)

    def park(self, *slots: Slot, timeout: float = 40.0) -> list[int]:
        """SIGTERM, and wait: they end and stay away. Exit codes of those that ran."""
        with self._lock:
            for slot in slots:
                slot.wanted = False
            self._expected |= {slot.pid for slot in slots}
            leaving = [slot.process for slot in slots if slot.process is not None]
            for process in leaving:
                process.terminate()
        deadline = time.monotonic() + timeout
        codes = []
        for process in leaving:
            try:
                codes.append(process.wait(max(deadline - time.monotonic(), 0.0)))
            except subprocess.TimeoutExpired:
                codes.append(process.kill())
        return codes

    def halt(self, *slots: Slot) -> None:
        """SIGKILL at once to these, or to everyone, and nobody comes back."""
        with self._lock:
            for slot in slots or self.slots:
                slot.wanted = False
            self.kill(*(slots or self.slots))
        while any(slot.running for slot in slots or self.slots):
            time.sleep(POLL_SECONDS)

    def unpark(self, *slots: Slot) -> None:
        """They are started again."""
        with self._lock:
            for slot in slots:
                slot.wanted = True

    def change(self, **settings: str) -> None:
        """Other settings for everyone; all are stopped in good order and started again."""
        self._settings |= settings
        running = [slot for slot in self.slots if slot.wanted]
        self.park(*running)
        self.unpark(*running)

    def add(self, role: str) -> Slot:
        """One more member."""
        with self._lock:
            slot = self._slot(role, len(self.of(role)))
            self.slots.append(slot)
        return slot

    # Findings

    def ready(self, slot: Slot) -> bool:
        """Whether it says that it is at work."""
        return slot.running and self._health(slot).get("ready") is True

    def partitions(self, slot: Slot) -> int:
        """How many partitions it says it holds; 0 while it is not ready."""
        health = self._health(slot)
        return len(health["partitions"]) if health.get("ready") is True else 0

    @staticmethod
    def _health(slot: Slot) -> dict[str, Any]:
        address = f"http://127.0.0.1:{slot.port}/health/ready"
        try:
            with urllib.request.urlopen(address, timeout=2.0) as answer:
                told: dict[str, Any] = json.loads(answer.read())
        except (OSError, ValueError):
            return {}  # not there, stopped, or not ready
        return told

    def messages(self) -> Counter[str]:
        """How often each warning and error stands in the logs, numbers taken out."""
        found: Counter[str] = Counter()
        for slot in self.slots:
            if not slot.log.exists():
                continue
            for line in slot.log.read_text(encoding="utf-8", errors="replace").splitlines():
                if line[:1] != "{":
                    found[f"{slot.role}: {re.sub(r'[0-9]+', 'N', line)[:200]}"] += 1
                    continue
                if '"level": "info"' in line and not any(word in line for word in _TELLING):
                    continue
                event = re.search(r'"message": ?"((?:[^"\\]|\\.)*)"', line)
                error = re.search(r'"(?:error|fault|exception)": ?"((?:[^"\\]|\\.)*)"', line)
                text = " ".join(part.group(1) for part in (event, error) if part)
                found[f"{slot.role}: {re.sub(r'[0-9]+', 'N', text)[:300]}"] += 1
        return found


def command_of(leashed: LeashedProcess, timeout: float = 5.0) -> int:
    """Process id of the command under the leash's guard. Needs Linux's ``/proc``.

    Raises:
        TimeoutError: The guard has started nothing.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parts = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if int(parts[1]) == leashed.pid:
                return int(entry.parent.name)
        time.sleep(0.01)
    raise TimeoutError("the guard has started nothing")
