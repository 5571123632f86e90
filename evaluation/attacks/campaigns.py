"""Attacks that run in the tenant's own stream, for they are about many users, or many days."""

import random
from typing import Final

from evaluation.attacks.skill import attacker_session, stranger
from evaluation.happening import (
    DAY_MS,
    FIRST_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Attack,
    Happening,
    Label,
)
from evaluation.life.company import Company
from evaluation.life.routine import Routine
from evaluation.life.signin import Session, Signs
from evaluation.life.whereabouts import Spot
from riskstream.demo.tenant_event import Place, TenantEvent, about, from_place, notes

__all__ = ["Campaigns"]

STUFFINGS: Final = 1 / 40
"""Chance per day."""
SPRAYINGS: Final = 1 / 40
POISONINGS: Final = 1 / 10
QUIET_DAYS: Final = 7
RIGHT: Final = 25
"""Of so many passwords tried one is right."""
STRANGERS: Final = 0.8
"""Names that are nobody's, per member that is tried."""


class Campaigns:
    """Stuffing, spraying, poisoning.

    Stuffing is few addresses against many users, once each; spraying many addresses, slowly.
    Poisoning is a very targeted attacker who signs in quietly for a week, then takes over a factor.
    """

    def __init__(self, company: Company, seed: int, first_day: int) -> None:
        self._company = company
        self._rng = random.Random(f"{seed}:campaigns")
        self._first_day = first_day
        self._instance = 0
        self._quiet: list[tuple[int, Routine, Session, Signs]] = []
        """First day, victim, the attacker's place, and who makes the events."""

    def day(self, day: int, routines: tuple[Routine, ...]) -> list[Happening]:
        """What they do on this day, in no order."""
        rng = self._rng
        found: list[Happening] = []
        if day < self._first_day:
            return found
        there = [each for each in routines if each.member.joins_day < day]
        if rng.random() < STUFFINGS:
            found += self._many(day, there, Attack.STUFFING)
        if rng.random() < SPRAYINGS:
            found += self._many(day, there, Attack.SPRAYING)
        if rng.random() < POISONINGS and len(there) > 20:
            self._begin_quietly(day, rng.choice(there))
        return found + self._go_on_quietly(day)

    def _many(self, day: int, there: list[Routine], attack: Attack) -> list[Happening]:
        """One password each, or the same two for all; one in 25 is right."""
        rng, found = self._rng, []
        self._instance += 1
        stuffing = attack is Attack.STUFFING
        lasts = rng.randrange(20, 60) * MINUTE_MS if stuffing else rng.randrange(4, 9) * HOUR_MS
        places = [stranger(rng, day, "") for _ in range(rng.randrange(1, 4) if stuffing else 10)]
        start = FIRST_MS + day * DAY_MS + rng.randrange(24) * HOUR_MS
        tried = [each for each in there if rng.random() < 0.8]
        right = set(rng.sample(range(len(tried)), min(len(tried), 1 + len(tried) // RIGHT)))
        for number, victim in enumerate(tried):
            signs = self._signs(victim, attack, number)
            address, agent, device = rng.choice(places)
            spot = Spot(address, device)
            session = Session(start + rng.randrange(lasts), spot, agent)
            if number in right:
                found += signs.login(session, factor=False)
                found += signs.apps(session, found[-1].event.at_ms, 2, 20 * MINUTE_MS)
            else:
                times = 1 if stuffing else rng.randrange(1, 3)
                found += signs.failures(session, times, 400 * SECOND_MS)
            if rng.random() < STRANGERS:
                found.append(
                    self._nobody(start + rng.randrange(lasts), attack, Place(address, agent))
                )
        return found

    def _nobody(self, at_ms: int, attack: Attack, place: Place) -> Happening:
        name = f"guess-{self._rng.randrange(100_000)}@example.com"
        fields = {"user_name": name, "login_name": name, "actor_user_name": name}
        why = notes("Authentication method: password (invalid password).")
        event = TenantEvent(
            at_ms, "USER_FAILED_ONELOGIN_LOGIN", -90, {**fields, **from_place(place), **why}
        )
        return Happening(event, Label(attack=attack, instance=self._instance))

    def _signs(self, victim: Routine, attack: Attack, number: int) -> Signs:
        first = 2_000_000_000 + self._instance * 1_000_000 + number * 1000
        return Signs(victim.member, self._rng, first, attack, self._instance)

    def _begin_quietly(self, day: int, victim: Routine) -> None:
        self._instance += 1
        session = attacker_session(Attack.VERY_TARGETED, victim, day, self._rng)
        signs = self._signs(victim, Attack.POISONING, 0)
        self._quiet.append((day, victim, session, signs))

    def _go_on_quietly(self, day: int) -> list[Happening]:
        found, rng = [], self._rng
        for began, victim, first, signs in self._quiet:
            again = attacker_session(Attack.VERY_TARGETED, victim, day, rng)
            session = Session(again.at_ms, first.spot, again.agent)
            found += signs.login(session, factor=False)
            inside = found[-1].event.at_ms
            if day - began < QUIET_DAYS:
                found += signs.apps(session, inside, 1, 30 * MINUTE_MS)
            else:
                factor = about("otp_device", victim.member.account.factor)
                taken = inside + 3 * MINUTE_MS
                found.append(signs.action(taken, "USER_ADDED_OTP_DEVICE", session, factor))
        self._quiet = [each for each in self._quiet if day - each[0] < QUIET_DAYS]
        return found
