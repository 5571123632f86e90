"""Several worker processes on one machine: start them, start again what dies, stop all."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import BinaryIO

from structlog import get_logger

from riskstream.config import Settings
from riskstream.errors import ConfigError, KafkaFaultError

__all__ = ["ProcessPlan", "plan_processes", "supervise"]

POLL_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 60.0
"""A process that has run this long has its pause before a restart forgotten."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process to keep running."""

    role: str
    member: str
    port: int
    bootstrap_servers: str
    health_port: int | None = None
    """Of ``/health``, where it has a port of its own."""

    @property
    def environment(self) -> dict[str, str]:
        """What the child must know beyond our own environment."""
        known = {"RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers}
        if self.health_port is not None:
            known["RISKSTREAM_HTTP__HEALTH_PORT"] = str(self.health_port)
        return known

    def command(self, restarts: int = 0, failures: int | None = None) -> list[str]:
        """The command line of the child.

        Args:
            restarts: How often it was started again, for its metrics.
            failures: Descriptor of the file in which it notes units that failed, see
                ``Metrics.carry_failures``.
        """
        return [
            *(sys.executable, "-m", "riskstream", "worker", "--role", self.role),
            *("--member", self.member, "--http-port", str(self.port)),
            *("--restarts", str(restarts)),
            *(() if failures is None else ("--failures", str(failures))),
        ]


def plan_processes(settings: Settings, roles: tuple[str, ...], workers: int) -> list[ProcessPlan]:
    """One process per role and worker; ports count up from ``http.port``, in this order."""
    plans: list[ProcessPlan] = []
    for number in range(workers):
        for role in roles:
            port = settings.http.port + len(plans) if settings.http.port else 0
            member = f"{settings.worker.app_id}-{role}-{settings.worker.name}-{number}"
            first = settings.http.health_port
            health_port = first + len(plans) if first else first
            plans.append(
                ProcessPlan(role, member, port, settings.kafka.bootstrap_servers, health_port)
            )
    return plans


@dataclass(slots=True)
class _Child:
    plan: ProcessPlan
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = field(default=0.0)
    starts: int = 0
    failures: BinaryIO | None = None
    """Outlives its processes, each of which ends with the unit of work that failed."""
    proven: bool = False
    """A process of this plan has run before, so its configuration was right."""

    def start(self) -> None:
        # The children of an interrupted terminal get the signal from us alone, in order.
        if self.failures is None:
            self.failures = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        file = self.failures.fileno()
        self.process = subprocess.Popen(  # noqa: S603  (our own command)
            self.plan.command(self.starts, file),
            env={**os.environ, **self.plan.environment},
            start_new_session=True,
            pass_fds=(file,),
        )
        self.starts += 1
        self.started = time.monotonic()
        log.info("process_started", **_who(self))

    def close(self) -> None:
        """Let go of what outlived the processes."""
        if self.failures is not None:
            self.failures.close()


def supervise(plans: list[ProcessPlan], settings: Settings) -> None:
    """Keep the processes running until SIGTERM or SIGINT.

    Raises:
        ConfigError: A process found a fault in the configuration at its first start, so that no
            restart helps. One that has run before is tried again beside the others.
        KafkaFaultError: A process did not end within the shutdown timeout and was killed.
    """
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    children = [_Child(plan) for plan in plans]
    try:
        while not stopping:
            for child in children:
                _look_after(child)
            time.sleep(POLL_SECONDS)
    finally:
        _stop_all(children, settings.worker.shutdown_timeout_seconds)
        for child in children:
            child.close()


def _look_after(child: _Child) -> None:
    now = time.monotonic()
    if child.process is None:
        if now >= child.due:
            child.start()
        return
    code = child.process.poll()
    if code is None:
        return
    child.process = None
    if code != ConfigError.exit_code:
        child.proven = True
    elif not child.proven:
        raise ConfigError(f"{child.plan.member} says that the configuration is wrong; see above.")
    if now - child.started >= STEADY_SECONDS:
        child.pause = FIRST_PAUSE_SECONDS
    child.due = now + child.pause
    log.warning("process_died", code=code, restart_in_seconds=child.pause, **_who(child))
    child.pause = min(child.pause * 2, LONGEST_PAUSE_SECONDS)


def _stop_all(children: list[_Child], timeout: float) -> None:
    running = [child for child in children if child.process and child.process.poll() is None]
    for child in running:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + timeout + 10.0
    late = []
    for child in running:
        process = child.process
        if process is None:
            continue
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            process.wait()
            late.append(child.plan.member)
    if late:
        raise KafkaFaultError(
            f"{', '.join(late)} did not stop within {timeout:.0f} s and was killed. Kafka aborts "
            "the open transaction; nothing is lost."
        )


def _signal(child: _Child, number: signal.Signals) -> None:
    if child.process is not None:
        try:
            os.kill(child.process.pid, number)
        except ProcessLookupError:
            return


def _who(child: _Child) -> dict[str, object]:
    pid = child.process.pid if child.process else None
    return {
        "role": child.plan.role,
        "member": child.plan.member,
        "pid": pid,
        "port": child.plan.port,
    }
