"""Scored events from lines or records into lines of a view."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import msgspec
from msgspec import Raw, Struct

from riskstream.events.topics import SCORED
from riskstream.events.vocabulary import View
from riskstream.views.render import render
from riskstream.views.scored import ScoredEvent, read_scored

__all__ = ["Exporter", "Wanted"]

_SCORED_TOPICS: Final = frozenset(SCORED.values())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; an empty one lets everything pass."""

    since_ms: int | None = None
    """The event's own time, epoch milliseconds."""
    levels: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def takes(self, event: ScoredEvent) -> bool:
        """Whether the event is one of those asked for."""
        return (
            (self.since_ms is None or event.time_ms >= self.since_ms)
            and (not self.levels or event.risk.level in self.levels)
            and (not self.categories or event.category in self.categories)
        )


class _Line(Struct):
    """What tells an output line of ``riskstream score`` from the value of a scored record."""

    topic: str = ""
    value: Raw = Raw()


_LINE: Final = msgspec.json.Decoder(_Line)


@dataclass(slots=True)
class Exporter:
    """Writes one view of what it is given, and keeps count of what is no scored event."""

    view: View
    wanted: Wanted
    seen: int = 0
    written: int = 0
    faults: list[str] = field(default_factory=list)

    def lines(self, lines: Iterable[bytes], out: BinaryIO) -> None:
        """Take NDJSON: values of scored records, or output of ``riskstream score``.

        Of the latter everything but scored events is passed over.
        """
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found = _LINE.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                found = _Line()  # the reader of scored events says what is wrong with it
            if not found.topic:
                self.value(line, f"line {number}", out)
            elif found.topic in _SCORED_TOPICS:
                self.value(bytes(found.value), f"line {number}", out)

    def value(self, value: bytes, place: str, out: BinaryIO) -> None:
        """The value of one scored record; ``place`` names it where it is none."""
        self.seen += 1
        try:
            event = read_scored(value)
            if not self.wanted.takes(event):
                return
            line = render(self.view, event)
        except (ValueError, TypeError) as fault:  # a number that fits no JSON, say
            self.faults.append(f"{place}: no scored event: {fault}")
            return
        out.write(line + b"\n")
        self.written += 1
