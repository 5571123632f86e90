"""Runs what the command line asks for, one thing at a time, and keeps the results in one file."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders.contender import ROOT, Contender
from benchmarks.contenders.quix import quix_python
from benchmarks.contenders.registry import CONTENDERS
from benchmarks.contest import FAULTS, Course, hold_contest, run_turn
from benchmarks.kafka import Broker, running_broker
from benchmarks.machine import this_machine
from benchmarks.measures import growth, latency, memory, recovery, scaling, sizes
from benchmarks.options import CONTEST, EVERYTHING, PUBLISH, Options, parse
from benchmarks.publish import publish
from benchmarks.results import Results, load_results, save_results
from benchmarks.tables import summary
from benchmarks.versions import versions
from benchmarks.workload import make_workload

__all__ = ["main"]

JARS: Final = ROOT / ".kafka" / "libs"
BROKER_WARMUP_EVENTS: Final = 10_000
FAILED: Final = 1

Measure = Callable[[Broker, Options, Callable[[str], None]], list[dict[str, Any]]]
MEASURES: Final[dict[str, Measure]] = {
    "latency": latency.measure,
    "recovery": recovery.measure,
    "memory": memory.measure,
    "scaling": scaling.measure,
    "growth": growth.measure,
    "sizes": sizes.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code: 0, or 1 when a contender failed or did not do each event once."""
    options = parse(arguments, tuple(CONTENDERS))
    results = _open(options.output)
    everyone = list(CONTENDERS.values())
    if options.command != PUBLISH:
        with running_broker(options.broker) as broker:
            if options.command in {CONTEST, EVERYTHING}:
                _contest(broker, options, results)
            for name in MEASURES if options.command == EVERYTHING else (options.command,):
                if name in MEASURES:
                    _measure(name, broker, options, results)
        print(summary(results, everyone))
        tell(f"results: {options.output}")
    if options.publish or options.command == PUBLISH:
        publish(results, everyone)
    incomplete = any(not turn.complete for turn in results.turns)
    return FAILED if results.failed or incomplete else 0


def tell(line: str) -> None:
    """Progress goes to stderr, results to stdout."""
    print(line, file=sys.stderr, flush=True)


def _measure(name: str, broker: Broker, options: Options, results: Results) -> None:
    """One further measurement; a fault in it is told and leaves the others alone."""
    tell(f"measuring {name}")
    results.failed.pop(name, None)
    try:
        results.measures[name] = MEASURES[name](broker, options, tell)
    except FAULTS as fault:
        results.failed[name] = str(fault)
        tell(f"  failed: {fault}")
    save_results(results, options.output)


def _contest(broker: Broker, options: Options, results: Results) -> None:
    """All turns of all rounds. Results are kept from turn to turn."""
    results.turns, results.failed, results.unavailable = [], {}, {}
    results.settings = {
        "broker": "Apache Kafka" if options.broker == "kafka" else "embedded",
        "rounds": options.rounds,
        "events": options.events,
        "users": options.users,
        "partitions": options.partitions,
        "seed": options.seed,
    }
    there = _present(options, results)
    workload = make_workload(options.events, seed=options.seed, users=options.users)
    results.settings["bytes per event"] = round(workload.bytes_per_event)
    _warm_broker(broker, there, options)
    course = Course(broker, workload, options.partitions)
    outcomes = hold_contest(there, course, options.rounds, tell)
    for outcome in outcomes:
        if isinstance(outcome, tuple):
            contender, fault = outcome
            results.failed[contender.name] = fault
            tell(f"  {contender.title} failed: {fault}")
        else:
            results.turns.append(outcome)
            tell(
                f"  {outcome.rate:,.0f} events/s, {outcome.cpu_seconds / outcome.events * 1e6:.0f} "
                f"µs of CPU per event{'' if outcome.complete else ', NOT each event once'}"
            )
        save_results(results, options.output)


def _present(options: Options, results: Results) -> list[Contender]:
    there = []
    for contender in CONTENDERS.values():
        if options.only and contender.name not in options.only:
            continue
        reason = contender.unavailable()
        if reason is None:
            there.append(contender)
        else:
            results.unavailable[contender.name] = reason
            tell(f"{contender.title} takes no part: {reason}")
    return there


def _warm_broker(broker: Broker, there: Sequence[Contender], options: Options) -> None:
    """A turn whose figures are thrown away, so that nobody's first turn pays for a cold JVM."""
    if not there:
        return
    tell("warming the broker up")
    workload = make_workload(
        min(options.events, BROKER_WARMUP_EVENTS), seed=options.seed + 1, users=options.users
    )
    with contextlib.suppress(*FAULTS):
        run_turn(there[0], Course(broker, workload, options.partitions), 0)


def _open(path: Path) -> Results:
    """Earlier results, whose other measurements stay; the machine and versions are today's."""
    machine, found = this_machine(), versions(JARS, quix_python())
    fresh = Results(machine=machine._asdict(), settings={}, versions=found)
    if not path.exists():
        return fresh
    return replace(load_results(path), machine=fresh.machine, versions=fresh.versions)
