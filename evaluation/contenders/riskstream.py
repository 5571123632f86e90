"""riskstream itself: the pure pipeline from received bytes to explained score, as it ships.

Beside the score of the policy it gives the score with each signal left out, of the same event
against the same history.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from time import process_time
from types import MappingProxyType
from typing import Final, NamedTuple

from typing_extensions import override

from evaluation.contenders.surroundings import World
from evaluation.happening import SECOND_MS
from riskstream.catalog.loader import load_catalog
from riskstream.demo.generator import type_ids
from riskstream.demo.shapes import Shape, render
from riskstream.demo.tenant_event import TenantEvent
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.events.vocabulary import Kind
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Policy
from riskstream.risk.scorer import Risk, Scorer
from riskstream.risk.signals.usual import USUAL_FAMILY
from riskstream.risk.situation import Situation
from riskstream.risk.usual_rules import FeatureRule, HourRule

__all__ = ["Riskstream", "Verdict", "features_of", "signal_ids", "without"]

RECEIVED_AFTER_MS: Final = 4 * SECOND_MS
FIRST_SERIAL: Final = 45_000_000_000
LETS_IN: Final = frozenset({Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS})


class Verdict(NamedTuple):
    """What riskstream says of one event."""

    evidence: float
    """The sum behind the score, which tells scores apart that round to the same."""
    score: int
    signals: tuple[tuple[str, float], ...]
    """By id, what each adds."""
    without: tuple[tuple[str, float], ...]
    """Evidence with one signal left out, where that changes anything."""
    alone: tuple[tuple[str, float], ...] = ()
    """What each probe found beyond the prior, of events that let somebody in."""


def signal_ids(policy: Policy) -> tuple[str, ...]:
    """What can be left out of a policy: its signals, and the features that are usual or not."""
    signals = [
        id_ for id_ in type(policy.signals).model_fields if getattr(policy.signals, id_) is not None
    ]
    return (*signals, *features_of(policy))


def without(policy: Policy, id_: str) -> Policy:
    """The policy with one of them off."""
    part = "usual" if id_ in features_of(policy) else "signals"
    less = getattr(policy, part).model_copy(update={id_: None})
    return policy.model_copy(update={part: less})


def features_of(policy: Policy) -> tuple[str, ...]:
    """The features that a policy weighs."""
    rules = (FeatureRule, HourRule)
    return tuple(
        id_
        for id_ in type(policy.usual).model_fields
        if isinstance(getattr(policy.usual, id_), rules)
    )


class Riskstream:
    """One tenant's pipeline, with its state.

    Args:
        policy: As shipped, where none is given.
        leave_out: Whether to score with each signal left out, too.
        probes: Further policies, for what the fitting wants to know.
    """

    name = "riskstream"

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        leave_out: bool = False,
        probes: Mapping[str, Policy] = MappingProxyType({}),
    ) -> None:
        rules = load_policy() if policy is None else policy
        self._ingest = Ingest(load_catalog(), Limits(), around=World())
        self._assess = _Watched(rules, _Panel(rules, leave_out, probes))
        self._state = PartitionState()
        self._serial = FIRST_SERIAL
        self._offset = 0
        self.events = 0
        """Learned from."""
        self.cpu_seconds = 0.0
        """Of both stages, for these."""

    def learn(self, events: Sequence[TenantEvent]) -> list[Verdict]:
        """Score events and keep what they teach. In order of time."""
        raw = self._raw(events)
        begin = process_time()
        records = self._classified(raw)
        verdicts, changes = self._assess.watched(records, self._state)
        self._state.apply(changes)
        self._offset += len(records)
        self.cpu_seconds += process_time() - begin
        self.events += len(events)
        return self._all(events, verdicts)

    def attempt(self, events: Sequence[TenantEvent]) -> list[Verdict]:
        """Score events as if they came next, and forget them."""
        verdicts, _ = self._assess.watched(self._classified(self._raw(events)), self._state)
        return self._all(events, verdicts)

    def _raw(self, events: Sequence[TenantEvent]) -> list[InputRecord]:
        types = _types()
        records = []
        for event in events:
            self._serial += 1
            value = render(Shape.ARRAY_SPARSE, event, self._serial, types)
            stamp = event.at_ms + RECEIVED_AFTER_MS
            records.append(InputRecord(RAW, 0, self._serial, stamp, b"", value))
        return records

    def _classified(self, raw: list[InputRecord]) -> list[InputRecord]:
        return [
            InputRecord(
                CLASSIFIED, 0, offset, output.timestamp, output.key, output.value, output.headers
            )
            for offset, output in enumerate(
                (each for each in self._ingest(raw).outputs if each.topic == CLASSIFIED),
                self._offset,
            )
        ]

    @staticmethod
    def _all(events: Sequence[TenantEvent], verdicts: list[Verdict]) -> list[Verdict]:
        if len(events) != len(verdicts):
            raise RuntimeError(f"{len(events)} events, and {len(verdicts)} were scored.")
        return verdicts


class _Panel(Scorer):
    """The scorer, which notes what it finds."""

    def __init__(self, policy: Policy, leave_out: bool, probes: Mapping[str, Policy]) -> None:
        super().__init__(policy)
        self._probes = {name: Scorer(probe) for name, probe in probes.items()}
        self.verdicts: list[Verdict] = []
        self._without: dict[str, Scorer] = {}
        self._usual: frozenset[str] = frozenset()
        if leave_out:
            self._without = {id_: Scorer(without(policy, id_)) for id_ in signal_ids(policy)}
            self._usual = frozenset(features_of(policy))

    @override
    def __call__(self, situation: Situation) -> Risk:
        risk = super().__call__(situation)
        # a signal that did not speak changes nothing by its absence
        spoke = set(risk.signal_ids) & self._without.keys()
        if not USUAL_FAMILY.keys().isdisjoint(risk.signal_ids):
            spoke |= self._usual
        less = tuple((id_, _evidence(self._without[id_](situation))) for id_ in sorted(spoke))
        signals = tuple((each.id, each.evidence) for each in risk.signals)
        alone: tuple[tuple[str, float], ...] = ()
        if self._probes and situation.facts.kind in LETS_IN:
            alone = tuple(
                (name, sum(each.evidence for each in found.signals))
                for name, probe in self._probes.items()
                if (found := probe(situation)).signals
            )
        self.verdicts.append(Verdict(_evidence(risk), risk.score, signals, less, alone))
        return risk


class _Watched(Assess):
    """assess as it is, with the panel for its scorer."""

    def __init__(self, policy: Policy, panel: _Panel) -> None:
        super().__init__(policy, Limits())
        self._score = self._panel = panel

    def watched(
        self, records: list[InputRecord], state: PartitionState
    ) -> tuple[list[Verdict], Changes]:
        """A verdict per scored record, and the changes."""
        self._panel.verdicts = []
        assessed = self(records, state)
        return self._panel.verdicts, assessed.changes


def _evidence(risk: Risk) -> float:
    return risk.prior.evidence + sum(each.evidence for each in risk.signals)


@cache
def _types() -> dict[str, int]:
    return type_ids()
