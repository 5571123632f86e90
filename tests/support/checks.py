"""What must hold of all that was seen. Each check yields findings; none means that it holds."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.recount import (
    DAY,
    Event,
    Fold,
    count_failures,
    count_lockouts,
    failures_as_counted,
    lockouts_as_counted,
)
from tests.support.seen import FAILURES, LOCKOUTS, Place, Position, Seen

__all__ = ["check_exactly_once", "check_nothing_lost"]

TTL = {FAILURES: 2 * DAY, LOCKOUTS: 14 * DAY}
"""A row this far behind the newest of its partition may be gone."""
SHOWN = 5
"""Examples in one finding."""

Committed = dict[int, int]
"""Offset by partition; absent where there is none."""


def check_exactly_once(
    seen: Seen, raw: Committed | None, classified: Committed | None
) -> list[str]:
    """Every promise of exactly_once.

    Args:
        seen: All records, read_committed.
        raw: Committed offsets of ingest, to check that what lies below is done and nothing else;
            None where all must be done.
        classified: The same of assess.
    """
    return [
        *dict.fromkeys(seen.faults),
        *_check_ingested(seen, raw),
        *_check_scored(seen, classified),
        *_check_alerts(seen),
        *_check_order(seen),
        *_check_tables(seen, classified),
    ]


def check_nothing_lost(seen: Seen) -> list[str]:
    """What at_least_once promises: an outcome or several, and nothing that was never sent."""
    lost = [place for place in seen.events if place not in seen.classified]
    lost += [place for place in seen.broken if place not in seen.dead]
    return [
        *dict.fromkeys(seen.faults),
        *_say("raw events lost", lost),
        *_say("classified events lost", seen.places.keys() - seen.scored.keys()),
        *_say("scored, but never received", seen.scored.keys() - seen.places.keys()),
    ]


def _check_ingested(seen: Seen, committed: Committed | None) -> Iterator[str]:
    """Every sighting is classified once, or a dead letter once; every effect written once."""
    for records, what in ((seen.classified, "classified"), (seen.effects, "effects")):
        twice = [f"{place} {at}" for place, at in records.items() if len(at) > 1]
        yield from _say(f"{what} more than once", twice)
        yield from _say(f"{what}, but never received", records.keys() - seen.events.keys())
    dead = {place: reasons for place, reasons in seen.dead.items() if place not in seen.broken}
    yield from _say("dead letters of good events", [f"{p} {r}" for p, r in dead.items()])
    yield from _say("dead-lettered twice", [p for p, r in seen.dead.items() if len(r) > 1])
    apart = [
        event.id
        for place, event in seen.events.items()
        if event.effect is not None and (place in seen.classified) != (place in seen.effects)
    ]
    yield from _say("not committed together with their effects", apart)
    done = {place: place in seen.classified for place in seen.events}
    done.update({place: place in seen.dead for place in seen.broken})
    yield from _against_offsets("raw", done, committed)


def _check_scored(seen: Seen, committed: Committed | None) -> Iterator[str]:
    """Every classified event is scored once, however often it was sent."""
    repeated = {name: at for name, at in seen.scored.items() if len(at) > 1}
    yield from _say("scored more than once", [f"{n} {at}" for n, at in repeated.items()])
    first = {event.id: at for event, at in _first(seen, seen.classified)}
    yield from _say("scored, but never classified", seen.scored.keys() - first.keys())
    done = {(*at, 0): name in seen.scored for name, at in first.items()}
    yield from _against_offsets("classified", done, committed)


def _check_alerts(seen: Seen) -> Iterator[str]:
    """Each is there once, together with the events that it is about."""
    yield from _say(
        "told more than once", [name for name, at in seen.alerts.items() if len(at) > 1]
    )
    behind = {each for records in seen.alerts.values() for ids in records for each in ids}
    yield from _say("behind an alert, but never scored", behind - seen.scored.keys())


def _check_order(seen: Seen) -> Iterator[str]:
    """Events of one subject from one raw partition keep their order wherever they go."""
    accepted = {event.id: event for event, _ in _first(seen, seen.classified)}
    scored = (
        (at, accepted[name])
        for name, found in seen.scored.items()
        if name in accepted
        for at in found
    )
    classified = (
        (at, seen.events[place])
        for place, found in seen.classified.items()
        if place in seen.events
        for at in found
    )
    yield from _say("scored out of order", _out_of_order(scored))
    yield from _say("classified out of order", _out_of_order(classified))


def _check_tables(seen: Seen, committed: Committed | None) -> Iterator[str]:
    """The rows equal a recount of what is committed."""
    folds = list(_folds(seen, committed))
    yield from _compare(seen, FAILURES, count_failures(folds))
    yield from _compare(seen, LOCKOUTS, count_lockouts(folds, seen.kinds))


def _first(seen: Seen, records: dict[Place, list[Position]]) -> Iterator[tuple[Event, Position]]:
    """Of each event the sighting that its classified partition has first, and where."""
    first: dict[str, tuple[Position, Place]] = {}
    for place, positions in records.items():
        event = seen.events.get(place)
        if event is not None:
            found = min(positions), place
            first[event.id] = min(first.get(event.id, found), found)
    for at, place in first.values():
        yield seen.events[place], at


def _folds(seen: Seen, committed: Committed | None) -> Iterator[Fold]:
    """What the rows must hold: of each event and each effect the first sighting."""
    for records, of_effects in ((seen.classified, False), (seen.effects, True)):
        for event, (part, offset) in _first(seen, records):
            fold = event.effect if of_effects else event.own
            if fold is not None and (committed is None or offset < committed.get(part, 0)):
                yield fold


def _compare(seen: Seen, topic: str, wanted: dict[str, dict[str, Any]]) -> Iterator[str]:
    as_counted = failures_as_counted if topic == FAILURES else lockouts_as_counted
    rows = {
        subject: (part, as_counted(json.loads(value)))
        for subject, (part, value) in seen.rows[topic].items()
        if value is not None
    }
    watermarks: dict[int, int] = defaultdict(int)
    for part, row in rows.values():
        watermarks[part] = max(watermarks[part], row["as_of"])
    places = dict(_located(seen))
    missing, wrong = [], []
    for subject, row in wanted.items():
        held = rows.get(subject)
        if row["as_of"] + TTL[topic] < watermarks[places[subject]]:
            continue  # run out: its tombstone may be written, and it may be begun anew
        if held is None:
            missing.append(subject)
        elif held[1] != row:
            wrong.append(f"{subject}: {held[1]}, counted {row}")
    yield from _say(f"rows missing in {topic}", missing)
    yield from _say(f"wrong rows in {topic}", wrong)
    yield from _say(f"rows in {topic} that nothing led to", rows.keys() - wanted.keys())


def _located(seen: Seen) -> Iterator[tuple[str, int]]:
    """The partition of each subject."""
    for records, of_effects in ((seen.classified, False), (seen.effects, True)):
        for place, positions in records.items():
            event = seen.events.get(place)
            fold = event and (event.effect if of_effects else event.own)
            if fold:
                yield fold.subject, positions[0][0]


def _out_of_order(records: Iterable[tuple[tuple[Any, ...], Event]]) -> Iterator[str]:
    """Records that stand behind a later one of their subject and raw partition."""
    newest: dict[tuple[Any, ...], Place] = {}
    for at, event in sorted(records, key=lambda record: record[0]):
        lane = (*at[:-1], event.subject, event.place[0])
        if newest.get(lane, (-1, -1, -1)) > event.place:
            yield f"{event.id} of {event.subject}"
        newest[lane] = max(newest.get(lane, event.place), event.place)


def _against_offsets(
    hop: str, done: dict[Place, bool], committed: Committed | None
) -> Iterator[str]:
    """Done is all of it, or with committed offsets exactly what lies below them."""
    if committed is None:
        yield from _say(f"{hop} events lost", [place for place, ended in done.items() if not ended])
        return
    lost = [p for p, ended in done.items() if not ended and p[1] < committed.get(p[0], 0)]
    beyond = [p for p, ended in done.items() if ended and p[1] >= committed.get(p[0], 0)]
    yield from _say(f"{hop} events lost below the committed offset", lost)
    yield from _say(f"{hop} events done beyond the committed offset", beyond)


def _say(what: str, found: Iterable[object]) -> Iterator[str]:
    items = list(found)
    if items:
        shown = "; ".join(str(item) for item in items[:SHOWN])
        yield f"{len(items)} {what}: {shown}"
