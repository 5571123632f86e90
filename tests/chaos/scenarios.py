"""What is done to the workers and the broker. Each returns what it found wrong, if anything.

A scenario leaves everything running again; the run then waits until all is done, and checks.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from riskstream.demo.ports import free_ports
from tests.chaos.fleet import Slot, command_of
from tests.chaos.run import PARTITIONS, Run
from tests.support.processes import Riskstream, wait_for
from tests.support.seen import ALERTS, CLASSIFIED, FAILURES, LOCKOUTS, SCORED, USERS

__all__ = ["LONG", "SHORT", "Scenario", "calm"]

Scenario = Callable[[Run], list[str] | None]

ROLES = ("ingest", "assess")
CLOCKS = Path(__file__).parent / "clocks"
"""A ``sitecustomize`` whose ``time.time`` jumps about."""
ENDS = (0, 128 + signal.SIGTERM)
"""After SIGTERM: the second is Python's own, before the worker has begun."""
WRITES = {"ingest": {CLASSIFIED}, "assess": {*SCORED, ALERTS, FAILURES, LOCKOUTS, USERS}}
"""Topics that one role alone writes."""
TRIES = 200
"""To catch a transaction open; each lasts some milliseconds."""
TAKE_OVER_SECONDS = 40.0
NOTICE_SECONDS = 4.0
"""After SIGCONT a process believes for a moment that nothing has happened."""


def calm(run: Run) -> None:
    """Nothing: the workers start, and do what they are for."""
    time.sleep(6.0)


def kills(run: Run) -> None:
    """SIGKILL of random processes at random times; now and then two, or a whole role, at once."""
    done = 0
    while done < run.plan.kills:
        time.sleep(run.rng.uniform(0.3, 4.0))
        victims = {run.fleet.pick(run.rng).name}
        chance = run.rng.random()
        if chance < 0.2:
            victims.add(run.fleet.pick(run.rng).name)
        elif chance < 0.25:
            role = run.rng.choice(ROLES)
            victims |= {slot.name for slot in run.fleet.of(role)}
        run.fleet.kill(*(slot for slot in run.fleet.slots if slot.name in victims))
        done += len(victims)
        run.say(f"  killed {', '.join(sorted(victims))} ({done} of {run.plan.kills})")


def cut(run: Run) -> list[str]:
    """SIGKILL of everyone inside a transaction: what is committed, and no more, must be there."""
    findings: list[str] = []
    for role in ROLES:
        time.sleep(run.rng.uniform(2.0, 5.0))
        slots = [slot for slot in run.fleet.slots if slot.wanted]
        findings += _freeze_inside(run, role, slots)
        run.fleet.halt(*slots)
        findings += run.check_at_rest(complete=False)
        run.fleet.unpark(*slots)
        run.wait_until_ready()
    return findings


def zombies(run: Run) -> list[str]:
    """SIGSTOP for longer than the session, while others take over; then SIGCONT."""
    findings: list[str] = []
    for role in ROLES:
        zombie = run.fleet.pick(run.rng, role)
        run.fleet.freeze(zombie)
        others = [slot for slot in run.fleet.of(role) if slot is not zombie]
        findings += _taken_over(run, others, f"{zombie.name} is frozen")
        time.sleep(2.0)
        findings += _wakes(run, [zombie])
    return findings


def frozen_transaction(run: Run) -> list[str]:
    """SIGSTOP of a whole role inside a transaction, until Kafka has given the transaction up."""
    findings: list[str] = []
    for role in ROLES:
        slots = run.fleet.of(role)
        findings += _freeze_inside(run, role, slots)
        run.say(f"  {role} frozen inside a transaction")
        began = time.monotonic()
        left = run.verifier.open_transactions(run.plan.transaction_seconds + 20.0, WRITES[role])
        findings += [f"Kafka did not give up a transaction of {role}: {text}" for text in left]
        run.say(f"  given up after {time.monotonic() - began:.1f} s")
        time.sleep(max(run.plan.session_seconds + 2.0 - (time.monotonic() - began), 0.0))
        findings += _wakes(run, slots)
    return findings


def storm(run: Run) -> list[str]:
    """Members come and go faster than the groups can settle."""
    codes: list[int] = []
    for role in ROLES:
        if len(run.fleet.of(role)) < run.plan.workers + 1:
            run.fleet.add(role)
    for _ in range(6):
        slot = run.rng.choice(run.fleet.slots)
        time.sleep(run.rng.uniform(0.2, 2.5))
        codes += run.fleet.park(slot)
        time.sleep(run.rng.uniform(0.0, 1.5))
        run.fleet.unpark(slot)
    for role in ROLES:
        codes += run.fleet.park(run.fleet.of(role)[-1])
    return [f"exit code {code} after SIGTERM" for code in codes if code not in ENDS]


def broker_crash(run: Run) -> None:
    """SIGKILL of the broker under load, and a restart."""
    with run.patient_transactions():
        time.sleep(run.rng.uniform(1.0, 4.0))
        run.broker.kill()
        time.sleep(run.rng.uniform(1.0, 6.0))
        run.broker.start()
        time.sleep(3.0)


def broker_restart(run: Run) -> None:
    """A stop of the broker in good order, and a restart."""
    with run.patient_transactions():
        time.sleep(run.rng.uniform(1.0, 4.0))
        run.broker.stop()
        time.sleep(run.rng.uniform(0.0, 3.0))
        run.broker.start()
        time.sleep(3.0)


def broker_hangs(run: Run) -> None:
    """SIGSTOP of the broker for longer than session and transaction, then SIGCONT."""
    time.sleep(2.0)
    broker = command_of(run.broker_process())
    os.kill(broker, signal.SIGSTOP)
    try:
        time.sleep(max(run.plan.session_seconds, run.plan.transaction_seconds) + 4.0)
    finally:
        os.kill(broker, signal.SIGCONT)
    time.sleep(3.0)


def poison(run: Run) -> None:
    """Hostile bytes in every chunk, and kills among them."""
    run.feeder.workload.poison = True
    try:
        for _ in range(3):
            time.sleep(2.0)
            run.fleet.kill(run.fleet.pick(run.rng))
        time.sleep(2.0)
    finally:
        run.feeder.workload.poison = False


def jumping_clocks(run: Run) -> None:
    """One process of each role whose clock jumps by days, back and forth."""
    victims = [run.fleet.pick(run.rng, role) for role in ROLES]
    with _environment(run, victims, {"PYTHONPATH": _with_clocks()}):
        time.sleep(10.0)


def lost_state(run: Run) -> None:
    """The state directory is deleted while all who use it are dead, then one partition of it."""
    slots = run.fleet.of("assess")
    for what in ("*", "*/assess-0*"):
        time.sleep(run.rng.uniform(2.0, 4.0))
        run.fleet.halt(*slots)
        for path in run.fleet.state_dir.glob(what):
            shutil.rmtree(path)
        run.fleet.unpark(*slots)
        wait_for(lambda: all(run.fleet.ready(slot) for slot in slots), 60.0, "all have state again")


def supervised(run: Run) -> list[str]:
    """``worker --workers 2`` alone, a broker that crashes and a process that dies; no operator."""
    members = [slot for slot in run.fleet.slots if slot.wanted]
    run.fleet.park(*members)
    settings = {
        **run.settings,
        "KAFKA__TRANSACTION_TIMEOUT_SECONDS": str(run.plan.patient_seconds),
        "HTTP__PORT": str(free_ports(4)),
    }
    worker = Riskstream(
        ["worker", "--workers", "2"], run.work_dir / "supervised", settings=settings
    )
    with worker:
        wait_for(lambda: worker.log.count("partitions_assigned") >= 4, 60.0, "workers at work")
        run.broker.kill()
        time.sleep(3.0)
        run.broker.start()
        time.sleep(2.0)
        run.feeder.pause()
        run.settle("supervised")
        if not worker.running:
            return [f"the supervisor gave up:\n{worker.log[-2000:]}"]
        code = worker.stop(40.0)
    run.fleet.unpark(*members)
    return [f"the supervisor ended with exit code {code}:\n{worker.log[-1500:]}"] if code else []


SHORT: tuple[Scenario, ...] = (
    calm,
    kills,
    cut,
    zombies,
    frozen_transaction,
    poison,
    storm,
    broker_crash,
    broker_hangs,
    lost_state,
)
LONG: tuple[Scenario, ...] = (*SHORT, broker_restart, jumping_clocks, supervised)


def _freeze_inside(run: Run, role: str, slots: list[Slot]) -> list[str]:
    """Stop these processes at a moment when the role has a transaction open."""
    for _ in range(TRIES):
        time.sleep(run.rng.uniform(0.02, 0.2))
        run.fleet.freeze(*slots)
        if run.verifier.open_transactions(0, WRITES[role]):
            return []
        run.fleet.thaw(*slots)
    return [f"{role} was never caught inside a transaction"]


def _taken_over(run: Run, others: list[Slot], why: str) -> list[str]:
    """The other members of the role must hold all partitions before long."""

    def held() -> bool:
        return sum(run.fleet.partitions(slot) for slot in others) == PARTITIONS

    try:
        wait_for(held, TAKE_OVER_SECONDS, "the others take over")
    except TimeoutError:
        counts = {slot.name: run.fleet.partitions(slot) for slot in others}
        return [f"{why}, and the others hold {counts} after {TAKE_OVER_SECONDS:.0f} s"]
    return []


def _wakes(run: Run, slots: list[Slot]) -> list[str]:
    """Let them go on; each must be at work again before long, as it was or as a new process."""
    before = {slot.name: slot.pid for slot in slots}
    run.fleet.thaw(*slots)
    began = time.monotonic()
    time.sleep(NOTICE_SECONDS)
    try:
        wait_for(
            lambda: all(run.fleet.ready(slot) for slot in slots), TAKE_OVER_SECONDS, "awake again"
        )
    except TimeoutError:
        late = [slot.name for slot in slots if not run.fleet.ready(slot)]
        return [f"{late} not ready {TAKE_OVER_SECONDS:.0f} s after SIGCONT"]
    for slot in slots:
        became = "went on" if slot.pid == before[slot.name] else "ended and was started again"
        run.say(f"  {slot.name} {became}, ready after {time.monotonic() - began:.1f} s")
    return []


@contextmanager
def _environment(run: Run, slots: list[Slot], extra: dict[str, str]) -> Iterator[None]:
    """Start these again with more in their environment, and without it afterwards."""
    for values in (extra, None):
        run.fleet.park(*slots)
        for slot in slots:
            slot.extra = values or {}
        run.fleet.unpark(*slots)
        if values is not None:
            yield


def _with_clocks() -> str:
    return os.pathsep.join(filter(None, (str(CLOCKS), os.environ.get("PYTHONPATH"))))
