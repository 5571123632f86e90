"""The long form of the fault tests: ``python -m tests.chaos``, with progress and a verdict.

Ends with exit code 0 when every promise held, 1 when one did not or the workers got stuck. The
seed decides which process is hit, how and when, as far as processes and a broker can be decided.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Plan, Run, StuckError
from tests.chaos.scenarios import LONG, SHORT, Scenario
from tests.support.apache_kafka import ApacheKafka


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Faults on Apache Kafka, and a recount of everything afterwards.",
    )
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--workers", type=int, default=3, help="processes per role, 2 to 4")
    parser.add_argument("--kills", type=int, default=50, help="SIGKILLs of the scenario 'kills'")
    parser.add_argument("--rate", type=float, default=250.0, help="events a second")
    parser.add_argument("--short", action="store_true", help="the scenarios of make test-kafka")
    parser.add_argument("--rounds", type=int, default=1, help="how often all scenarios are run")
    parser.add_argument("--only", nargs="*", choices=[one.__name__ for one in LONG])
    parser.add_argument("--store", choices=("memory", "rocksdict", "mixed"), default="mixed")
    parser.add_argument("--at-least-once", action="store_true", help="only nothing lost counts")
    parser.add_argument("--work-dir", type=Path, help="for logs and the broker; else a new one")
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed,
        workers=given.workers,
        kills=given.kills,
        rate=given.rate,
        exactly_once=not given.at_least_once,
        on_disk={"memory": 0, "rocksdict": 1, "mixed": 2}[given.store],
    )
    scenarios = [
        one
        for one in (SHORT if given.short else LONG)
        if not given.only or one.__name__ in given.only
    ]
    work_dir = given.work_dir or Path(tempfile.mkdtemp(prefix="riskstream-chaos-"))
    say(f"seed {plan.seed}, {plan.workers} workers per role, logs in {work_dir}")
    with ApacheKafka(work_dir / "kafka") as broker, Run(broker, plan, work_dir, say) as run:
        return _run(run, scenarios * given.rounds)


def say(text: str) -> None:
    """Progress, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def _run(run: Run, scenarios: list[Scenario]) -> int:
    began = time.monotonic()
    try:
        for scenario in scenarios:
            run.phase(scenario)
        run.end()
    except StuckError as stuck:
        say(f"STUCK {stuck}")
        return 1
    say("In the workers' logs, numbers taken out:")
    for text, count in run.fleet.messages().most_common(30):
        say(f"{count:7} {text}")
    for (role, code), count in sorted(run.fleet.exits.items()):
        say(f"{count:7} {role} ended by itself with exit code {code}, and was started again")
    say(f"{run.verifier.reread:7} records were handed to the verifier twice by its client")
    say("checked: " + ", ".join(f"{n} {what}" for what, n in run.verifier.tally().items()))
    verdict = "WRONG" if run.findings else "every promise held"
    took = f"{run.fleet.kills} SIGKILLs of workers, {time.monotonic() - began:.0f} s"
    say(f"seed {run.plan.seed}: {took}: {verdict}")
    for text in run.findings:
        say(f"WRONG {text}")
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
