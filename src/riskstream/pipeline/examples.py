"""Runs a policy's own examples through fold and scorer."""

from collections.abc import Iterator
from typing import Final

from msgspec import Raw

from riskstream.events.context import UserContext
from riskstream.events.event import SCHEMA_VERSION, Classified, Facts, Origin
from riskstream.events.vocabulary import Category, EventOutcome, Kind
from riskstream.pipeline.fold import Fold, counts_of
from riskstream.pipeline.overlay import Overlay
from riskstream.pipeline.state import PartitionState
from riskstream.risk.example_rules import Example, Happening
from riskstream.risk.levels import Level
from riskstream.risk.policy import Policy
from riskstream.risk.scorer import Risk, Scorer
from riskstream.risk.situation import Situation
from riskstream.windows.panes import DAY_MS, MINUTE_MS

__all__ = ["failing_examples", "last_score"]

_START_MS: Final = 1_788_768_000_000
"""2026-09-07T08:00:00Z, a Monday."""
_WEEK: Final = 7
_WEEKEND: Final = 5
_USER: Final = 7
_LEVELS: Final = list(Level)
_NOWHERE: Final = Origin("example", 0, 0, 0)
_FAILING: Final = frozenset(
    {kind for kind in Kind if kind.value.rpartition("_")[2] in {"failure", "denied"}}
)


def failing_examples(policy: Policy) -> Iterator[str]:
    """One line for each example that does not end as it says."""
    for example in policy.examples:
        risk, expect = last_score(policy, example), example.expect
        said = f"scores {risk.score} ({risk.level.value}): {risk.reasons or 'no signal'}"
        place = _LEVELS.index(risk.level)
        if expect.at_least is not None and place < _LEVELS.index(expect.at_least):
            yield f"{example.name}: at least {expect.at_least.value} expected, {said}"
        if expect.at_most is not None and place > _LEVELS.index(expect.at_most):
            yield f"{example.name}: at most {expect.at_most.value} expected, {said}"
        missing = [id_ for id_ in expect.signals if id_ not in risk.signal_ids]
        if missing:
            yield f"{example.name}: no {', '.join(missing)}, {said}"


def last_score(policy: Policy, example: Example) -> Risk:
    """The score of an example's last event."""
    known = None if example.context is None else UserContext(**example.context.model_dump())
    teller = _Teller(policy, known)
    day = 0
    for _ in range(example.history.days):
        while day % _WEEK >= _WEEKEND:
            day += 1
        usual = example.history.model_dump(exclude={"days"}, exclude_none=True)
        teller.tell(_START_MS + day * DAY_MS, Kind.LOGIN_SUCCESS, usual)
        day += 1
    while day % _WEEK >= _WEEKEND:
        day += 1
    now, risk = _START_MS + day * DAY_MS, None
    for happening in example.events:
        for _ in range(happening.times):
            now += happening.minutes * MINUTE_MS
            risk = teller.tell(now, happening.kind, _place(example, happening))
    if risk is None:
        raise ValueError("an example has at least one event")
    return risk


def _place(example: Example, happening: Happening) -> dict[str, object]:
    usual = example.history.model_dump(exclude={"days"}, exclude_none=True)
    told = happening.model_dump(exclude={"kind", "times", "minutes"}, exclude_none=True)
    if "ip" in told:
        usual = {name: value for name, value in usual.items() if name == "user_agent"}
    return usual | told


def _classified(facts: Facts) -> Classified:
    return Classified(schema_version=SCHEMA_VERSION, facts=facts, origin=_NOWHERE, event=Raw(b"{}"))


class _Teller:
    """Tells one user's events, each folded and learned from before the next."""

    def __init__(self, policy: Policy, known: UserContext | None) -> None:
        self._known = known
        self._fold = Fold(policy)
        self._score = Scorer(policy)
        self._state = PartitionState()
        self._offset = 0

    def tell(self, time_ms: int, kind: Kind, about: dict[str, object]) -> Risk:
        """The score of one event."""
        self._offset += 1
        failed = kind in _FAILING
        facts = Facts(
            id=f"1:{self._offset}",
            time_ms=time_ms,
            account_id=1,
            subject=f"1:{_USER}",
            profiled=True,
            subject_type="user",
            event_type_id=0,
            category=Category.USERS,
            kind=kind,
            outcome=EventOutcome.FAILURE if failed else EventOutcome.SUCCESS,
            user_id=_USER,
            actor_user_id=_USER,
            **about,  # type: ignore[arg-type]  # the policy's model has checked it
        )
        rows = Overlay(self._state)
        folded = self._fold(_classified(facts), self._offset, rows)
        counts = counts_of(folded)
        situation = Situation(
            facts,
            time_ms,
            counts,
            folded.held,
            folded.suspended,
            folded.profile,
            rows.tenant,
            folded.failures,
            self._known,
        )
        risk = self._score(situation)
        learned = self._fold.learn(folded, facts, self._offset, risk.score)
        rows.write(facts.subject, folded.failures, folded.lockouts, learned, folded.profile)
        self._state.apply(rows.changes)
        return risk
