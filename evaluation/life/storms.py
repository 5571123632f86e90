"""Weeks in which ordinary people look unusual, all at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evaluation.world.internet import NEW_OFFICE, ROLLED_OUT_VPN, Fixed

__all__ = ["CALM", "Storm", "StormKind"]


class StormKind(StrEnum):
    """What happens."""

    NONE = "calm"
    MONDAY_MORNING = "monday_morning"
    """All sign in within twenty minutes after a long holiday, and many have forgotten."""
    PASSWORD_EXPIRY = "password_expiry"  # noqa: S105  (a kind of storm, not a secret)
    """All passwords run out in this week."""
    OFFICE_MOVE = "office_move"
    """The largest office is elsewhere from now on, with another provider."""
    VPN_ROLLOUT = "vpn_rollout"
    """All laptops go out through one VPN in another country."""
    DIRECTORY_SYNC = "directory_sync"
    """A directory rewrites every user, several times."""


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm and when it is."""

    kind: StormKind = StormKind.NONE
    first_day: int = 0
    days: int = 7

    def on(self, kind: StormKind, day: int) -> bool:
        """It is of this kind and blows on this day. What was moved or rolled out stays."""
        if kind is not self.kind or day < self.first_day:
            return False
        stays = kind in (StormKind.OFFICE_MOVE, StormKind.VPN_ROLLOUT)
        return stays or day < self.first_day + self.days

    def begins(self, kind: StormKind, day: int) -> bool:
        """This is its first day."""
        return kind is self.kind and day == self.first_day

    def office(self, office: Fixed, day: int) -> Fixed:
        """Where the people of an office sit."""
        largest = office.hosts.start == 0 and office.prefix == "192.0.2"
        return NEW_OFFICE if largest and self.on(StormKind.OFFICE_MOVE, day) else office

    def vpn(self, day: int) -> Fixed | None:
        """What all laptops go through."""
        return ROLLED_OUT_VPN if self.on(StormKind.VPN_ROLLOUT, day) else None


CALM: Final = Storm()
