"""A state with the changes of the chunk at hand laid over it: what assess reads and writes."""

from riskstream.events.record import Output
from riskstream.events.topics import FAILURES, LOCKOUTS, USERS
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.risk.context_rows import ContextRow
from riskstream.risk.profile import PROFILES_TTL_MS, Profile
from riskstream.risk.standing import STANDINGS_TTL_MS, Standing
from riskstream.risk.tenant import TenantView
from riskstream.windows.failures import FAILURES_TTL_MS, FailuresRow
from riskstream.windows.lockouts import LOCKOUTS_TTL_MS, LockoutsRow

__all__ = ["Overlay"]


class Overlay:
    """Reads fall through to the state; writes stay in ``changes``. Expired rows read as absent.

    The watermark moves with each row written, so what has expired for an event does not depend
    on where the chunk began.
    """

    __slots__ = ("_state", "alert", "changes", "knows", "tenant")

    def __init__(self, state: PartitionState) -> None:
        self._state = state
        self.knows = len(state.contexts) > 0
        """Something is known of somebody; otherwise ``context`` need not be asked."""
        self.changes = Changes(state.watermark_ms)
        self.tenant = TenantView(state.tenant, state.watermark_ms)
        """What is usual for the partition's users, this chunk's among them."""
        self.changes.tenant = self.tenant.cells
        self.alert: Output | None = None
        """What the event at hand has to tell of its subject."""

    def failures(self, subject: str) -> FailuresRow | None:
        """The subject's row of the failures table."""
        changes = self.changes
        row = changes.failures.get(subject) or self._state.failures.get(subject)
        if row is None or row.as_of_ms + FAILURES_TTL_MS < changes.watermark_ms:
            return None
        return row

    def lockouts(self, subject: str) -> LockoutsRow | None:
        """The subject's row of the lockouts table."""
        changes = self.changes
        row = changes.lockouts.get(subject) or self._state.lockouts.get(subject)
        if row is None or row.as_of_ms + LOCKOUTS_TTL_MS < changes.watermark_ms:
            return None
        return row

    def profile(self, subject: str) -> Profile | None:
        """The subject's profile."""
        changes = self.changes
        row = changes.profiles.get(subject) or self._state.profiles.get(subject)
        if row is None or row.as_of_ms + PROFILES_TTL_MS < changes.watermark_ms:
            return None
        return row

    def standing(self, subject: str) -> Standing | None:
        """The subject's row of the users table."""
        changes = self.changes
        row = changes.standings.get(subject) or self._state.standings.get(subject)
        if row is None or row.as_of_ms + STANDINGS_TTL_MS < changes.watermark_ms:
            return None
        return row

    def context(self, subject: str) -> ContextRow | None:
        """What is known of the subject."""
        changed = self.changes.contexts
        if changed and subject in changed:
            return changed[subject]
        return self._state.contexts.get(subject)

    def say(self, subject: str, row: ContextRow | None) -> None:
        """Put in place what is known of the subject; None takes it away."""
        self.changes.contexts[subject] = row
        self.knows = True

    def write(  # noqa: PLR0913, PLR0917  (a row of each table)
        self,
        subject: str,
        failures: FailuresRow | None,
        lockouts: LockoutsRow | None,
        profile: Profile | None,
        before: Profile | None,
        standing: Standing | None = None,
    ) -> None:
        """Put changed rows in place; None leaves a row as it is. ``before`` is the old profile."""
        changes, newest = self.changes, 0
        if profile is not None:
            self.tenant.replaced(before, profile)
            changes.profiles[subject] = profile
            newest = profile.as_of_ms
        if failures is not None:
            changes.failures[subject] = failures
            newest = max(newest, failures.as_of_ms)
        if lockouts is not None:
            changes.lockouts[subject] = lockouts
            newest = max(newest, lockouts.as_of_ms)
        if standing is not None:
            changes.standings[subject] = standing
            newest = max(newest, standing.as_of_ms)
        if newest > changes.watermark_ms:
            changes.watermark_ms = self.tenant.watermark_ms = newest

    def bury(self) -> int:
        """Add tombstones of the rows that are due, but for those written anew; how many."""
        changes, buried = self.changes, 0
        for topic, subject in self._state.due:
            if topic == FAILURES:
                buried += changes.failures.setdefault(subject, None) is None
            elif topic == LOCKOUTS:
                buried += changes.lockouts.setdefault(subject, None) is None
            elif topic == USERS:
                buried += changes.standings.setdefault(subject, None) is None
            else:
                buried += changes.profiles.setdefault(subject, None) is None
        return buried
