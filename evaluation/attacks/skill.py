"""From where, with what and when an attacker comes, by what they know of the victim."""

import random
from collections.abc import Sequence
from typing import Final

from evaluation.happening import DAY_MS, FIRST_MS, HOUR_MS, Attack
from evaluation.life.routine import Routine
from evaluation.life.signin import Session
from evaluation.life.whereabouts import Spot
from evaluation.world.browsers import AGED_AGENTS, SCRIPTS, Device, popular_device
from evaluation.world.geography import CITIES, CITIES_BY_COUNTRY, City
from evaluation.world.internet import NetKind, host_in, providers

__all__ = ["SKILLS", "attacker_session", "moment", "stranger"]

SKILLS: Final = (
    Attack.NAIVE,
    Attack.SAME_COUNTRY,
    Attack.TARGETED,
    Attack.VERY_TARGETED,
)
"""naive: somewhere, with anything. same_country: in the victim's country, with a common browser.
targeted: in the victim's city, with the victim's user agent. very_targeted: with the victim's own
provider there, too, and at the victim's hours."""


def attacker_session(
    skill: Attack, victim: Routine, day: int, rng: random.Random, at_ms: int | None = None
) -> Session:
    """A session of an attacker who wants to pass for the victim."""
    begin = moment(skill, victim, day, rng) if at_ms is None else at_ms
    match skill:
        case Attack.NAIVE:
            address, agent, device = stranger(rng, day, victim.member.home.country)
        case Attack.SAME_COUNTRY:
            device = popular_device(rng)
            city = rng.choice(CITIES_BY_COUNTRY[victim.member.home.country])
            address = _address(rng, (NetKind.BROADBAND, NetKind.HOSTING), city)
            agent = device.agent(day)
        case Attack.TARGETED:
            device, agent = victim.where.laptop, victim.usual_agent(day)
            address = _address(rng, (NetKind.BROADBAND,), victim.where.city)
        case _:
            device, agent = victim.where.laptop, victim.usual_agent(day)
            network = victim.where.home_network
            if rng.random() < 0.75:
                network = rng.choice(victim.where.broadband.networks_in(victim.where.city))
            address = host_in(network, rng)
    return Session(begin, Spot(address, device), agent)


def stranger(rng: random.Random, day: int, not_in: str) -> tuple[str, str, Device]:
    """Address, user agent and device of somebody who knows nothing of the victim."""
    city = rng.choice([each for each in CITIES if each.country != not_in])
    kinds = (NetKind.BROADBAND, NetKind.HOSTING)
    device = popular_device(rng)
    agent = device.agent(day)
    what = rng.random()
    if what < 0.15:
        agent = rng.choice(SCRIPTS)
    elif what < 0.4:
        agent = rng.choice(AGED_AGENTS)
    return _address(rng, kinds, city), agent, device


def moment(skill: Attack, victim: Routine, day: int, rng: random.Random) -> int:
    """When on a day, in epoch milliseconds: any time; the more skilled keep the victim's hours."""
    member = victim.member
    midnight = FIRST_MS + day * DAY_MS - member.home.utc_offset_hours * HOUR_MS
    if skill is Attack.VERY_TARGETED:
        hour = member.starts_hour + rng.uniform(0.0, 9.0)
    elif skill is Attack.TARGETED and rng.random() < 0.75:
        hour = rng.uniform(8.0, 20.0)
    else:
        hour = rng.uniform(0.0, 24.0)
    return midnight + int(hour * HOUR_MS)


def _address(rng: random.Random, kinds: Sequence[NetKind], city: City) -> str:
    provider = rng.choice(providers(rng.choice(kinds), city.country))
    return host_in(rng.choice(provider.networks_in(city)), rng)
