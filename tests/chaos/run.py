"""One chaos run: a broker, a fleet of workers, a feeder, a verifier, and what was found."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import riskstream
from riskstream.demo.leash import LeashedProcess
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.workload import Workload
from tests.support.kafka import Broker
from tests.support.processes import environment, wait_for
from tests.support.recount import Kinds
from tests.support.verifier import Verifier

__all__ = ["Plan", "Run", "StuckError"]

PACKAGE = Path(riskstream.__file__).parent
CATALOG, POLICY = PACKAGE / "catalog" / "event_types.tsv", PACKAGE / "risk" / "policy.toml"
APP_ID = "chaos"
PARTITIONS = 4
SETTLE_SECONDS = 120.0
"""Within this the workers must have done everything, whatever was done to them before."""
STABLE_SECONDS = 30.0


class StuckError(Exception):
    """The workers make no progress, though nothing is done to them any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of."""

    seed: int = 1
    workers: int = 3
    kills: int = 50
    rate: float = 250.0
    """Events a second."""
    planned_events: int = 60_000
    session_seconds: float = 6.0
    transaction_seconds: float = 8.0
    patient_seconds: float = 60.0
    """The same while the broker is restarted; see ``Run.patient_transactions``."""
    on_disk: int = 2
    """Every so many members one keeps its state on disk; 0 for none, 1 for all."""
    exactly_once: bool = True
    idempotent: bool = True
    """Whether the broker knows its producers again after a crash."""


@dataclass(slots=True)
class Phase:
    """What one scenario did."""

    name: str
    seconds: float
    settled_seconds: float
    events: int
    findings: list[str] = field(default_factory=list)


class Run:
    """Everything that a scenario may use. Leaving the block ends all processes but the broker.

    Args:
        broker: Started, without our topics.
        plan: Sizes and seed.
        work_dir: For logs.
        say: Gets one line of progress at a time.
    """

    def __init__(
        self, broker: Broker, plan: Plan, work_dir: Path, say: Callable[[str], None]
    ) -> None:
        self.broker, self.plan, self.work_dir = broker, plan, work_dir
        self.rng = random.Random(plan.seed)
        self.say = say
        self.phases: list[Phase] = []
        self.settings = {
            "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "KAFKA__SESSION_TIMEOUT_SECONDS": str(plan.session_seconds),
            "KAFKA__TRANSACTION_TIMEOUT_SECONDS": str(plan.transaction_seconds),
            "WORKER__APP_ID": APP_ID,
            "WORKER__PROCESSING_GUARANTEE": (
                "exactly_once" if plan.exactly_once else "at_least_once"
            ),
            "LOG__FORMAT": "json",
        }
        self._cleanup = ExitStack()
        type_ids = sorted(Kinds.read(CATALOG, POLICY).rows)
        workload = Workload(plan.seed, type_ids, plan.planned_events)
        self.feeder = Feeder(
            broker.bootstrap_servers,
            workload,
            rate=plan.rate,
            seed=plan.seed,
            idempotent=plan.idempotent,
        )
        self.fleet = Fleet(work_dir / "workers", self.settings, plan.workers, plan.on_disk)

    def __enter__(self) -> Self:
        self._riskstream("topics", "create", "--partitions", str(PARTITIONS))
        self.verifier = self._cleanup.enter_context(
            Verifier(
                self.broker.bootstrap_servers,
                CATALOG,
                POLICY,
                APP_ID,
                exactly_once=self.plan.exactly_once,
            )
        )
        self._cleanup.enter_context(self.fleet)
        self._cleanup.enter_context(self.feeder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    @property
    def findings(self) -> list[str]:
        """What is wrong, over all phases."""
        return [f"{phase.name}: {text}" for phase in self.phases for text in phase.findings]

    @contextmanager
    def patient_transactions(self) -> Iterator[None]:
        """Workers whose transactions outlive a restart of the broker.

        Kafka 4.3 (KAFKA-20734) forgets the markers of a transaction that it gives up while it
        comes up, since its partitions have no leader for a moment: the next transaction of that
        producer then commits what should have been aborted. One that has not timed out by then
        is ended by the worker that opens it anew, and that comes late enough.
        """
        name = "KAFKA__TRANSACTION_TIMEOUT_SECONDS"
        self.fleet.change(**{name: str(self.plan.patient_seconds)})
        self.wait_until_ready()
        yield
        self.feeder.pause()
        self.settle("before impatient transactions")
        self.fleet.change(**{name: str(self.plan.transaction_seconds)})

    def broker_process(self) -> LeashedProcess:
        """The broker's process, to be stopped and continued."""
        process: LeashedProcess = self.broker._process  # type: ignore[attr-defined]
        return process

    def phase(self, scenario: Callable[["Run"], list[str] | None]) -> None:
        """Feed while the scenario does its worst, then let everything settle, and check it.

        Raises:
            StuckError: The workers do not come to an end. The text has all there is to know.
        """
        name = scenario.__name__
        self.say(f"{name}: {(scenario.__doc__ or '').splitlines()[0]}")
        began, before = time.monotonic(), self.feeder.events
        self.feeder.resume()
        own = scenario(self) or []
        self.feeder.pause()
        faulted = time.monotonic()
        self.settle(name)
        settled = time.monotonic()
        phase = Phase(name, faulted - began, settled - faulted, self.feeder.events - before)
        phase.findings = own + self.verifier.check()
        self.phases.append(phase)
        self.say(
            f"{name}: {phase.events} events in {phase.seconds:.0f} s, all done "
            f"{phase.settled_seconds:.1f} s later, findings: {len(phase.findings)}"
        )
        for text in phase.findings:
            self.say(f"  WRONG {text}")

    def settle(self, name: str, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until every event has its outcome and every effect is folded."""
        deadline = time.monotonic() + timeout
        while True:
            self.verifier.catch_up()
            progress = self.verifier.progress()
            if progress.complete:
                break
            if time.monotonic() > deadline:
                raise StuckError(f"{name}: {progress} after {timeout:.0f} s\n{self.state()}")
            time.sleep(0.2)
        # A repetition would come right behind, so look once more.
        time.sleep(1.0)
        self.verifier.catch_up()

    def end(self) -> None:
        """Stop the workers in good order; the last check is on topics that nobody writes."""
        self.wait_until_ready()
        began = time.monotonic()
        codes = self.fleet.park(*(slot for slot in self.fleet.slots if slot.wanted))
        stopped = time.monotonic()
        findings = [f"exit codes {codes} at the end"] if any(codes) else []
        findings += self.check_at_rest()
        self.phases.append(Phase("end", stopped - began, time.monotonic() - stopped, 0, findings))
        self.say(f"end: workers stopped in {stopped - began:.1f} s, findings: {len(findings)}")
        for text in findings:
            self.say(f"  WRONG {text}")

    def wait_until_ready(self) -> None:
        """Wait until every process that shall run says that it is at work."""
        wait_for(
            lambda: all(self.fleet.ready(slot) for slot in self.fleet.slots if slot.wanted),
            SETTLE_SECONDS,
            "all workers ready",
        )

    def check_at_rest(self, *, complete: bool = True) -> list[str]:
        """With no worker alive: no transaction may be open, and what is committed adds up."""
        opened = self.verifier.open_transactions(self.plan.transaction_seconds + STABLE_SECONDS)
        self.verifier.catch_up()
        found = [f"transaction left open: {text}" for text in opened]
        return found + self.verifier.check(complete=complete)

    def state(self) -> str:
        """What the processes are at, for a report of a failure."""
        lines = [f"committed: raw {self.verifier.committed('iam.events.raw.v1')}"]
        lines[0] += f", classified {self.verifier.committed('iam.events.classified.v1')}"
        lines += [f"open: {text}" for text in self.verifier.open_transactions(0)]
        for slot in self.fleet.slots:
            lines.append(f"--- {slot.name}, pid {slot.pid}, started {slot.starts} times")
            if slot.log.exists():
                tail = slot.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
                lines += [line[:600] for line in tail]
        return "\n".join(lines)

    def _riskstream(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "riskstream", *arguments],
            env=environment(self.settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise RuntimeError(f"riskstream {' '.join(arguments)}:\n{done.stderr}")
