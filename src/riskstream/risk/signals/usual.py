"""Signals about what is usual: each new value by itself, all that is usual about a chain as one."""

from collections.abc import Callable
from typing import Final

from riskstream.events.event import Facts
from riskstream.events.vocabulary import Kind
from riskstream.risk.familiar import Familiarity, Told
from riskstream.risk.features import Feature, device_levels, network_of, place_levels
from riskstream.risk.hours import bin_of
from riskstream.risk.policy import Family
from riskstream.risk.profile import Profile
from riskstream.risk.signals.kinds import ABOUT_USER, OWN
from riskstream.risk.situation import Situation

__all__ = ["USUAL_FAMILY", "USUAL_IDS", "Said", "feature_named", "usual_signals"]

Said = tuple[str, int, str]
"""Id, evidence in thousandths, and one line for people."""

_NAMES: Final = {
    Feature.COUNTRY: "country",
    Feature.CITY: "city",
    Feature.ASN: "asn",
    Feature.NETWORK: "network",
    Feature.ADDRESS: "address",
    Feature.DEVICE: "device",
    Feature.SYSTEM: "system",
    Feature.BROWSER: "browser",
    Feature.AGENT: "user_agent",
    Feature.APP: "app",
}
_NEW: Final = {feature: f"new_{name}" for feature, name in _NAMES.items()}
_KNOWN: Final = {feature: f"known_{name}" for feature, name in _NAMES.items()}
_FAMILIES: Final = {
    **dict.fromkeys(
        (Feature.DEVICE, Feature.SYSTEM, Feature.BROWSER, Feature.AGENT), Family.DEVICE
    ),
    Feature.APP: Family.HABIT,
}
USUAL_FAMILY: Final = {
    **{
        names[feature]: _FAMILIES.get(feature, Family.PLACE)
        for names in (_NEW, _KNOWN)
        for feature in _NAMES
    },
    "unusual_hour": Family.HABIT,
    "usual_hour": Family.HABIT,
}
USUAL_IDS: Final = tuple(USUAL_FAMILY)


def feature_named(id_: str) -> Feature | None:
    """The feature that a signal is about; None for the hour."""
    name = id_.partition("_")[2]
    return next((feature for feature, each in _NAMES.items() if each == name), None)


_NO_PROFILE: Final = Profile(0, 0, 0)


def usual_signals(situation: Situation, familiar: Familiarity) -> list[Said]:
    """What is new and what is usual about the event; nothing where nobody sits at a keyboard."""
    facts = situation.facts
    said: list[Said] = []
    human = facts.subject_type == "user"
    if facts.kind not in OWN or not (human or facts.subject_type == "client"):
        return said
    if human and not _own_doing(facts):
        return said
    profile, tenant, time_ms = situation.profile or _NO_PROFILE, situation.tenant, situation.time_ms
    if facts.ip:
        _chain(
            said, familiar.levels(place_levels(facts).levels, profile.usual, tenant, time_ms), facts
        )
    if not human:
        return said
    if facts.user_agent:
        _chain(
            said,
            familiar.levels(device_levels(facts).levels, profile.usual, tenant, time_ms),
            facts,
        )
    if facts.app_id is not None and facts.kind is Kind.APP_ACCESS:
        _chain(said, familiar.app(facts.app_id, profile.doings, tenant, time_ms), facts)
    hour = familiar.hour(profile.hours, bin_of(time_ms))
    if hour > 0:
        said.append(("unusual_hour", hour, "at an hour at which this user is seldom seen"))
    elif hour < 0:
        said.append(("usual_hour", hour, "at a usual hour"))
    return said


def _chain(said: list[Said], told: list[Told], facts: Facts) -> None:
    usual, finest = 0, None
    for feature, evidence, count in told:
        if evidence > 0:
            said.append((_NEW[feature], evidence, _news(feature, facts, count)))
        else:
            usual, finest = usual + evidence, feature
    if finest is not None:
        said.append((_KNOWN[finest], usual, f"usual {_what(finest, facts)}"))


def _news(feature: Feature, facts: Facts, count: int) -> str:
    place = _FAMILIES.get(feature) is None
    if feature is Feature.APP:
        return f"{'seldom' if count else 'first'} seen in this app"
    often = "seldom seen" if count else "first seen"
    return f"{often} {'from' if place else 'with'} {_value(feature, facts)}"


def _what(feature: Feature, facts: Facts) -> str:
    if feature is Feature.ADDRESS:
        return f"address {facts.ip}"
    if feature in {Feature.AGENT, Feature.APP}:
        return "user agent" if feature is Feature.AGENT else "app"
    return f"{_NAMES[feature]} {_value(feature, facts)}"


def _value(feature: Feature, facts: Facts) -> str:
    return _VALUES[feature](facts)


_DEVICES: Final[dict[str, str]] = {
    "desktop": "a computer",
    "mobile": "a phone",
    "tablet": "a tablet",
    "automated": "an automated client",
}
_VALUES: Final[dict[Feature, Callable[[Facts], str]]] = {
    Feature.COUNTRY: lambda facts: facts.country or "",
    Feature.CITY: lambda facts: f"{facts.city}, {facts.country}",
    Feature.ASN: lambda facts: f"AS{facts.asn}",
    Feature.NETWORK: lambda facts: network_of(facts.ip or ""),
    Feature.ADDRESS: lambda facts: facts.ip or "",
    Feature.DEVICE: lambda facts: _DEVICES.get(facts.device or "", f"{facts.device}"),
    Feature.SYSTEM: lambda facts: facts.system or "",
    Feature.BROWSER: lambda facts: f"{facts.browser} on {facts.system}",
    Feature.AGENT: lambda _: "this user agent",
}


def _own_doing(facts: Facts) -> bool:
    """The place is the subject's own: nobody else acted on them."""
    return (
        facts.kind not in ABOUT_USER
        or facts.actor_user_id is None
        or facts.actor_user_id == facts.user_id
    )
