"""Take a scored event into its subject's standing, and write the alert where it rose to High."""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.events.event import SCHEMA_VERSION, Facts
from riskstream.events.record import Headers, Output
from riskstream.events.times import format_time
from riskstream.events.topics import ALERTS
from riskstream.events.vocabulary import EventOutcome
from riskstream.pipeline.fold import Folded
from riskstream.pipeline.outputs import alert_headers
from riskstream.pipeline.overlay import Overlay
from riskstream.risk.policy import Family, Policy
from riskstream.risk.scorer import Risk, families_of
from riskstream.risk.standing import (
    Cause,
    Judging,
    Rising,
    Standing,
    StandingEvent,
    fold_standing,
    holds_until,
    measure,
)
from riskstream.risk.standing_rows import (
    ShownCause,
    ShownMeasure,
    shown_causes,
    shown_measure,
)

__all__ = ["Alert", "Stand", "Standings", "alert_output"]


class Alert(Struct, frozen=True, kw_only=True):
    """Value of a record of the alerts topic."""

    schema_version: int
    id: str
    time: str
    """Of the newest event of the subject's standing."""
    account_id: int
    subject: str
    previous: ShownMeasure
    """Just before the event that raised it."""
    standing: ShownMeasure
    policy: str
    reasons: str
    causes: tuple[ShownCause, ...]
    event_ids: tuple[str, ...]
    """Those of the causes."""
    repeats: int


class Stand(Struct, gc=False):
    """What one event does to its subject's standing; nothing is written yet."""

    standing: Standing | None = None
    """The row after; None where it stays as it is."""
    rising: Rising | None = None
    family: str = ""
    """Of the event."""
    late: bool = False
    repeated: bool = False
    """The level was High and nothing was told."""


class Standings:
    """Folds by a policy's numbers."""

    def __init__(self, policy: Policy) -> None:
        self._judging = Judging.of(policy.version, policy.standing)
        self._family_of = {id_: each.value for id_, each in families_of(policy).items()}
        self.from_score = policy.standing.from_score
        """Events below say nothing, and need not come here."""

    def __call__(
        self, facts: Facts, folded: Folded, risk: Risk, offset: int, rows: Overlay
    ) -> Stand:
        """Fold one event that scores ``from_score`` at least.

        Args:
            facts: Of the event.
            folded: Has its clipped time.
            risk: Its score, with the details as they may be shown.
            offset: Of its record.
            rows: Has the subject's standing; nothing is written.
        """
        before = rows.standing(facts.subject)
        if before is not None and offset <= before.offset:
            return _UNCHANGED
        cause = self._cause(facts, folded.time_ms, risk)
        event = StandingEvent(facts.subject, offset, cause)
        after, rising = fold_standing(before, event, self._judging)
        if after is before:
            return _UNCHANGED
        if after is None:
            return Stand(late=True)
        repeats = 0 if before is None else before.repeats
        return Stand(after, rising, cause.family, repeated=after.repeats > repeats)

    def _cause(self, facts: Facts, time_ms: int, risk: Risk) -> Cause:
        strongest = risk.signals[0]  # the event types alone do not come to ``from_score``
        if facts.outcome is EventOutcome.FAILURE:
            family = Family.FAILURES.value
        else:
            family = self._family_of[strongest.id]
        return Cause(
            family,
            risk.score,
            time_ms,
            facts.id,
            facts.event_type_id,
            strongest.id,
            strongest.detail[:_DETAIL_CHARACTERS],
        )


def alert_output(facts: Facts, rising: Rising, timestamp: int | None) -> Output:
    """The record for the alerts topic; its key is the subject."""
    standing = rising.standing
    told = standing.told
    assert told is not None  # noqa: S101  (a rising standing was told just now)
    causes = shown_causes(standing)
    after = measure(standing, standing.as_of_ms)
    value = Alert(
        schema_version=SCHEMA_VERSION,
        id=told.alert_id,
        time=format_time(told.time_ms),
        account_id=facts.account_id,
        subject=standing.subject,
        previous=shown_measure(rising.before),
        standing=shown_measure(after, holds_until(standing)),
        policy=standing.decay.policy,
        reasons="; ".join(dict.fromkeys([each.detail for each in causes])),
        causes=causes,
        event_ids=tuple([each.event_id for each in causes]),
        repeats=rising.repeats,
    )
    headers: Headers = alert_headers(value.id, facts, told.time_ms, after.score, after.level)
    return Output(ALERTS, standing.subject.encode(), _ENCODE(value), headers, timestamp)


_ENCODE: Final = msgspec.json.Encoder().encode
_UNCHANGED: Final = Stand()
_DETAIL_CHARACTERS: Final = 300
"""Of a cause: its row stays small whatever an event says of itself."""
