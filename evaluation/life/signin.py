"""What a person's session looks like as events: mistakes, factors, the login, apps, odd changes."""

import random
from dataclasses import dataclass
from typing import Final

from evaluation.happening import SECOND_MS, Attack, Happening, Label, Unit
from evaluation.life.company import Member
from evaluation.life.whereabouts import Spot
from riskstream.demo.tenant_event import (
    EventType,
    Fields,
    Place,
    TenantEvent,
    about,
    about_app,
    by_system,
    by_user,
    from_place,
    notes,
)

__all__ = ["LOCKED_AFTER", "MOST_MISTAKES", "Session", "Signs"]

LOCKED_AFTER: Final = 6
"""Failures in a row that lock an account."""
MOST_MISTAKES: Final = 8


@dataclass(frozen=True, slots=True)
class Session:
    """One time that somebody signs in."""

    at_ms: int
    spot: Spot
    agent: str


class Signs:
    """Makes the events of one person, each with its label.

    Args:
        member: Whose account it is.
        rng: All draws.
        attack: Set when it is not the owner who acts.
        instance: Of the attack.
        first_unit: Number of the first unit; further ones count up.
    """

    def __init__(
        self,
        member: Member,
        rng: random.Random,
        first_unit: int,
        attack: Attack | None = None,
        instance: int = 0,
    ) -> None:
        self._member = member
        self._rng = rng
        self._attack = attack
        self._instance = instance
        self._unit = first_unit

    def happening(self, event: TenantEvent, unit: Unit = Unit.NONE, adopted: int = 0) -> Happening:
        """An event as a unit of its own, or, with ``Unit.NONE``, as none."""
        if unit is not Unit.NONE:
            self._unit += 1
        return self._labelled(event, unit, adopted)

    def _labelled(self, event: TenantEvent, unit: Unit, adopted: int = 0) -> Happening:
        label = Label(
            unit,
            0 if unit is Unit.NONE else self._unit,
            self._member.number,
            self._attack,
            self._instance,
            adopted,
        )
        return Happening(event, label)

    def failures(self, session: Session, count: int, spacing_ms: int) -> list[Happening]:
        """Wrong passwords; the sixth in a row locks the account."""
        found = []
        at_ms = session.at_ms
        for number in range(1, count + 1):
            why = notes("Authentication method: password (invalid password).")
            found.append(self._by(at_ms, "USER_FAILED_ONELOGIN_LOGIN", session, why))
            at_ms += max(2 * SECOND_MS, int(self._rng.gauss(spacing_ms, spacing_ms / 4)))
            if number == LOCKED_AFTER:
                found.append(self._locked(at_ms))
        return found

    def login(self, session: Session, *, factor: bool) -> list[Happening]:
        """The password, a factor where one is asked for, and in. One unit."""
        found, at_ms, self._unit = [], session.at_ms, self._unit + 1
        adopted = session.spot.adopted_ms
        account = self._member.account
        if factor:
            found.append(self._by(at_ms, "USER_LOGIN_CHALLENGE", session))
            at_ms += self._rng.randrange(4, 20) * SECOND_MS
            why = f"Authentication method: OTP (Valid OTP). Factor name: {account.factor.name}"
            verified = by_user(
                at_ms,
                "USER_VERIFIED_OTP_DEVICE",
                account,
                self._from(session),
                about("otp_device", account.factor),
                notes(why),
            )
            found.append(self._labelled(verified, Unit.LOGIN, adopted))
            at_ms += self._rng.randrange(1, 3) * SECOND_MS
        method = "password + OTP" if factor else "password"
        inside = by_user(
            at_ms,
            "USER_LOGGED_INTO_ONELOGIN",
            account,
            self._from(session),
            notes(f"Authentication method: {method}."),
        )
        found.append(self._labelled(inside, Unit.LOGIN, adopted))
        return found

    def factor_mistake(self, session: Session) -> Happening:
        """A code that does not match."""
        return self._by(
            session.at_ms, "USER_LOGIN_CHALLENGE_FAILED", session, notes("Validation failed")
        )

    def denied_push(self, at_ms: int, session: Session) -> Happening:
        """The owner says no on the phone."""
        return self._by(at_ms, "OL_OTP_PUSH_REJECT", session)

    def apps(self, session: Session, after_ms: int, count: int, most_ms: int) -> list[Happening]:
        """So many apps opened within ``most_ms`` after a moment."""
        times = sorted(after_ms + self._rng.randrange(5 * SECOND_MS, most_ms) for _ in range(count))
        found = []
        for at_ms in times:
            app = self._rng.choice(self._member.apps)
            event = by_user(
                at_ms,
                "USER_LOGGED_INTO_APP",
                self._member.account,
                self._from(session),
                about_app(app),
                notes("Initiated by OneLogin via SAML"),
            )
            found.append(self.happening(event, Unit.ACCESS, session.spot.adopted_ms))
        return found

    def action(self, at_ms: int, kind: EventType, session: Session, *parts: Fields) -> Happening:
        """Something sensitive that the person does, from where the session is."""
        event = by_user(at_ms, kind, self._member.account, self._from(session), *parts)
        return self.happening(event, Unit.ACTION, session.spot.adopted_ms)

    def _by(self, at_ms: int, kind: EventType, session: Session, *parts: Fields) -> Happening:
        return self._labelled(
            by_user(at_ms, kind, self._member.account, self._from(session), *parts), Unit.NONE
        )

    def _locked(self, at_ms: int) -> Happening:
        account = self._member.account
        who: Fields = {"user_id": account.id, "user_name": account.name}
        return self._labelled(by_system(at_ms, "USER_LOCKED", "", account.number, who), Unit.NONE)

    def _from(self, session: Session) -> Fields:
        return from_place(Place(session.spot.address, session.agent))
