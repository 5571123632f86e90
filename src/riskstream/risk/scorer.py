"""Situation in, explained score out: priors, signals, family caps, the vendor's score."""

import msgspec
from msgspec import Struct

from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.levels import Level, level_of
from riskstream.risk.policy import Family, Policy, VendorMode, milli
from riskstream.risk.score import MILLI, capped, evidence_for, points
from riskstream.risk.signals import VENDOR_SCORE, BoundSignal, signals_of
from riskstream.risk.situation import Situation

__all__ = ["Prior", "Risk", "Scorer", "Signal", "VendorPart"]


class Prior(Struct, frozen=True):
    """``risk.prior``: what the type of the event says alone."""

    evidence: float
    points: int


class Signal(Struct, frozen=True):
    """One of ``risk.signals``."""

    id: str
    evidence: float
    points: int
    detail: str


class VendorPart(Struct, frozen=True):
    """``risk.vendor``: OneLogin's own score, levelled by the same cuts."""

    score: int
    level: Level
    reasons: tuple[str, ...]


class Risk(Struct, frozen=True, omit_defaults=True):
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


class _Found(Struct, frozen=True):
    id: str
    family: Family
    evidence: int
    detail: str


class Scorer:
    """Scores situations by one policy. Keeps no state between them."""

    def __init__(self, policy: Policy) -> None:
        self._version = policy.version
        self._mode = (
            VendorMode.IGNORE if policy.signals.vendor_score is None else policy.vendor.mode
        )
        self._priors = {
            (kind, sensitivity): policy.priors.of(kind, sensitivity)
            for kind in Kind
            for sensitivity in Sensitivity
        }
        self._signals = {kind: signals_of(policy, kind) for kind in Kind}
        self._caps: dict[Family, int] = {
            family: milli(getattr(policy.families, family.value).cap)
            for family in Family
            if family is not Family.VENDOR
        }
        self._known_device = milli(policy.families.failures.known_device_factor)
        self._plain: dict[int, Risk] = {}

    def __call__(self, situation: Situation) -> Risk:
        """The explained score."""
        facts = situation.facts
        prior = self._priors[facts.kind, facts.sensitivity]
        found = _evaluate(self._signals[facts.kind], situation)
        if found:
            found = self._bounded(found, situation)
        elif facts.vendor is None:
            return self._bare(prior)
        own = points(prior, tuple([each.evidence for each in found]))
        signals = [
            Signal(each.id, each.evidence / MILLI, share, each.detail)
            for each, share in zip(found, own.signals, strict=True)
        ]
        score, vendor = own.score, None
        if facts.vendor is not None:
            vendor = VendorPart(
                facts.vendor.score, level_of(facts.vendor.score), facts.vendor.reasons
            )
            if self._decides(vendor.score, score):
                total = prior + sum(each.evidence for each in found)
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
        )

    def _bare(self, prior: int) -> Risk:
        risk = self._plain.get(prior)
        if risk is None:
            alone = points(prior, ())
            part = Prior(prior / MILLI, alone.prior)
            risk = Risk(alone.score, level_of(alone.score), self._version, part, (), (), "")
            self._plain[prior] = risk
        return risk

    def _decides(self, vendor: int, own: int) -> bool:
        if self._mode is VendorMode.PREFER:
            return vendor != own
        return self._mode is VendorMode.MAX and vendor > own

    def _bounded(self, found: list[_Found], situation: Situation) -> list[_Found]:
        """Discount, cap and order; what rounds to nothing falls away."""
        families: dict[Family, list[int]] = {}
        for place, each in enumerate(found):
            families.setdefault(each.family, []).append(place)
        for family, places in families.items():
            before = [found[place].evidence for place in places]
            after = capped(before, self._caps[family])
            if family is Family.FAILURES and situation.on_known_device():
                after = [(2 * each * self._known_device + MILLI) // (2 * MILLI) for each in after]
            if after != before:
                for place, evidence in zip(places, after, strict=True):
                    found[place] = msgspec.structs.replace(found[place], evidence=evidence)
        kept = [each for each in found if each.evidence]
        kept.sort(key=lambda each: -each.evidence)
        return kept


def _evaluate(signals: tuple[BoundSignal, ...], situation: Situation) -> list[_Found]:
    found = []
    for id_, family, evaluate in signals:
        result = evaluate(situation)
        if result is not None:
            found.append(_Found(id_, family, *result))
    return found


def _vendor_signal(vendor: int, own: int, evidence: int) -> Signal:
    more = (evidence_for(vendor) - evidence) / MILLI
    return Signal(VENDOR_SCORE, more, vendor - own, f"OneLogin's own risk score is {vendor}")
