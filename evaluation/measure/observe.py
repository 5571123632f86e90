"""Runs a scene before all contenders and notes what each says of every unit."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from time import process_time
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.contenders.freeman import FreemanScorer
from evaluation.contenders.riskstream import Riskstream, Verdict, signal_ids
from evaluation.contenders.rules import EntraLike, NewAddress, OktaLike
from evaluation.contenders.sighting import LOGIN, Contender, sighting
from evaluation.happening import DAY_MS, FIRST_MS, Attack, Happening, Label, Trial, Unit
from evaluation.stream import Scene, happenings
from riskstream.risk.levels import HIGH_FROM, MEDIUM_FROM, Level, level_of
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Policy

__all__ = ["ATTACKS", "LESS", "OURS", "UNITS", "AttackStory", "Observations", "observe"]

ATTACKS: Final = tuple(Attack)
UNITS: Final = (Unit.LOGIN, Unit.ACCESS, Unit.ACTION)
OURS: Final = "riskstream"
LESS: Final = "- "
"""Before the name of a signal: ours without it."""
CHUNK: Final = 256

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(slots=True)
class AttackStory:
    """How one attack on one person came to light."""

    attack: Attack
    owner: int
    history: int
    first_ms: int
    events: int = 0
    medium_ms: int | None = None
    """Until the first event that is Medium or higher."""
    high_ms: int | None = None
    last_action_score: int = 0
    """Score of the last sensitive action."""

    def add(self, at_ms: int, unit: Unit, score: int) -> None:
        """One more event of it."""
        self.events += 1
        if score >= MEDIUM_FROM and self.medium_ms is None:
            self.medium_ms = at_ms - self.first_ms
        if score >= HIGH_FROM and self.high_ms is None:
            self.high_ms = at_ms - self.first_ms
        if unit is Unit.ACTION:
            self.last_action_score = score


@dataclass(slots=True)
class Observations:
    """What came of a scene: one row per unit that is judged."""

    scene: Scene
    names: tuple[str, ...]
    """Contenders: ours, ours with each signal left out (``- signal``), the yardsticks."""
    unit: Integers
    """Index in ``UNITS``."""
    attack: Integers
    """Index in ``ATTACKS``; -1 for the owner's."""
    group: Integers
    """Attack and victim: the units of one attack on one person share it."""
    owner: Integers
    history: Integers
    """Successful logins of the owner's before."""
    day: Integers
    since_new: Floats
    """Days since the owner took up the device or home; NaN where that is nothing new."""
    level_score: Integers
    """Our score."""
    scores: Floats
    """A column per contender; NaN where it has nothing to go by."""
    stories: list[AttackStory]
    ordinary_events: Counter[tuple[int, Level]]
    """All that is no attack, whatever it is, by person (0: nobody) and our level."""
    attack_events: Counter[tuple[int, Level, Attack]]
    """Likewise all that is one."""
    logins: int
    cpu_us: dict[str, float]
    """CPU microseconds per event, by contender."""

    def compared(self) -> "Observations":
        """The same without the columns of ours with a signal left out."""
        kept = [index for index, name in enumerate(self.names) if not name.startswith(LESS)]
        names = tuple(self.names[index] for index in kept)
        return replace(self, names=names, scores=self.scores[:, kept])


@dataclass(slots=True)
class _Row:
    label: Label
    history: int
    at_ms: int
    score: int
    scores: list[float]


@dataclass(slots=True)
class _Notes:
    """What is noted while the scene runs."""

    names: tuple[str, ...]
    rows: dict[tuple[int, int], _Row] = field(default_factory=dict)
    stories: dict[tuple[Attack, int, int], AttackStory] = field(default_factory=dict)
    ordinary: Counter[tuple[int, Level]] = field(default_factory=Counter)
    attacking: Counter[tuple[int, Level, Attack]] = field(default_factory=Counter)
    logins: int = 0

    def add(self, each: Happening, history: int, verdict: Verdict, others: Sequence[float]) -> None:
        """One scored event."""
        label, at_ms = each.label, each.event.at_ms
        if label.attack is None:
            self.ordinary[label.owner, level_of(verdict.score)] += 1
        elif label.owner:
            self.attacking[label.owner, level_of(verdict.score), label.attack] += 1
            key = (label.attack, label.instance, label.owner)
            story = self.stories.get(key)
            if story is None:
                story = AttackStory(label.attack, label.owner, history, at_ms)
                self.stories[key] = story
            story.add(at_ms, label.unit, verdict.score)
        if label.unit is Unit.NONE:
            return
        without = dict(verdict.without)
        scores = [verdict.evidence]
        scores += [
            without.get(name.removeprefix(LESS), verdict.evidence)
            for name in self.names
            if name.startswith(LESS)
        ]
        scores += others
        held = self.rows.get((label.unit_id, label.owner))
        if held is None:
            self.rows[label.unit_id, label.owner] = _Row(
                label, history, at_ms, verdict.score, scores
            )
            return
        held.score = max(held.score, verdict.score)
        held.scores = [
            one if isnan(other) or one > other else other
            for one, other in zip(held.scores, scores, strict=True)
        ]


Progress = Callable[[int], None]
"""Told the day that has been lived."""


class _Run:
    """One pass over a scene."""

    def __init__(self, scene: Scene, policy: Policy, leave_out: bool) -> None:
        self._ours = Riskstream(policy, leave_out=leave_out)
        self._others: tuple[Contender, ...] = (
            FreemanScorer(),
            NewAddress(),
            OktaLike(),
            EntraLike(),
        )
        left = tuple(f"{LESS}{id_}" for id_ in signal_ids(policy)) if leave_out else ()
        self.notes = _Notes((OURS, *left, *(each.name for each in self._others)))
        self._history: Counter[int] = Counter()
        self._judged_from = FIRST_MS + scene.learning_days * DAY_MS
        self._waiting: list[tuple[Happening, int, list[float]]] = []
        self._seconds = dict.fromkeys((each.name for each in self._others), 0.0)
        self._sightings = 0

    def take(self, each: Happening | Trial) -> None:
        """The next of the stream."""
        if isinstance(each, Trial):
            self.flush()
            history = self._history[each.victim]
            verdicts = self._ours.attempt([inner.event for inner in each.events])
            for inner, verdict in zip(each.events, verdicts, strict=True):
                self.notes.add(inner, history, verdict, self._look(inner, learn=False))
            return
        label = each.label
        self._waiting.append((each, self._history[label.owner], self._look(each, learn=True)))
        if each.event.type == LOGIN and label.attack is None:
            self._history[label.owner] += 1
        if len(self._waiting) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Let ours catch up with the yardsticks."""
        verdicts = self._ours.learn([each.event for each, _, _ in self._waiting])
        for (each, history, others), verdict in zip(self._waiting, verdicts, strict=True):
            if each.event.at_ms >= self._judged_from:
                self.notes.add(each, history, verdict, others)
                self.notes.logins += each.event.type == LOGIN and each.label.attack is None
        self._waiting = []

    def _look(self, each: Happening, *, learn: bool) -> list[float]:
        seen = sighting(each.event)
        if seen is None:
            return [nan] * len(self._others)
        found = []
        self._sightings += 1
        for contender in self._others:
            begin = process_time()
            score = contender.score(seen)
            if learn:
                contender.learn(seen)
            self._seconds[contender.name] += process_time() - begin
            found.append(nan if score is None else score)
        return found

    def cpu_us(self) -> dict[str, float]:
        """CPU microseconds per event; the yardsticks' per event that they look at."""
        ours = self._ours.cpu_seconds / max(self._ours.events, 1)
        others = {
            name: seconds / max(self._sightings, 1) * 1e6 for name, seconds in self._seconds.items()
        }
        return {OURS: ours * 1e6, **others}


def observe(
    scene: Scene,
    policy: Policy | None = None,
    *,
    leave_out: bool = False,
    progress: Progress | None = None,
) -> Observations:
    """Everything that the contenders say about a scene.

    Args:
        scene: What to simulate.
        policy: Ours; as shipped where none is given.
        leave_out: Score with each signal left out, too.
        progress: Told each day.
    """
    run = _Run(scene, load_policy() if policy is None else policy, leave_out)
    today = -1
    for each in happenings(scene):
        run.take(each)
        at_ms = each.at_ms if isinstance(each, Trial) else each.event.at_ms
        if progress is not None and (at_ms - FIRST_MS) // DAY_MS > today:
            today = (at_ms - FIRST_MS) // DAY_MS
            progress(today)
    run.flush()
    return _observations(scene, run.notes, run.cpu_us())


def _observations(scene: Scene, notes: _Notes, cpu_us: dict[str, float]) -> Observations:
    rows = list(notes.rows.values())
    groups: dict[tuple[Attack | None, int, int], int] = {}

    def group(label: Label) -> int:
        return groups.setdefault((label.attack, label.instance, label.owner), len(groups))

    def whole(of: Callable[[_Row], int]) -> Integers:
        return np.fromiter(map(of, rows), dtype=np.int64, count=len(rows))

    return Observations(
        scene=scene,
        names=notes.names,
        unit=whole(lambda row: UNITS.index(row.label.unit)),
        attack=whole(lambda row: -1 if row.label.attack is None else _INDEX[row.label.attack]),
        group=whole(lambda row: -1 if row.label.attack is None else group(row.label)),
        owner=whole(lambda row: row.label.owner),
        history=whole(lambda row: row.history),
        day=whole(lambda row: (row.at_ms - FIRST_MS) // DAY_MS),
        since_new=np.array([_since_new(row) for row in rows], dtype=np.float32),
        level_score=whole(lambda row: row.score),
        scores=np.array([row.scores for row in rows], dtype=np.float32).reshape(
            len(rows), len(notes.names)
        ),
        stories=list(notes.stories.values()),
        ordinary_events=notes.ordinary,
        attack_events=notes.attacking,
        logins=notes.logins,
        cpu_us=cpu_us,
    )


def _since_new(row: _Row) -> float:
    adopted = row.label.adopted_ms
    return (row.at_ms - adopted) / DAY_MS if adopted else nan


_INDEX: Final = {attack: index for index, attack in enumerate(ATTACKS)}
