"""Which scored records a person asked for: by headers first, by the value only where it must be."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from riskstream.events.times import format_time

__all__ = ["EventQuery", "Newest"]


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Filters; an empty one lets everything pass, several must all agree."""

    user: str = ""
    """Id or name of the user acted upon or of the actor, or the subject's key."""
    event_type: str = ""
    """``event_type_id`` or API name."""
    status: str = ""
    levels: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    since_ms: int | None = None
    """The event's own time, epoch milliseconds."""
    event_id: str = ""

    @property
    def filters(self) -> bool:
        """Whether any filter but the time is set."""
        return bool(
            self.user
            or self.event_type
            or self.status
            or self.levels
            or self.categories
            or self.event_id
        )

    def select(self, headers: Sequence[tuple[str, bytes]], value: bytes) -> dict[str, Any] | None:
        """The event, when it is one of those asked for.

        Records that riskstream did not write (without its headers, or not JSON) are none.
        """
        if not self._headers_match(dict(headers)):
            return None
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(event, dict) or not self._value_matches(event):
            return None
        return event

    def _headers_match(self, headers: dict[str, bytes]) -> bool:
        since = "" if self.since_ms is None else format_time(self.since_ms)
        return (
            "ce_id" in headers
            and _within(headers, "risk_level", self.levels)
            and _within(headers, "category", self.categories)
            and (not self.event_id or _text(headers, "ce_id") == self.event_id)
            and _text(headers, "ce_time") >= since
        )

    def _value_matches(self, event: dict[str, Any]) -> bool:
        return (
            (not self.status or event.get("outcome") == self.status)
            and (not self.event_type or _is_type(event, self.event_type.casefold()))
            and (not self.user or _is_about(event, self.user.casefold()))
        )


class Newest:
    """Keeps the newest ``limit`` events by (time, arrival) and forgets the others."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[str, int, dict[str, Any]]] = []
        self._seen = 0

    def add(self, event: dict[str, Any]) -> None:
        """Take one in; the oldest goes when there are too many."""
        self._seen += 1
        entry = (str(event.get("time", "")), self._seen, event)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def seen(self) -> int:
        """How many were taken in."""
        return self._seen

    def newest_first(self) -> list[dict[str, Any]]:
        """What was kept."""
        return [event for _time, _order, event in sorted(self._heap, key=_order, reverse=True)]


def _order(entry: tuple[str, int, dict[str, Any]]) -> tuple[str, int]:
    return entry[:2]


def _text(headers: dict[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode("utf-8", "replace")


def _within(headers: dict[str, bytes], name: str, wanted: frozenset[str]) -> bool:
    return not wanted or _text(headers, name) in wanted


def _is_type(event: dict[str, Any], wanted: str) -> bool:
    event_type = event.get("event_type", {})
    return wanted in {str(event_type.get("id")), str(event_type.get("name", "")).casefold()}


def _is_about(event: dict[str, Any], wanted: str) -> bool:
    names = {str(event.get("subject", "")).casefold()}
    for part in ("user", "actor"):
        who = event.get(part, {})
        names |= {str(who.get("id", "")), str(who.get("name", "")).casefold()}
    return wanted in names
