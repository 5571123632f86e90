"""One person's days: when they sign in, from where, with what, and how well it goes."""

import random
from typing import Final

from evaluation.happening import DAY_MS, FIRST_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Happening
from evaluation.life.company import Member, Role
from evaluation.life.signin import LOCKED_AFTER, MOST_MISTAKES, Session, Signs
from evaluation.life.storms import Storm, StormKind
from evaluation.life.whereabouts import Spot, Whereabouts
from evaluation.world.browsers import Device
from riskstream.demo.tenant_event import about

__all__ = ["Routine"]

PASSWORD_DAYS: Final = 90
"""So long a password holds."""
FRESH_PASSWORD_DAYS: Final = 6
"""So long a new one is often mistyped."""
SCRIPT: Final = "python-requests/2.32.5"
_SERVICE_HOURS: Final = range(1, 24, 4)


class Routine:
    """A person from the first day on; days must be asked for in order.

    Args:
        member: Who.
        seed: Of the simulation.
        storm: What comes over the company.
    """

    def __init__(self, member: Member, seed: int, storm: Storm) -> None:
        self.member = member
        self._rng = random.Random(f"{seed}:life:{member.number}")
        self._storm = storm
        self.where = Whereabouts(member, self._rng)
        self._signs = Signs(member, self._rng, member.number * 1_000_000)
        self._password_day = -self._rng.randrange(PASSWORD_DAYS)
        self._away_until = 0
        self._password_due = False
        self.sessions: list[Session] = []
        """Of the last day that was asked for."""
        self.locked_at: list[int] = []
        """Of that day."""

    def day(self, day: int) -> list[Happening]:
        """What this person's day brings, in no order."""
        self.sessions, self.locked_at = [], []
        if day < self.member.joins_day:
            return []
        if self.member.role is Role.SERVICE:
            return self._program(day)
        self.where.next_day(day)
        if self._storm.begins(StormKind.PASSWORD_EXPIRY, day):
            self._password_day = day - PASSWORD_DAYS + self._rng.randrange(5)
        found: list[Happening] = []
        for at_ms, device in self._times(day):
            found += self._sign_in(day, at_ms, device)
        return found

    def usual_agent(self, day: int) -> str:
        """What this person's laptop sends."""
        return self.where.laptop.agent(day)

    def _times(self, day: int) -> list[tuple[int, Device]]:
        rng, member = self._rng, self.member
        works = day % 7 < 5 or rng.random() < 0.05
        if day < self._away_until:
            works = rng.random() < 0.06
        elif rng.random() < 1 / 120:
            self._away_until = day + rng.choice((4, 7, 7, 14, 21))
        monday = self._storm.on(StormKind.MONDAY_MORNING, day) and day % 7 == 0
        if member.role is Role.OCCASIONAL:
            works = works and rng.random() < 0.18
        if not (works or monday) or (rng.random() < 0.04 and not monday):
            return []
        midnight = FIRST_MS + day * DAY_MS - member.home.utc_offset_hours * HOUR_MS
        hour = 9.0 + rng.random() / 3 if monday else member.starts_hour + rng.gauss(0, 0.5)
        times = [(hour, self.where.laptop)]
        if rng.random() < 0.45:
            device = self.where.second if rng.random() < 0.08 else self.where.laptop
            times.append((hour + 4.2 + rng.gauss(0, 1.0), device))
        if self.where.phone is not None and rng.random() < 0.22:
            times.append((rng.uniform(7.0, 23.0), self.where.phone))
        if rng.random() < 0.05:
            times.append((rng.uniform(19.0, 24.5), self.where.laptop))
        return [(midnight + int(max(each, 0.0) * HOUR_MS), device) for each, device in times]

    def _address(self, day: int, hour: float, device: Device) -> str:
        rng, where, member = self._rng, self.where, self.member
        if device.mobile and rng.random() < 0.6:
            return where.on_mobile()
        if not device.mobile and (vpn := self._storm.vpn(day)) is not None:
            return vpn.address(member.number)
        at_work = where.trip is None and hour < 18.5 and day % 7 < 5
        if at_work and rng.random() < member.at_office:
            return self._storm.office(member.office, day).address(rng.randrange(4))
        if member.vpn is not None and rng.random() < 0.2:
            return where.through_vpn(member.vpn)
        odd = rng.random()
        if odd < 0.02:
            return where.on_mobile()
        return where.elsewhere() if odd < 0.08 else where.at_home()

    def _sign_in(self, day: int, at_ms: int, device: Device) -> list[Happening]:
        rng, signs = self._rng, self._signs
        local = (at_ms - FIRST_MS) / HOUR_MS + self.member.home.utc_offset_hours
        address = self._address(day, local % 24, device)
        spot = Spot(address, device, self.where.adopted(at_ms, address, device))
        session = Session(at_ms, spot, device.agent(day))
        found = self._mistakes(day, session)
        begin = max([at_ms, *(each.event.at_ms for each in found)]) + 7 * SECOND_MS
        if self.locked_at:
            begin += rng.randrange(31, 50) * MINUTE_MS
        session = Session(begin, spot, session.agent)
        factor = rng.random() < 0.35 or bool(spot.adopted_ms)
        if factor and rng.random() < 0.03:
            found.append(signs.factor_mistake(session))
            session = Session(begin + 15 * SECOND_MS, spot, session.agent)
        if factor and rng.random() < 0.002:
            found.append(signs.denied_push(session.at_ms, session))
            session = Session(session.at_ms + 40 * SECOND_MS, spot, session.agent)
        self.sessions.append(session)
        found += signs.login(session, factor=factor)
        inside = found[-1].event.at_ms
        found += signs.apps(session, inside, rng.choice((1, 1, 1, 2, 2, 3)), 2 * HOUR_MS)
        return found + self._own_changes(day, session, inside)

    def _mistakes(self, day: int, session: Session) -> list[Happening]:
        rng, count = self._rng, 0
        chance = self.member.forgetful
        if day - self._password_day < FRESH_PASSWORD_DAYS:
            chance = min(0.5, 4 * chance + 0.1)
        if self._storm.on(StormKind.MONDAY_MORNING, day) and day % 7 == 0:
            chance = min(0.5, 3 * chance + 0.05)
        if rng.random() < chance:
            count = 1
            while count < MOST_MISTAKES and rng.random() < 0.38:
                count += 1
        found = self._signs.failures(session, count, 12 * SECOND_MS)
        if count >= LOCKED_AFTER:
            self.locked_at.append(found[-1].event.at_ms)
        return found

    def _own_changes(self, day: int, session: Session, inside: int) -> list[Happening]:
        rng, signs, account = self._rng, self._signs, self.member.account
        after = Session(inside + rng.randrange(30, 600) * SECOND_MS, session.spot, session.agent)
        found = []
        if day - self._password_day >= PASSWORD_DAYS:
            self._password_day = day
            found.append(signs.action(after.at_ms, "USER_CHANGED_PASSWORD", after))
        if self.where.new_phone:
            self.where.new_phone = False
            factor = about("otp_device", account.factor)
            found.append(signs.action(after.at_ms, "USER_ADDED_OTP_DEVICE", after, factor))
            gone = after.at_ms + 50 * SECOND_MS
            found.append(signs.action(gone, "PROFILE_DEVICES_DELETE_DEVICE", after, factor))
        if rng.random() < 0.004:
            note: dict[str, str | int | None] = {"note_id": 500 + account.number}
            found.append(signs.action(after.at_ms, "USER_VIEWED_NOTE", after, note))
        return found

    def _program(self, day: int) -> list[Happening]:
        found: list[Happening] = []
        address = self.member.office.address(40 + self.member.number)
        spot = Spot(address, self.member.laptop)
        for hour in _SERVICE_HOURS:
            at_ms = FIRST_MS + day * DAY_MS + hour * HOUR_MS + self._rng.randrange(90) * SECOND_MS
            session = Session(at_ms, spot, SCRIPT)
            self.sessions.append(session)
            found += self._signs.login(session, factor=False)
            found += self._signs.apps(session, at_ms, 1, MINUTE_MS)
        return found
