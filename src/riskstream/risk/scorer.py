"""Situation in, explained score out: priors, signals, family caps, the vendor's score."""

from functools import lru_cache, partial
from typing import NamedTuple

from msgspec import Struct

from riskstream.events.event import VendorRisk
from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.levels import Level, level_of
from riskstream.risk.policy import Family, Policy, VendorMode, milli
from riskstream.risk.score import MILLI, capped, evidence_for, points
from riskstream.risk.signals.registry import VENDOR_SCORE, BoundSignal, needs_met, signals_of
from riskstream.risk.situation import Situation

__all__ = ["Prior", "Risk", "Scorer", "Signal", "VendorPart"]


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


class _Found(NamedTuple):
    evidence: int
    signal: BoundSignal
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
        self._signals = lru_cache(maxsize=4096)(partial(signals_of, policy))
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
        found = self._find(situation)
        if not found and facts.vendor is None:
            return self._bare(prior)
        own = points(prior, tuple([each.evidence for each in found]))
        signals = [
            Signal(each.signal.id, each.evidence / MILLI, share, each.detail)
            for each, share in zip(found, own.signals, strict=True)
        ]
        if facts.vendor is None:
            return self._risk(own.score, Prior(prior / MILLI, own.prior), signals, None)
        vendor = _vendor_part(facts.vendor)
        score = own.score
        if self._decides(vendor.score, score):
            total = prior + sum(each.evidence for each in found)
            signals.append(_vendor_signal(vendor.score, score, total))
            signals.sort(key=lambda each: -each.evidence)
            score = vendor.score
        return self._risk(score, Prior(prior / MILLI, own.prior), signals, vendor)

    def _risk(
        self, score: int, prior: Prior, signals: list[Signal], vendor: VendorPart | None
    ) -> Risk:
        return Risk(
            score,
            level_of(score),
            self._version,
            prior,
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

    def _find(self, situation: Situation) -> list[_Found]:
        facts, found = situation.facts, []
        for signal in self._signals(facts.kind, facts.sensitivity, needs_met(situation)):
            finding = signal.evaluate(situation)
            if finding is not None:
                found.append(_Found(finding[0], signal, finding[1]))
        if not found:
            return found
        if len(found) == 1:
            only = found[0]
            family = only.signal.family
            if family is not Family.FAILURES and abs(only.evidence) <= self._caps[family]:
                return found
        return self._bounded(found, situation)

    def _decides(self, vendor: int, own: int) -> bool:
        if self._mode is VendorMode.PREFER:
            return vendor != own
        return self._mode is VendorMode.MAX and vendor > own

    def _bounded(self, found: list[_Found], situation: Situation) -> list[_Found]:
        """Discount, cap and order; what rounds to nothing falls away."""
        families: dict[Family, list[_Found]] = {}
        for each in found:
            families.setdefault(each.signal.family, []).append(each)
        kept = []
        for family, members in families.items():
            evidence = capped([each.evidence for each in members], self._caps[family])
            if family is Family.FAILURES and situation.on_known_device():
                evidence = [
                    (2 * each * self._known_device + MILLI) // (2 * MILLI) for each in evidence
                ]
            kept += [
                _Found(weight, each.signal, each.detail)
                for each, weight in zip(members, evidence, strict=True)
                if weight
            ]
        kept.sort(key=_strongest)
        return kept


def _strongest(found: _Found) -> tuple[int, int]:
    return -found.evidence, found.signal.rank


def _vendor_part(vendor: VendorRisk) -> VendorPart:
    return VendorPart(vendor.score, level_of(vendor.score), vendor.reasons)


def _vendor_signal(vendor: int, own: int, evidence: int) -> Signal:
    more = (evidence_for(vendor) - evidence) / MILLI
    return Signal(VENDOR_SCORE, more, vendor - own, f"OneLogin's own risk score is {vendor}")
