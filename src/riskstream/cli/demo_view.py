"""The demo on a terminal: progress on stderr while it runs, then what came of it on stdout."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from riskstream.cli.output import LEVEL_STYLES, note, show, styled, table

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID
    from rich.table import Table
    from rich.text import Text

    from riskstream.demo.outcomes import Outcomes
    from riskstream.demo.run import DemoResult, Progress

__all__ = ["progress", "show_result"]

LINE_SECONDS = 2.0
"""Between two lines of progress where stderr is no terminal."""
SUBJECTS_SHOWN = 8
ALERTS_SHOWN = 8
LOCKOUTS_SHOWN = 8
CATEGORIES = ("users", "onelogin", "apps", "provisioning", "uncataloged")
LEVELS = ("no", "low", "medium", "high")


@contextmanager
def progress(total: int) -> "Iterator[Progress]":
    """Bars where stderr is a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines(total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars, total)


def show_result(result: "DemoResult") -> None:
    """Print the whole outcome."""
    outcomes = result.outcomes
    rate = result.summary()["events_per_second"]
    show(
        f"{result.events} events in {result.records} records: {outcomes.routed} routed, "
        f"{outcomes.dead_lettered} dead letters, {result.filtered} filtered. None is missing.",
        f"{result.seconds:.1f} s from the first record sent to the last outcome read, "
        f"{rate} events a second.\n",
        _categories(outcomes),
        _stories(outcomes),
        _subjects(outcomes),
        _alerts(outcomes),
        _lockouts(outcomes),
        _dead_letters(outcomes),
        "Where to look next",
        "  riskstream catalog show 6        what an event type means to riskstream",
        "  riskstream score FILE            the same pipeline over a file of yours",
        "  riskstream demo --keep           leaves it all running, says where, and then:",
        "  riskstream events --risk high    the scored events, from the topics",
        "  riskstream tables users          with whom something is wrong, and why",
        "  riskstream tables failures       the windowed tables",
    )


class _Lines:
    def __init__(self, total: int) -> None:
        self._total = total
        self._said = time.monotonic()
        self._ended = 0

    def step(self, text: str) -> None:
        note(f"demo: {text}")

    def advance(self, sent: int, found: int) -> None:
        now = time.monotonic()
        done = found >= self._total > self._ended
        if done or now - self._said >= LINE_SECONDS:
            self._said, self._ended = now, found
            note(f"demo: {sent} events sent, {found} of {self._total} ended")


class _Bars:
    def __init__(self, bars: "Bars", total: int) -> None:
        self._bars = bars
        self._total = total
        self._sent: TaskID | None = None
        self._found: TaskID | None = None

    def step(self, text: str) -> None:
        self._bars.console.print(f"[dim]{text}[/dim]")

    def advance(self, sent: int, found: int) -> None:
        if self._sent is None or self._found is None:
            self._sent = self._bars.add_task("sent", total=self._total)
            self._found = self._bars.add_task("ended", total=self._total)
        self._bars.update(self._sent, completed=sent)
        self._bars.update(self._found, completed=found)


def _categories(outcomes: "Outcomes") -> "Table":
    rows: list[list[Any]] = []
    for category in CATEGORIES:
        counts = [outcomes.by_category[category, level] for level in LEVELS]
        rows.append([f"iam.scored.{category}.v1", *counts, sum(counts)])
    totals = [outcomes.by_level[level] for level in LEVELS]
    rows.append(["all", *totals, sum(totals)])
    names = ["topic", *(f"#{level}" for level in LEVELS), "#events"]
    return table(names, rows, title="Scored events by category and risk level")


def _stories(outcomes: "Outcomes") -> "Table":
    from riskstream.demo.stories import STORIES

    rows = []
    for story in STORIES:
        told = outcomes.stories.get(story.name)
        if told is not None:
            rows.append([story.about, told.events, told.score, _level(told.level), told.reasons])
    names = ["what happened", "#events", "#score", "level", "strongest reasons"]
    return table(names, rows, title="Stories among the ordinary days, and their highest score")


def _subjects(outcomes: "Outcomes") -> "Table":
    rows = [
        [it.subject, it.name, it.score, _level(it.level), it.high, it.reasons]
        for it in outcomes.top(SUBJECTS_SHOWN)
    ]
    names = ["subject", "name", "#score", "level", "#high events", "strongest reasons"]
    return table(names, rows, title="Riskiest subjects")


def _alerts(outcomes: "Outcomes") -> "Table":
    alerts = sorted(outcomes.alerts, key=lambda it: (it.time, it.subject), reverse=True)
    rows = [[it.subject, it.time, it.before, it.after, it.reasons] for it in alerts]
    title = f"Alerts: {len(alerts)} times a subject rose to High, the latest first"
    return table(["subject", "at", "#from", "#to", "why"], rows[:ALERTS_SHOWN], title=title)


def _lockouts(outcomes: "Outcomes") -> "Table":
    lockouts = outcomes.lockouts()
    rows = [
        [it.subject, it.since, it.locks, "locked" if it.locked else "open again"]
        for it in lockouts[:LOCKOUTS_SHOWN]
    ]
    title = f"Lockouts: {len(lockouts)} subjects in the table, the latest first"
    return table(["subject", "locked at", "#locks in 7 days", "state"], rows, title=title)


def _dead_letters(outcomes: "Outcomes") -> "Table":
    rows = [
        [reason, number, outcomes.examples.get(reason, "")]
        for reason, number in outcomes.dead_letters.most_common()
    ]
    return table(["reason", "#number", "for example"], rows, title="Dead letters")


def _level(level: str) -> "Text":
    return styled(level, LEVEL_STYLES.get(level, ""))
