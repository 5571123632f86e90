"""What each feature says of each login by itself, before weights: the rows that are fitted to."""

from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np

from evaluation.contenders.riskstream import Riskstream, features_of
from evaluation.happening import DAY_MS, FIRST_MS, Happening, Trial, Unit
from evaluation.measure.observe import ATTACKS
from evaluation.measure.pool import Doubles
from evaluation.stream import Scene, happenings
from riskstream.risk.policy import Policy
from riskstream.risk.signals.usual import USUAL_FAMILY
from riskstream.risk.usual_rules import FeatureRule

__all__ = ["LIMIT", "Rows", "collect", "joined", "probing"]

CHUNK: Final = 256
SURE: Final = 1e-4
"""An attacker so unlikely that a feature that speaks never says zero, which would be silence."""
LIMIT: Final = 6.0
"""Most evidence that a policy may state."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One row per login, of owners and attackers, by the first event that lets somebody in."""

    features: tuple[str, ...]
    ratios: Doubles
    """A column per feature: log10 of the likelihood ratio, for an attacker to whom every value is
    certain. NaN where the feature is silent."""
    rest: Doubles
    """Evidence of prior and all other signals."""
    attack: np.ndarray[tuple[int], np.dtype[np.int64]]
    """Index in ``ATTACKS``; -1 for the owner's."""


def probing(policy: Policy, feature: str) -> Policy:
    """A policy in which this feature alone speaks, unweighted and with no bound that matters."""
    rule = getattr(policy.usual, feature)
    wide = {"weight": 1.0, "most": LIMIT, "least": -LIMIT}
    if isinstance(rule, FeatureRule):
        wide["attack"] = SURE
    alone = {each: None for each in features_of(policy) if each != feature}
    usual = policy.usual.model_copy(update={**alone, feature: rule.model_copy(update=wide)})
    families = policy.families.model_copy(
        update={
            name: getattr(policy.families, name).model_copy(update={"cap": LIMIT})
            for name in type(policy.families).model_fields
        }
    )
    silent = dict.fromkeys(type(policy.signals).model_fields)
    signals = policy.signals.model_copy(update=silent)
    return policy.model_copy(update={"usual": usual, "families": families, "signals": signals})


def collect(scene: Scene, policy: Policy) -> Rows:
    """The logins of a scene, owners' with some history and attackers'."""
    features = features_of(policy)
    ours = Riskstream(policy, probes={each: probing(policy, each) for each in features})
    # what the probe's attacker took away is given back; the hour knows no attacker
    sure = [
        -log10(SURE) if isinstance(getattr(policy.usual, each), FeatureRule) else 0.0
        for each in features
    ]
    judged_from = FIRST_MS + scene.learning_days * DAY_MS
    ratios: list[list[float]] = []
    rest: list[float] = []
    attack: list[int] = []
    seen: set[tuple[int, int]] = set()
    waiting: list[Happening] = []

    def take(found: list[Happening], *, learn: bool) -> None:
        verdicts = (ours.learn if learn else ours.attempt)([each.event for each in found])
        for each, verdict in zip(found, verdicts, strict=True):
            label = each.label
            unit = (label.unit_id, label.owner)
            if label.unit is not Unit.LOGIN or unit in seen or each.event.at_ms < judged_from:
                continue
            seen.add(unit)
            alone = dict(verdict.alone)
            ratios.append(
                [
                    alone.get(feature, np.nan) + beyond
                    for feature, beyond in zip(features, sure, strict=True)
                ]
            )
            usual = sum(evidence for id_, evidence in verdict.signals if id_ in USUAL_FAMILY)
            rest.append(verdict.evidence - usual)
            attack.append(-1 if label.attack is None else ATTACKS.index(label.attack))

    for each in happenings(scene):
        if isinstance(each, Trial):
            take(waiting, learn=True)
            waiting = []
            take(list(each.events), learn=False)
        else:
            waiting.append(each)
            if len(waiting) >= CHUNK:
                take(waiting, learn=True)
                waiting = []
    take(waiting, learn=True)
    return Rows(features, np.array(ratios), np.array(rest), np.array(attack, dtype=np.int64))


def joined(found: list[Rows]) -> Rows:
    """Of several scenes."""
    return Rows(
        found[0].features,
        np.concatenate([each.ratios for each in found]),
        np.concatenate([each.rest for each in found]),
        np.concatenate([each.attack for each in found]),
    )
