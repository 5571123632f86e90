"""The contest: every contender on the same records, in turns, one at a time.

A turn: fresh topics; the contender's processes start and work off a warm-up; then they are
stopped (SIGSTOP) while the records are written, and continued. The clock runs from there, so it
counts neither start-up nor the writing of the input, and ends at the last committed output.
"""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from benchmarks.contenders.contender import Contender, Run
from benchmarks.kafka import Broker, send
from benchmarks.outputs import Counted, OutputWatch, count_outputs
from benchmarks.resources import descendants, signal_all, usage
from benchmarks.results import Turn
from benchmarks.workload import Workload
from riskstream.demo.leash import LeashedProcess

__all__ = [
    "FAULTS",
    "ContenderFaultError",
    "Course",
    "Team",
    "hold_contest",
    "run_turn",
    "running_team",
]

POLL_SECONDS: Final = 0.05
QUIET_SECONDS: Final = 1.5
"""Without a new output for so long, the outputs are counted."""
SETTLE_SECONDS: Final = 3.5
"""After the warm-up: the longest commit interval of a contender (Faust's 2.8 s) passes."""
START_SECONDS: Final = 180.0
TURN_SECONDS: Final = 900.0
STOP_SECONDS: Final = 30.0


class ContenderFaultError(RuntimeError):
    """A contender ended, stalled, or lost or repeated outputs."""


FAULTS: Final = (ContenderFaultError, KafkaException, TimeoutError, RuntimeError, OSError)
"""What may end a turn without ending the run."""


@dataclass(slots=True)
class Team:
    """The processes of a contender."""

    processes: list[LeashedProcess]

    def pids(self) -> set[int]:
        """All its processes now, without the guards that hold them."""
        return descendants(process.pid for process in self.processes)

    def check(self) -> None:
        """See that all of them run.

        Raises:
            ContenderFaultError: One has ended; the text has the end of its log.
        """
        for process in self.processes:
            if process.poll() is not None:
                raise ContenderFaultError(f"it ended:\n{process.tail(30)}")

    def tails(self) -> str:
        """The last lines of every log."""
        return "\n".join(process.tail(15) for process in self.processes)


@dataclass(frozen=True, slots=True)
class Course:
    """What a turn is run on."""

    broker: Broker
    workload: Workload
    partitions: int
    workers: int = 1
    """Worker processes per hop, for contenders that can have more."""


@contextmanager
def running_team(contender: Contender, run: Run) -> Iterator[Team]:
    """Start a contender's processes; all of them have ended afterwards."""
    team = Team([])
    pids: set[int] = set()
    try:
        for number, command in enumerate(contender.commands(run)):
            team.processes.append(
                LeashedProcess(
                    command.arguments,
                    log=run.directory / f"{contender.name}-{number}.log",
                    env=command.environment,
                    cwd=run.directory,
                )
            )
        yield team
    finally:
        pids = team.pids()
        signal_all(pids, signal.SIGCONT)
        for process in team.processes:
            process.terminate()
        for process in team.processes:
            process.stop(STOP_SECONDS)
        _wait_until_gone(pids)


def run_turn(contender: Contender, course: Course, number: int) -> Turn:
    """One turn, verified.

    Raises:
        ContenderFaultError: It did not do the work.
    """
    broker = course.broker
    with tempfile.TemporaryDirectory(prefix="riskstream-turn-") as directory:
        name = f"bench-{contender.name}-{number}-{time.monotonic_ns() // 1_000_000}"
        run = Run(
            broker.bootstrap_servers, name, course.partitions, Path(directory), course.workers
        )
        broker.fresh_topics(course.partitions, contender.extra_topics(run))
        with running_team(contender, run) as team:
            return _Clock(team, course).turn(contender.name, number)


class _Clock:
    """Measures one running team."""

    def __init__(self, team: Team, course: Course) -> None:
        self._team = team
        self._broker = course.broker
        self._workload = course.workload
        self._watch = OutputWatch(course.broker)

    def turn(self, name: str, number: int) -> Turn:
        warm = self._warm_up()
        team, broker = self._team, self._broker
        pids = team.pids()
        signal_all(pids, signal.SIGSTOP)
        send(broker, self._workload.records)
        base = self._watch.total()
        cpu, broker_cpu = usage(pids).cpu_seconds, broker.usage().cpu_seconds
        signal_all(pids, signal.SIGCONT)
        end = self._follow(time.monotonic(), base, self._workload.events + warm.outputs)
        return Turn(
            contender=name,
            round=number,
            events=self._workload.events,
            outputs=end.counted.outputs - warm.outputs,
            distinct=end.counted.distinct - warm.distinct,
            seconds=round(end.seconds, 3),
            first_output_seconds=round(end.first_seconds, 3),
            cpu_seconds=round(end.cpu - cpu, 3),
            broker_cpu_seconds=round(end.broker_cpu - broker_cpu, 3),
            peak_rss_bytes=end.peak_rss,
        )

    def _warm_up(self) -> Counted:
        send(self._broker, self._workload.warmup)
        wanted = self._workload.warmup_events
        deadline = time.monotonic() + START_SECONDS
        while (
            self._watch.total() < wanted or (found := count_outputs(self._broker)).outputs < wanted
        ):
            self._team.check()
            if time.monotonic() > deadline:
                raise ContenderFaultError(
                    f"no warm-up in {START_SECONDS:.0f} s\n{self._team.tails()}"
                )
            time.sleep(0.2)
        time.sleep(SETTLE_SECONDS)
        return found

    def _follow(self, started: float, base: int, wanted: int) -> "_End":
        last_total, last = base, _Sample(started, 0.0, 0.0, 0)
        first = 0.0
        deadline = started + TURN_SECONDS
        while True:
            time.sleep(POLL_SECONDS)
            now, total = time.monotonic(), self._watch.total()
            if total > last_total:
                last_total, last = total, self._sample(now)
                first = first or now - started
            elif now - last.at >= QUIET_SECONDS and last_total - base >= self._workload.events:
                counted = count_outputs(self._broker)
                if counted.outputs >= wanted:
                    seconds = last.at - started
                    return _End(seconds, first, last.cpu, last.broker_cpu, last.peak_rss, counted)
            self._team.check()
            if now > deadline:
                raise ContenderFaultError(
                    f"{last_total - base} of {self._workload.events} outputs "
                    f"in {TURN_SECONDS:.0f} s\n{self._team.tails()}"
                )

    def _sample(self, now: float) -> "_Sample":
        mine = usage(self._team.pids())
        return _Sample(now, mine.cpu_seconds, self._broker.usage().cpu_seconds, mine.peak_rss_bytes)


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    cpu: float
    broker_cpu: float
    peak_rss: int


@dataclass(frozen=True, slots=True)
class _End:
    seconds: float
    first_seconds: float
    cpu: float
    broker_cpu: float
    peak_rss: int
    counted: Counted


def _wait_until_gone(pids: set[int]) -> None:
    """Processes that a killed supervisor left behind end by themselves; then they are ended."""
    deadline = time.monotonic() + STOP_SECONDS
    while usage(pids).rss_bytes and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_all({pid for pid in pids if usage({pid}).rss_bytes}, signal.SIGKILL)


Progress = Callable[[str], None]
"""Told what happens, one line at a time."""


def hold_contest(
    contenders: Sequence[Contender], course: Course, rounds: int, tell: Progress
) -> Iterator[Turn | tuple[Contender, str]]:
    """Rounds of turns; a contender that fails is named with its reason and sits out the rest."""
    out: set[str] = set()
    for number in range(1, rounds + 1):
        for contender in contenders:
            if contender.name in out:
                continue
            tell(f"round {number}: {contender.title}")
            try:
                turn = run_turn(contender, course, number)
            except FAULTS as fault:
                out.add(contender.name)
                yield contender, str(fault)
            else:
                yield turn
