"""What a replay says of each event against what was said before."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import orjson

from riskstream.events.record import Output
from riskstream.pipeline.duplicates import hash_id
from riskstream.risk.levels import Level

__all__ = ["Change", "Comparison", "Said", "Sayings"]

LEVELS = tuple(level.value for level in Level)
NOT_SCORED = "not scored"
"""Then: the event is in no scored topic."""


class Said(NamedTuple):
    """Score and level of one event."""

    score: int
    level: str

    @classmethod
    def of(cls, headers: Mapping[str, bytes]) -> Self | None:
        """From a scored record's headers; None where it has none."""
        try:
            score, level = int(headers["risk_score"]), headers["risk_level"].decode()
        except (KeyError, ValueError):
            return None
        return cls(score, level) if level in LEVELS else None


class Sayings:
    """What was said, by event id; about 100 bytes of memory per event."""

    def __init__(self) -> None:
        self._packed: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def add(self, headers: Mapping[str, bytes]) -> None:
        """Take in one scored record; of an id that comes twice the later counts."""
        said = Said.of(headers)
        if said is not None and "ce_id" in headers:
            event_id = headers["ce_id"].decode("utf-8", "replace")
            packed = said.score * len(LEVELS) + LEVELS.index(said.level)
            self._packed[hash_id(event_id, effect=False)] = packed

    def get(self, event_id: str) -> Said | None:
        """What was said of this event."""
        packed = self._packed.get(hash_id(event_id, effect=False))
        if packed is None:
            return None
        score, level = divmod(packed, len(LEVELS))
        return Said(score, LEVELS[level])


@dataclass(frozen=True, slots=True)
class Change:
    """An event whose level is another one now."""

    id: str
    time: str
    subject: str
    event_type: str
    then: Said
    now: Said
    reasons: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "time": self.time,
            "subject": self.subject,
            "event_type": self.event_type,
            "then": self.then._asdict(),
            "now": self.now._asdict(),
            "reasons": self.reasons,
        }


@dataclass(slots=True)
class Comparison:
    """Counts all, and keeps the changes that move the score most."""

    keep: int
    """Changes kept."""
    levels: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Events by (level then, level now); ``NOT_SCORED`` where there is no then."""
    score_moved: int = 0
    """Events with another score, whatever the level."""
    _kept: list[tuple[int, int, Change]] = field(default_factory=list)

    def add(self, output: Output, sayings: Sayings) -> Change | None:
        """Compare one scored output; the change, when its level is another one."""
        headers = dict(output.headers)
        now = Said.of(headers)
        if now is None:
            return None
        then = sayings.get(headers["ce_id"].decode())
        self.levels[NOT_SCORED if then is None else then.level, now.level] += 1
        if then is None or then == now:
            return None
        self.score_moved += then.score != now.score
        if then.level == now.level:
            return None
        change = _change(output, then, now)
        entry = (abs(now.score - then.score), -self.levels.total(), change)
        if len(self._kept) < self.keep:
            heapq.heappush(self._kept, entry)
        elif self.keep:
            heapq.heappushpop(self._kept, entry)
        return change

    @property
    def compared(self) -> int:
        """Events that were scored then and now."""
        return self.levels.total() - self.unmatched

    @property
    def unmatched(self) -> int:
        """Events that are in no scored topic."""
        return sum(count for (then, _), count in self.levels.items() if then == NOT_SCORED)

    @property
    def raised(self) -> int:
        """Events with a higher level than then."""
        return self._moved(1)

    @property
    def lowered(self) -> int:
        """Events with a lower level than then."""
        return self._moved(-1)

    @property
    def changes(self) -> list[Change]:
        """Those kept, the largest move of the score first, then as they came."""
        return [
            change for *_, change in sorted(self._kept, key=lambda kept: kept[:2], reverse=True)
        ]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "compared": self.compared,
            "unmatched": self.unmatched,
            "raised": self.raised,
            "lowered": self.lowered,
            "score_moved": self.score_moved,
            "levels": [
                {"then": then, "now": now, "events": self.levels[then, now]}
                for then in (*LEVELS, NOT_SCORED)
                for now in LEVELS
                if self.levels[then, now]
            ],
            "changes": [change.document() for change in self.changes],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """The table of levels: one row per level then, one column per level now."""
        return [
            (then, *(str(self.levels[then, now] or "") for now in LEVELS))
            for then in (*LEVELS, NOT_SCORED)
            if any(self.levels[then, now] for now in LEVELS)
        ]

    def _moved(self, way: int) -> int:
        return sum(
            count
            for (then, now), count in self.levels.items()
            if then in LEVELS and (LEVELS.index(now) - LEVELS.index(then)) * way > 0
        )


def _change(output: Output, then: Said, now: Said) -> Change:
    event = orjson.loads(output.value or b"{}")
    return Change(
        event["id"],
        event["time"],
        event["subject"],
        event["event_type"]["name"],
        then,
        now,
        event["risk"]["reasons"],
    )
