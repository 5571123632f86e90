"""How an event ends: exactly one of routed, dead-lettered, filtered; and the counts of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["DeadLetter", "FilterReason", "Outcome", "Reason", "Stage", "Tally"]


class Outcome(StrEnum):
    """The three ends; every event of every raw record has exactly one."""

    ROUTED = "routed"
    DEAD_LETTERED = "dead_lettered"
    FILTERED = "filtered"


class Stage(StrEnum):
    """Where in the pipeline a dead letter was made."""

    DECODE = "decode"
    VALIDATE = "validate"
    CLASSIFY = "classify"
    ASSESS = "assess"


class Reason(StrEnum):
    """Why a record or an event became a dead letter. Closed: consumers may switch on it."""

    INVALID_UTF8 = "invalid_utf8"
    """The bytes are not UTF-8."""
    MALFORMED_JSON = "malformed_json"
    """Not JSON: cut off, NaN, a control character in a string, a lone surrogate, no JSON at all."""
    UNEXPECTED_SHAPE = "unexpected_shape"
    """JSON, but no event and none of the known envelopes."""
    RECORD_TOO_LARGE = "record_too_large"
    """The record has more bytes than ``limits.max_record_bytes``."""
    TOO_MANY_EVENTS = "too_many_events"
    """The record holds more events than ``limits.max_events_per_record``."""
    TOO_DEEP = "too_deep"
    """Nested deeper than ``limits.max_depth``."""
    MISSING_FIELD = "missing_field"
    """A field that every event must have is absent, null or empty."""
    INVALID_FIELD = "invalid_field"
    """A known field has a type or a range that no event has."""
    INVALID_TIME = "invalid_time"
    """The event's time is in no known form."""
    MALFORMED_CLASSIFIED = "malformed_classified"
    """A record of the classified topic that riskstream did not write."""
    INTERNAL_ERROR = "internal_error"
    """A bug of ours met on this one event; the detail names it. Please report it."""


class FilterReason(StrEnum):
    """Why something that came in is neither routed nor a dead letter."""

    TOMBSTONE = "tombstone"
    """A null value: there is nothing in it."""
    EMPTY = "empty"
    """An empty value, only blanks, an empty array or an empty page."""
    DUPLICATE = "duplicate"
    """An event whose id was seen a short while ago: a webhook sent again, polls that overlap."""
    WARM_UP = "warm_up"
    """History that profiles and tables learned from; see ``riskstream warm-up``."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Bad input as a value. ``payload`` is the original bytes, of the member where one is bad."""

    stage: Stage
    reason: Reason
    detail: str
    """For people; one line, at most 500 characters, never more of the payload than a short name."""
    payload: bytes
    member: int | None = None
    """Index of the event within its record; None when the whole record is meant."""


@dataclass(slots=True)
class Tally:
    """Counts of one chunk; moved into the metrics after the commit and never before."""

    records: int = 0
    """Raw (ingest) or classified (assess) records read."""
    received: int = 0
    """Events received, counted by ingest alone; equals the sum of all outcomes at rest."""
    routed: int = 0
    contexts: int = 0
    """Records that say something of a user, taken in by assess."""
    effects: int = 0
    """Effect records written (ingest) or folded (assess); not outcomes."""
    late: int = 0
    clipped: int = 0
    """Events whose time lay in the future and was clipped for folding."""
    truncated: int = 0
    """Outputs that left their raw text behind to fit the largest message."""
    uncataloged: int = 0
    dead_lettered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (stage, reason)."""
    filtered: Counter[str] = field(default_factory=Counter)
    scored: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (category, level)."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failures folded, by (category, failure kind)."""
    lockouts: Counter[str] = field(default_factory=Counter)
    """Locks folded, by scope."""
    alerts: Counter[str] = field(default_factory=Counter)
    """Alerts written, by the family of the event that led to them."""
    repeats: int = 0
    """Events after which a subject stood High and nothing was told, since it had been."""
    scores: Counter[int] = field(default_factory=Counter)
    """Events by score, for the score histogram."""
    accounts: Counter[int] = field(default_factory=Counter)
    """Routed events by account id."""
    types: Counter[int] = field(default_factory=Counter)
    """Routed events by event type id."""
    arrivals: list[int] = field(default_factory=list)
    """Of each routed event the raw record's timestamp, epoch milliseconds; those that have one."""
    newest_event_ms: int = 0
    """Largest event time met, epoch milliseconds; 0 when none."""
    expired_rows: int = 0
    forgotten_ids: int = 0
    """Ids that the duplicate filter gave up before their time, to keep within its bound."""

    def merge(self, other: "Tally") -> None:
        """Add another tally to this one; ``newest_event_ms`` takes the larger."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "newest_event_ms":
                self.newest_event_ms = max(mine, theirs)
            elif isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, name, mine + theirs)

    @property
    def outcomes(self) -> int:
        """Events that have ended: routed, dead-lettered or filtered."""
        return self.routed + self.dead_lettered.total() + self.filtered.total()
