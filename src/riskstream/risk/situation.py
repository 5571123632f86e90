"""What a signal may look at: the event, and what its subject's rows say."""

from typing import Final

from msgspec import Struct

from riskstream.events.context import UserContext
from riskstream.events.event import Facts
from riskstream.risk.features import device_levels, place_levels
from riskstream.risk.profile import Profile, is_known
from riskstream.risk.tenant import NOBODY, TenantView
from riskstream.windows.failures import FailuresRow
from riskstream.windows.lockouts import Register
from riskstream.windows.panes import HOUR_MINUTES, MINUTE_MS, count

__all__ = ["QUIET", "Counts", "Situation"]


class Counts(Struct, frozen=True, gc=False):
    """``windows`` of the wire: after the event is folded in, at its own clipped time."""

    login_failures_5m: int = 0
    login_failures_1h: int = 0
    mfa_failures_5m: int = 0
    locked: bool = False
    """The account: locked or suspended."""
    lockouts_24h: int = 0


QUIET: Final = Counts()
"""Of a subject without failures and locks: the one object, so that it is known by identity."""


class Situation(Struct, frozen=True, gc=False):
    """One event before the eyes of the signals."""

    facts: Facts
    time_ms: int
    """Its time, clipped."""
    counts: Counts
    held: Register | None
    """Lock or suspension of the account in force before the event was folded in."""
    suspended: bool
    """``held`` is a suspension."""
    profile: Profile | None
    """Before the event was folded in."""
    tenant: TenantView = NOBODY
    """What is usual for the partition's users, before the event was folded in."""
    failures: FailuresRow | None = None
    """The subject's, after the event was folded in."""
    context: UserContext | None = None
    """What the operator says of the subject."""

    def on_known_device(self) -> bool:
        """From a usual address and, where the event names one, with a usual user agent."""
        facts, profile = self.facts, self.profile
        if profile is None or facts.ip is None or not is_known(profile, place_levels(facts)):
            return False
        return not facts.user_agent or is_known(profile, device_levels(facts))

    def failures_elsewhere(self, minutes: int) -> int:
        """Failed logins of the last minutes from places that are not usual."""
        profile = self.profile
        if profile is None or not profile.elsewhere:
            return 0
        return count(profile.elsewhere, self.time_ms // MINUTE_MS, minutes)

    def besieged(self) -> bool:
        """Somebody else fails to get in, and this is the user at their usual place."""
        return self.failures_elsewhere(HOUR_MINUTES) > 0 and self.on_known_device()
