"""A signal told in words: what it looks at, and what it weighs by a policy."""

from riskstream.errors import ConfigError
from riskstream.risk.features import Feature
from riskstream.risk.policy import Policy
from riskstream.risk.signals.registry import MEANINGS, SIGNAL_IDS, VENDOR_SCORE
from riskstream.risk.signals.usual import USUAL_FAMILY, feature_named
from riskstream.risk.usual_rules import Weighed

__all__ = ["signal_text"]


def signal_text(policy: Policy, id_: str) -> str:
    """Some lines about a signal.

    Raises:
        ConfigError: There is none with this id.
    """
    if id_ not in SIGNAL_IDS:
        near = [other for other in SIGNAL_IDS if id_.rsplit("_", maxsplit=1)[-1] in other]
        hint = f" Perhaps {', '.join(near[:5])}?" if near else ""
        raise ConfigError(f"There is no signal {id_}.{hint}")
    family = USUAL_FAMILY.get(id_)
    if family is not None:
        return "\n".join([_usual(policy, id_), _cap(policy, family.value)])
    if id_ == VENDOR_SCORE:
        return f"{id_}: OneLogin's own score decides (vendor.mode = {policy.vendor.mode.value})."
    rule = getattr(policy.signals, id_)
    if rule is None:
        return f"{id_}: {MEANINGS[id_]}\nIt is off: the policy {policy.version} leaves it out."
    lines = [f"{id_}: {MEANINGS[id_]}"]
    lines += [
        f"  from {step.at} on: evidence {step.evidence:+}" for step in getattr(rule, "steps", ())
    ]
    others = rule.model_dump(mode="json", exclude={"family", "steps"})
    lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in others.items()]
    return "\n".join([*lines, _cap(policy, rule.family.value)])


def _usual(policy: Policy, id_: str) -> str:
    direction = "new or seldom" if id_.startswith(("new_", "unusual_")) else "usual"
    feature, what = feature_named(id_), "hour of the week"
    bounds: Weighed | None = policy.usual.hour
    if feature is not None:
        what = _WORDS.get(feature, feature.name.lower())
        bounds = policy.usual.rules().get(feature)
    if bounds is None:
        return f"{id_}: the {what} is {direction} for the user.\nIt is off."
    evidence = bounds.most if direction != "usual" else bounds.least
    return (
        f"{id_}: the {what} is {direction} for the user, by decayed counts of their logins "
        f"and what is usual for the tenant.\n"
        f"  evidence: up to {evidence:+}, weight {bounds.weight}\n"
        f"  counts halve in: {policy.usual.half_life_days} days"
    )


_WORDS = {
    Feature.AGENT: "user agent",
    Feature.ASN: "autonomous system",
    Feature.SYSTEM: "operating system",
}


def _cap(policy: Policy, family: str) -> str:
    rule = getattr(policy.families, family, None)
    return f"  family: {family}" + ("" if rule is None else f", {rule.cap} at most together")
