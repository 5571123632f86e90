"""Situation in, explained score out: priors, signals, family caps, the vendor's score."""

from functools import lru_cache, partial
from operator import gt
from typing import Final, NamedTuple

from msgspec import Struct

from riskstream.events.event import VendorRisk
from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.exceptions import Exceptions
from riskstream.risk.familiar import Familiarity
from riskstream.risk.levels import Level, level_of
from riskstream.risk.policy import Family, Policy, VendorMode, milli
from riskstream.risk.score import MILLI, capped, evidence_for, points
from riskstream.risk.signals.kinds import AUTHENTICATION
from riskstream.risk.signals.registry import (
    PRIVILEGED_USER,
    SIGNAL_IDS,
    VENDOR_SCORE,
    needs_met,
    signals_of,
)
from riskstream.risk.signals.usual import USUAL_FAMILY, usual_signals
from riskstream.risk.situation import Situation
from riskstream.windows.panes import HOUR_MINUTES

__all__ = ["Prior", "Risk", "Scorer", "Signal", "VendorPart", "colleagues_in", "families_of"]


class Prior(Struct, frozen=True, gc=False):
    """``risk.prior``: what the type of the event says alone."""

    evidence: float
    points: int


class Signal(Struct, frozen=True, gc=False):
    """One of ``risk.signals``."""

    id: str
    evidence: float
    points: int
    detail: str


class VendorPart(Struct, frozen=True, gc=False):
    """``risk.vendor``: OneLogin's own score, levelled by the same cuts."""

    score: int
    level: Level
    reasons: tuple[str, ...]


class Risk(Struct, frozen=True, omit_defaults=True, gc=False):
    """``risk`` of the wire. ``prior.points`` and the signals' points add up to ``score``."""

    score: int
    level: Level
    policy: str
    prior: Prior
    signals: tuple[Signal, ...]
    """Most evidence first."""
    signal_ids: tuple[str, ...]
    reasons: str
    """The details, joined by ``; ``."""
    vendor: VendorPart | None = None
    under_attack: bool = False
    """Logins of this subject fail from places that are not its own."""
    without: tuple[str, ...] = ()
    """What was not known when the event was received, so that signals about it were silent."""


_Found = tuple[int, int, int, str, str]
"""Evidence in thousandths with its sign turned, rank, number of the family, id, detail: so they
sort by most evidence, then by rank."""


class _Marks(NamedTuple):
    """What stands beside the signals."""

    vendor: VendorRisk | None
    under_attack: bool
    without: tuple[str, ...]


class Scorer:
    """Scores situations by one policy. Keeps no state between them.

    Args:
        policy: Has the weights.
        partitions: Of the classified topic: each has so many-th of a tenant's users.
    """

    def __init__(self, policy: Policy, partitions: int = 1) -> None:
        self._version = policy.version
        self._mode = (
            VendorMode.IGNORE if policy.signals.vendor_score is None else policy.vendor.mode
        )
        self._priors = {
            (kind, sensitivity): policy.priors.of(kind, sensitivity)
            for kind in Kind
            for sensitivity in Sensitivity
        }
        self._signals = lru_cache(maxsize=4096)(partial(signals_of, policy))
        self._caps = [
            0 if family is Family.VENDOR else milli(getattr(policy.families, family.value).cap)
            for family in Family
        ]
        self._known_device = milli(policy.families.failures.known_device_factor)
        self._weaker = milli(policy.saturation.weaker)
        self._attacked = policy.attacked.failures_1h
        self._failed = milli(policy.saturation.failed)
        self._outside_login = milli(policy.usual.outside_login)
        self._familiar = Familiarity(
            policy.usual, colleagues_in(policy.usual.colleagues, partitions)
        )
        self._exceptions = Exceptions(policy.exceptions)
        self._human_only = frozenset(policy.context.human_only)
        self._privileged = _privileged(policy)
        self._explained = lru_cache(maxsize=_REMEMBERED)(self._explain)

    def __call__(self, situation: Situation) -> Risk:
        """The explained score; often the same object as before, since days are alike."""
        facts = situation.facts
        prior = self._priors[facts.kind, facts.sensitivity]
        attacked = situation.failures_elsewhere(HOUR_MINUTES) >= self._attacked
        marks = _Marks(facts.vendor, attacked, facts.without)
        return self._explained(prior, tuple(self._find(situation)), marks)

    def _explain(self, prior: int, found: tuple[_Found, ...], marks: _Marks) -> Risk:
        own = points(prior, tuple([-each[0] for each in found]))
        score, vendor = own.score, None
        signals = [
            Signal(id_, -less / MILLI, share, detail)
            for (less, _, _, id_, detail), share in zip(found, own.signals, strict=True)
        ]
        theirs = marks.vendor
        if theirs is not None:
            vendor = VendorPart(theirs.score, level_of(theirs.score), theirs.reasons)
            if self._decides(vendor.score, score):
                total = prior - sum(each[0] for each in found)
                signals.append(_vendor_signal(vendor.score, score, total))
                signals.sort(key=lambda each: -each.evidence)
                score = vendor.score
        return Risk(
            score,
            level_of(score),
            self._version,
            Prior(prior / MILLI, own.prior),
            tuple(signals),
            tuple([each.id for each in signals]),
            "; ".join([each.detail for each in signals]),
            vendor,
            marks.under_attack,
            marks.without,
        )

    def _find(self, situation: Situation) -> list[_Found]:
        facts = situation.facts
        found: list[_Found] = []
        for signal in self._signals(facts.kind, facts.sensitivity, needs_met(situation)):
            finding = signal.evaluate(situation)
            if finding is not None:
                family = _PLACE_OF[signal.family]
                found.append((-finding[0], signal.rank, family, signal.id, finding[1]))
        outside = self._outside_login if facts.kind not in AUTHENTICATION else MILLI
        for id_, evidence, detail in usual_signals(situation, self._familiar):
            rank, family = _USUAL[id_]
            less = -evidence if outside == MILLI else -(evidence * outside // MILLI)
            found.append((less, rank, family, id_, detail))
        if found and (
            situation.context is not None or self._exceptions or facts.subject_type in _MACHINES
        ):
            found = self._in_context(found, situation)
        if len(found) > 1 or (found and found[0][_FAMILY] in _FAILURES):
            found = self._bounded(found, situation)
        return found

    def _in_context(self, found: list[_Found], situation: Situation) -> list[_Found]:
        """Without what is silenced; what is odd about a privileged user weighs more."""
        facts, context = situation.facts, situation.context
        silenced = self._exceptions.silenced(facts, situation.time_ms, context)
        if facts.subject_type in _MACHINES or (context is not None and context.service_account):
            silenced |= self._human_only
        if silenced:
            found = [each for each in found if each[_ID] not in silenced]
        if (
            context is not None
            and context.privileged
            and self._privileged is not None
            and PRIVILEGED_USER not in silenced
            and facts.outcome is not EventOutcome.FAILURE
            and any(each[0] < 0 for each in found)
        ):
            found.append(self._privileged)
        return found

    def _decides(self, vendor: int, own: int) -> bool:
        if self._mode is VendorMode.PREFER:
            return vendor != own
        return self._mode is VendorMode.MAX and vendor > own

    def _bounded(self, found: list[_Found], situation: Situation) -> list[_Found]:
        """Discount, cap, saturate and order; what rounds to nothing falls away."""
        ups, downs, caps = [0] * _FAMILIES, [0] * _FAMILIES, self._caps
        for less, _, family, _, _ in found:
            if less < 0:
                ups[family] -= less
            else:
                downs[family] += less
        over = any(map(gt, ups, caps)) or any(map(gt, downs, caps))
        failures = ups[_PLACE_OF[Family.FAILURES]] + ups[_PLACE_OF[Family.TAKEOVER]]
        if over or failures or self._nobody_got_in(ups, situation):
            found = self._discounted(found, situation)
        found.sort()
        return found

    def _nobody_got_in(self, ups: list[int], situation: Situation) -> bool:
        """The event failed, and what is new about it says more than a failure may."""
        novelty = sum(ups[family] for family in _NOVELTY)
        return novelty > self._failed and situation.facts.outcome is EventOutcome.FAILURE

    def _discounted(self, found: list[_Found], situation: Situation) -> list[_Found]:
        families: dict[int, list[_Found]] = {}
        for each in found:
            families.setdefault(each[_FAMILY], []).append(each)
        kept = []
        for family, members in families.items():
            evidence = capped([-each[0] for each in members], self._caps[family])
            if family == _PLACE_OF[Family.FAILURES] and situation.on_known_device():
                evidence = [_scaled(each, self._known_device) for each in evidence]
            kept += [
                (-weight, *each[1:])
                for each, weight in zip(members, evidence, strict=True)
                if weight
            ]
        return self._saturated(kept, situation)

    def _saturated(self, found: list[_Found], situation: Situation) -> list[_Found]:
        """Failures and novelty of one event: the weaker of the two counts in part."""
        failures = sum(-less for less, _, family, *_ in found if family in _FAILURES)
        novelty = sum(-less for less, _, family, *_ in found if family in _NOVELTY and less < 0)
        failed = situation.facts.outcome is EventOutcome.FAILURE
        if not novelty or not (failures or failed):
            return found
        weak = _FAILURES if failures <= novelty else _NOVELTY
        together = max(failures, novelty) + _scaled(min(failures, novelty), self._weaker)
        over = MILLI * self._failed // together if failed and together > self._failed else MILLI
        saturated = []
        for less, rank, family, id_, detail in found:
            part = -less
            if part > 0 and (family in _FAILURES or family in _NOVELTY):
                part = _scaled(part, self._weaker) if family in weak else part
                part = part if over == MILLI else part * over // MILLI
            if part:
                saturated.append((-part, rank, family, id_, detail))
        return saturated


def families_of(policy: Policy) -> dict[str, Family]:
    """The family of every signal that is not off, by its id."""
    rules = {id_: getattr(policy.signals, id_) for id_ in type(policy.signals).model_fields}
    named = {id_: Family(rule.family) for id_, rule in rules.items() if rule is not None}
    return USUAL_FAMILY | named


def colleagues_in(colleagues: int, partitions: int) -> int:
    """How many of so many colleagues are expected in one of the partitions; three at least."""
    return min(colleagues, max(-(-colleagues // partitions), _FEWEST_COLLEAGUES))


_FEWEST_COLLEAGUES: Final = 3
_MACHINES: Final = frozenset({"client", "system"})
_FAMILY: Final = 2
_ID: Final = 3
"""Where a finding has its family and its id."""
_REMEMBERED: Final = 8192
"""Explained scores kept."""
_PLACE_OF: Final = {family: place for place, family in enumerate(Family)}
_FAMILIES: Final = len(Family)
_FAILURES: Final = frozenset({_PLACE_OF[Family.FAILURES], _PLACE_OF[Family.TAKEOVER]})
_NOVELTY: Final = frozenset(
    {_PLACE_OF[Family.PLACE], _PLACE_OF[Family.DEVICE], _PLACE_OF[Family.HABIT]}
)
_USUAL: Final = {
    id_: (rank, _PLACE_OF[USUAL_FAMILY[id_]])
    for rank, id_ in enumerate(SIGNAL_IDS)
    if id_ in USUAL_FAMILY
}


def _privileged(policy: Policy) -> _Found | None:
    """What is found beside other things about a privileged user."""
    rule = policy.signals.privileged_user
    if rule is None:
        return None
    rank, family = SIGNAL_IDS.index(PRIVILEGED_USER), _PLACE_OF[Family(rule.family)]
    return -milli(rule.evidence), rank, family, PRIVILEGED_USER, "a privileged user"


def _scaled(evidence: int, share: int) -> int:
    """A share, in thousandths, of positive evidence; halves go up."""
    return (2 * evidence * share + MILLI) // (2 * MILLI)


def _vendor_signal(vendor: int, own: int, evidence: int) -> Signal:
    more = (evidence_for(vendor) - evidence) / MILLI
    return Signal(VENDOR_SCORE, more, vendor - own, f"OneLogin's own risk score is {vendor}")
