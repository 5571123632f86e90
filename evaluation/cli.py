"""``python -m evaluation``: judge the score, fit its weights, or try the public data set."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evaluation.fit.rows import Rows, collect, joined
from evaluation.fit.search import fit, rewritten
from evaluation.life.storms import StormKind
from evaluation.measure.observe import Observations, observe
from evaluation.measure.pool import RESAMPLES
from evaluation.measure.recall import RATES
from evaluation.measure.storms import storm_scenes
from evaluation.rba import RbaFileError, check_published, read_logins, takeovers
from evaluation.report.figures import Figures, figures_of
from evaluation.report.publish import publish, text
from evaluation.stream import Scene
from riskstream.errors import RiskstreamError
from riskstream.risk.loader import SHIPPED, load_policy
from riskstream.risk.policy import Policy

__all__ = ["FITTING_SEEDS", "JUDGING_SEEDS", "Size", "evaluate", "main"]

FITTING_SEEDS: Final = (1, 2)
FITTING_PEOPLE: Final = 100
FITTING_DAYS: Final = 220
FITTING_LEARNING_DAYS: Final = 45
JUDGING_SEEDS: Final = (101, 102, 103, 104)
"""Not one of them has been used for fitting."""
LEFT_OUT_SEEDS: Final = 1
"""On so many seeds the score is also computed with each signal left out, which costs time."""
DONE: Final = 0
WRONG_USE: Final = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    seeds: tuple[int, ...] = JUDGING_SEEDS
    storm_seeds: tuple[int, ...] = JUDGING_SEEDS[:2]
    people: int = 160
    days: int = 365
    learning_days: int = 60
    storm_learning_days: int = 42
    """Whole weeks, so that a storm begins on a Monday."""
    resamples: int = RESAMPLES


SHORT: Final = Size(
    seeds=(101,),
    storm_seeds=(101,),
    people=40,
    days=75,
    learning_days=30,
    storm_learning_days=21,
    resamples=20,
)


def evaluate(size: Size, policy: Policy, jobs: int, console: Console) -> Figures:
    """Run every scene before all contenders, in as many processes as jobs.

    Args:
        size: Of the simulations.
        policy: Ours.
        jobs: Processes.
        console: For progress.
    """
    years = [Scene(seed, size.people, size.days, size.learning_days) for seed in size.seeds]
    weeks = [
        (kind, scene)
        for seed in size.storm_seeds
        for kind, scene in storm_scenes(seed, size.people, size.storm_learning_days).items()
    ]
    found: dict[Scene, Observations] = {}
    with _processes(jobs) as run, _progress(console) as progress:
        task = progress.add_task("simulating", total=len(years) + len(weeks))
        waiting: dict[Future[Observations], Scene] = {
            run.submit(observe, scene, policy, leave_out=number < LEFT_OUT_SEEDS): scene
            for number, scene in enumerate(years)
        }
        waiting |= {run.submit(observe, scene, policy): scene for _, scene in weeks}
        for future in as_completed(waiting):
            found[waiting[future]] = future.result()
            progress.advance(task)
    console.print("counting")
    storms = {kind: [found[scene] for each, scene in weeks if each is kind] for kind in StormKind}
    return figures_of([found[scene] for scene in years], storms, policy.version, size.resamples)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code: 0, or 2 for wrong usage, a faulty policy or file."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        if options.command == "rba":
            return _rba(options.file, options.rows, console)
        if options.command == "fit":
            return _fit(options, console)
        return _report(options, console)
    except (RiskstreamError, RbaFileError, OSError) as fault:
        console.print(str(fault), markup=False)
        return WRONG_USE


def _report(options: argparse.Namespace, console: Console) -> int:
    size = _size(options)
    figures = evaluate(size, load_policy(options.policy), options.jobs, console)
    if options.publish:
        publish(figures)
        console.print("written: docs/risk-evaluation.md and its plots")
    else:
        print(text(figures))
    return DONE


def _size(options: argparse.Namespace) -> Size:
    size = SHORT if options.short else Size()
    if options.seeds:
        size = replace(size, seeds=tuple(options.seeds), storm_seeds=tuple(options.seeds[:2]))
    return replace(
        size,
        people=options.people or size.people,
        days=max(options.days or size.days, size.learning_days + 1),
    )


def _fit(options: argparse.Namespace, console: Console) -> int:
    source = SHIPPED if options.policy is None else options.policy
    policy = load_policy(options.policy)
    scenes = [
        Scene(seed, FITTING_PEOPLE, FITTING_DAYS, FITTING_LEARNING_DAYS) for seed in FITTING_SEEDS
    ]
    found: list[Rows] = []
    with _processes(options.jobs) as run, _progress(console) as progress:
        task = progress.add_task("simulating", total=len(scenes))
        for rows in run.map(collect, scenes, repeat(policy)):
            found.append(rows)
            progress.advance(task)
    numbers = fit(joined(found), policy, console.print)
    text = rewritten(source.read_text(encoding="utf-8"), numbers)
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, encoding="utf-8")
        console.print(f"written: {options.output}; give it a version of its own", markup=False)
    return DONE


def _rba(file: Path, rows: int | None, console: Console) -> int:
    with console.status("reading the first million rows, for the published scores"):
        compared = check_published(file)
    print(f"{compared.logins} published scores: ours differ by {compared.worst:.1e} at most.")
    with console.status("scoring the rows"):
        found = takeovers(read_logins(file, rows), RATES)
    print(
        f"{found.ordinary:,} logins and {found.takeovers} takeovers, {found.unscored} of them "
        "without a history."
    )
    for rate, caught in found.caught.items():
        print(f"At a challenge rate of {rate:.0%} Freeman's score catches {caught:.0%} of them.")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="judge the score beside the yardsticks")
    report.add_argument(
        "--short", action="store_true", help="one small seed: shows that all of it runs"
    )
    report.add_argument("--seeds", type=int, nargs="+", help="simulate these instead")
    report.add_argument("--people", type=int, help=f"accounts, instead of {Size().people}")
    report.add_argument("--days", type=int, help=f"days, instead of {Size().days}")
    report.add_argument("--policy", type=Path, help="judge this policy, not the shipped one")
    report.add_argument(
        "--publish", action="store_true", help="write the figures into docs/risk-evaluation.md"
    )
    report.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    fitting = commands.add_parser(
        "fit", help="fit the numbers of usual features; prints the policy"
    )
    fitting.add_argument("--policy", type=Path, help="begin with this policy, not the shipped one")
    fitting.add_argument("--output", type=Path, help="write the policy there instead")
    fitting.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    rba = commands.add_parser("rba", help="check the yardstick on the public RBA dataset's CSV")
    rba.add_argument("file", type=Path, help="rba-dataset.csv")
    rba.add_argument("--rows", type=int, help="read no more than so many rows")
    return parser


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),)
    ) as run:
        try:
            yield run
        except BaseException:
            run.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with(parent: int) -> None:
    """A process of the pool ends when the one that started it is gone, however that came."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main())
