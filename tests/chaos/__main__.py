"""``python -m tests.chaos``: the long form, with a verdict and an exit code."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Plan, Run, StuckError
from tests.chaos.scenarios import LONG
from tests.support.apache_kafka import ApacheKafka


def main() -> int:
    """Run it; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--workers", type=int, default=3, help="processes per role")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rate", type=float, default=250.0, help="events a second")
    parser.add_argument("--work-dir", type=Path)
    parser.add_argument(
        "--only", nargs="*", choices=[one.__name__ for one in LONG], help="these scenarios alone"
    )
    given = parser.parse_args()
    plan = Plan(seed=given.seed, workers=given.workers, kills=given.kills, rate=given.rate)
    work_dir = given.work_dir or Path(tempfile.mkdtemp(prefix="riskstream-chaos-"))
    print(f"seed {plan.seed}, {plan.workers} workers per role, logs in {work_dir}", flush=True)
    with ApacheKafka(work_dir / "kafka") as broker:
        with Run(broker, plan, work_dir / "workers", lambda text: print(text, flush=True)) as run:
            try:
                for scenario in (
                    one for one in LONG if not given.only or one.__name__ in given.only
                ):
                    run.phase(scenario)
                run.end()
            except StuckError as stuck:
                print(f"STUCK {stuck}")
                return 1
            for text, count in run.fleet.messages().most_common(40):
                print(f"{count:6} {text}")
            print(dict(run.fleet.exits))
            return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
