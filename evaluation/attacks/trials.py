"""Attacks on one account, each tried against the histories of a moment without a trace."""

import random
from collections.abc import Callable
from typing import Final

from evaluation.attacks.skill import SKILLS, attacker_session, moment
from evaluation.happening import HOUR_MS, MINUTE_MS, SECOND_MS, Attack, Happening, Trial
from evaluation.life.company import Company, Role
from evaluation.life.routine import Routine
from evaluation.life.signin import LOCKED_AFTER, Session, Signs
from evaluation.life.whereabouts import Spot
from riskstream.demo.tenant import Person
from riskstream.demo.tenant_event import EventType, about_user

__all__ = ["TRIED", "Trials"]

TRIED: Final = (
    *SKILLS,
    Attack.GUESSING,
    Attack.MFA_FATIGUE,
    Attack.SESSION_THEFT,
    Attack.INSIDER,
)
"""Against anybody. Administrators have privilege abuse to bear besides."""
ABUSE_FACTOR: Final = 3
"""There are few administrators, so each is tried more often."""
FIRST_UNIT: Final = 1_000_000_000
CHANCES: Final = ((1, 0.0), (4, 0.6), (12, 0.35), (39, 0.1), (1_000_000, 0.03))
"""Chance of a trial per person and day, below so many logins."""
_TAKEOVERS: Final[tuple[EventType, ...]] = (
    "ADMIN_CHANGED_USER_PASSWORD",
    "USER_REMOVED_OTP_DEVICE",
    "PRIVILEGE_GRANTED_TO_USER",
    "USER_ASSUMED_USER",
    "API_CREDENTIAL_CREATED",
)
_SECRETS: Final[tuple[EventType, ...]] = (
    "USER_REVEALED_PASSWORD",
    "USER_VIEWED_NOTE",
    "USER_DOWNLOADED_CERT",
)


class Trials:
    """Draws the trials of each day.

    Args:
        company: Whose people are the victims.
        seed: Of the simulation; draws are apart from all others.
        intensity: Multiplies the chance of a trial.
    """

    def __init__(self, company: Company, seed: int, intensity: float) -> None:
        self._company = company
        self._rng = random.Random(f"{seed}:trials")
        self._intensity = intensity
        self._instance = 0

    def day(self, day: int, victim: Routine, logins: int) -> list[Trial]:
        """The trials against this person today.

        Args:
            day: The day.
            victim: Has lived the day already.
            logins: Successful logins of the victim up to this morning.
        """
        chance = next(chance for below, chance in CHANCES if logins < below) * self._intensity
        attacks = []
        if self._rng.random() < chance:
            attacks.append(self._rng.choice(TRIED))
        if victim.member.admin and self._rng.random() < ABUSE_FACTOR * chance:
            attacks.append(Attack.PRIVILEGE_ABUSE)
        return [self._trial(attack, victim, day) for attack in attacks if _possible(attack, victim)]

    def _trial(self, attack: Attack, victim: Routine, day: int) -> Trial:
        self._instance += 1
        first_unit = FIRST_UNIT + self._instance * 1000
        signs = Signs(victim.member, self._rng, first_unit, attack, self._instance)
        events = sorted(_MAKERS[attack](self, signs, victim, day), key=_when)
        return Trial(events[0].event.at_ms, attack, victim.member.number, tuple(events))

    def takeover(self, signs: Signs, victim: Routine, day: int, skill: Attack) -> list[Happening]:
        """Password known, factor passed or not asked for; then a look around."""
        session = attacker_session(skill, victim, day, self._rng)
        return self._inside(signs, session, factor=self._rng.random() < 0.4)

    def _inside(self, signs: Signs, session: Session, *, factor: bool) -> list[Happening]:
        found = signs.login(session, factor=factor)
        inside = found[-1].event.at_ms
        found += signs.apps(session, inside, self._rng.randrange(1, 4), 30 * MINUTE_MS)
        if self._rng.random() < 0.3:
            later = found[-1].event.at_ms + 2 * MINUTE_MS
            found.append(signs.action(later, "USER_ADDED_OTP_DEVICE", session))
        return found

    def guessing(self, signs: Signs, victim: Routine, day: int) -> list[Happening]:
        """Many wrong passwords, from one address or several, and then the right one."""
        rng = self._rng
        skill = rng.choices(SKILLS[:3], (5, 4, 1))[0]
        session = attacker_session(skill, victim, day, rng)
        found = signs.failures(session, rng.randrange(3, LOCKED_AFTER), 9 * SECOND_MS)
        end = found[-1].event.at_ms
        if rng.random() < 0.6:
            for _ in range(rng.randrange(1, 6)):
                begin = end + rng.randrange(20, 400) * SECOND_MS
                session = attacker_session(skill, victim, day, rng, begin)
                found += signs.failures(session, rng.randrange(2, 7), 9 * SECOND_MS)
                end = found[-1].event.at_ms
            end += 31 * MINUTE_MS
        session = Session(end + 15 * SECOND_MS, session.spot, session.agent)
        return found + self._inside(signs, session, factor=False)

    def fatigue(self, signs: Signs, victim: Routine, day: int) -> list[Happening]:
        """The owner denies one push after the other, and gives in."""
        rng = self._rng
        skill = rng.choices(SKILLS[:3], (4, 4, 2))[0]
        session = attacker_session(skill, victim, day, rng)
        found, at_ms = [], session.at_ms
        for _ in range(rng.randrange(2, 10)):
            found.append(signs.denied_push(at_ms, session))
            at_ms += rng.randrange(15, 90) * SECOND_MS
        session = Session(at_ms, session.spot, session.agent)
        return found + self._inside(signs, session, factor=True)

    def theft(self, signs: Signs, victim: Routine, day: int) -> list[Happening]:
        """The session's cookie is used elsewhere: apps are opened, and nobody signs in."""
        rng = self._rng
        begin = rng.choice(victim.sessions).at_ms + rng.randrange(5, 120) * MINUTE_MS
        skill = rng.choices(SKILLS[:3], (4, 4, 2))[0]
        session = attacker_session(skill, victim, day, rng, begin)
        return signs.apps(session, begin, rng.randrange(3, 7), HOUR_MS)

    def abuse(self, signs: Signs, victim: Routine, day: int) -> list[Happening]:
        """An administrator's account in the hands of somebody else: passwords, factors, rights."""
        rng = self._rng
        session = attacker_session(rng.choice(SKILLS[1:]), victim, day, rng)
        found = signs.login(session, factor=True) if rng.random() < 0.5 else []
        at_ms = session.at_ms + 2 * MINUTE_MS
        for _ in range(rng.randrange(3, 8)):
            kind = rng.choice(_TAKEOVERS)
            found.append(signs.action(at_ms, kind, session, about_user(self._somebody())))
            at_ms += rng.randrange(10, 240) * SECOND_MS
        return found

    def insider(self, signs: Signs, victim: Routine, day: int) -> list[Happening]:
        """The owner, at the usual desk, takes what is not for them."""
        rng, where = self._rng, victim.where
        spot = Spot(where.home, where.laptop)
        at_ms = moment(rng.choice((Attack.NAIVE, Attack.VERY_TARGETED)), victim, day, rng)
        session = Session(at_ms, spot, victim.usual_agent(day))
        found = []
        for _ in range(rng.randrange(4, 13)):
            kind = rng.choice(_TAKEOVERS if victim.member.admin else _SECRETS)
            found.append(signs.action(at_ms, kind, session, about_user(self._somebody())))
            at_ms += rng.randrange(8, 120) * SECOND_MS
        return found

    def _somebody(self) -> Person:
        return self._rng.choice(self._company.members).account


def _possible(attack: Attack, victim: Routine) -> bool:
    """There is a session to steal; a program has none and abuses nothing."""
    if attack is Attack.SESSION_THEFT:
        return bool(victim.sessions)
    return not (attack is Attack.INSIDER and victim.member.role is Role.SERVICE)


def _when(happening: Happening) -> int:
    return happening.event.at_ms


_Maker = Callable[[Trials, Signs, Routine, int], list[Happening]]


def _by_skill(skill: Attack) -> _Maker:
    return lambda trials, signs, victim, day: trials.takeover(signs, victim, day, skill)


_MAKERS: Final[dict[Attack, _Maker]] = {
    **{skill: _by_skill(skill) for skill in SKILLS},
    Attack.GUESSING: Trials.guessing,
    Attack.MFA_FATIGUE: Trials.fatigue,
    Attack.SESSION_THEFT: Trials.theft,
    Attack.PRIVILEGE_ABUSE: Trials.abuse,
    Attack.INSIDER: Trials.insider,
}
