"""The policy's section about what is usual: how long it is remembered, and what it weighs."""

from typing import Annotated

from pydantic import Field

from riskstream.risk.features import Chain, Feature
from riskstream.risk.numbers import Count, Negative, Part, Positive, Share

__all__ = ["FeatureRule", "HourRule", "Keep", "Relays", "UsualRule", "Weighed"]

Probability = Annotated[float, Field(gt=0, le=1)]


class Keep(Part):
    """A feature that is remembered."""

    keep: Annotated[int, Field(ge=1, le=256)]
    """Values per user."""


class Weighed(Part):
    """How evidence of a feature is scaled and bounded."""

    weight: Annotated[float, Field(gt=0, le=2)]
    """What log10 of the likelihood ratio is multiplied by."""
    most: Positive
    least: Negative


class FeatureRule(Keep, Weighed):
    """A feature whose values are usual or not.

    Evidence is ``weight * log10(attack * (n + strength) / (c + strength * b))``, within ``least``
    and ``most``: ``c`` of the user's ``n`` events at the coarser level had this value, and ``b`` is
    the share of the tenant's users to whom the value is usual, of those to whom the coarser one is.
    """

    attack: Probability
    """How likely an attacker who comes with the coarser value has this one."""
    unseen: Probability
    """``b`` of a value that no user of the tenant has."""


class HourRule(Weighed):
    """The hour of the week, against an attacker to whom all hours are alike."""

    strength: Annotated[float, Field(gt=0, le=1000)]


class Relays(Part):
    """Networks whose addresses do not tell where their users are."""

    asns: tuple[Annotated[int, Field(ge=1, le=4_294_967_295)], ...] = ()
    lists: tuple[str, ...] = ()
    """Of the operator's lists of networks."""

    def hide(self, asn: int | None, lists: tuple[str, ...]) -> bool:
        """Whether an address of that ASN, on those lists, is one of them."""
        return asn in self.asns or (bool(lists) and not set(lists).isdisjoint(self.lists))


class UsualRule(Part):
    """What profiles learn, and what each feature weighs. A feature that is left out is silent."""

    half_life_days: Annotated[int, Field(ge=4, le=365)]
    """Counts halve in this time."""
    strength: Annotated[float, Field(gt=0, le=100)]
    """How many events of the user the tenant's habits stand for."""
    tenant_strength: Annotated[float, Field(gt=0, le=1000)]
    """How many users ``unseen`` stands for."""
    confirm_days: Annotated[int, Field(ge=1, le=3)]
    """On so many days a factor must be verified with a provisional value until it is usual."""
    unverified_days: Annotated[int, Field(ge=0, le=60)]
    """Or it must be met on so many days; 0: that never suffices."""
    colleagues: Count
    """A value that so many users of the tenant took up within a day is no novelty."""
    outside_login: Share
    """What novelty weighs in events that are no authentication: the login was judged before."""
    country: FeatureRule | None = None
    city: FeatureRule | None = None
    asn: FeatureRule | None = None
    network: FeatureRule | None = None
    address: FeatureRule | None = None
    device: FeatureRule | None = None
    system: FeatureRule | None = None
    browser: FeatureRule | None = None
    user_agent: FeatureRule | None = None
    app: FeatureRule | None = None
    hour: HourRule | None = None
    actions: Keep

    def rules(self) -> dict[Feature, FeatureRule]:
        """The features that are weighed."""
        named = {
            Feature.COUNTRY: self.country,
            Feature.CITY: self.city,
            Feature.ASN: self.asn,
            Feature.NETWORK: self.network,
            Feature.ADDRESS: self.address,
            Feature.DEVICE: self.device,
            Feature.SYSTEM: self.system,
            Feature.BROWSER: self.browser,
            Feature.AGENT: self.user_agent,
            Feature.APP: self.app,
        }
        return {feature: rule for feature, rule in named.items() if rule is not None}

    def rooms(self) -> tuple[int, ...]:
        """By feature, how many values a profile keeps; of features left out a few."""
        rules: dict[Feature, Keep] = {**self.rules(), Feature.ACTION: self.actions}
        kept = {feature: rule.keep for feature, rule in rules.items()}
        kept[Feature.TOTAL] = len(Chain)
        return tuple(kept.get(feature, _FEW) for feature in Feature)


_FEW = 4
