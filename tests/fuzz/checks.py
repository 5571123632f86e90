"""What holds for every input, whatever stands in it. Nothing here is about one shape or field.

Both halves of the pipeline run as a worker runs them: chunk by chunk, each applied before the
next. Then they run again on other instances, record by record, with rows that were read back
from the changelog halfway. Both runs must give the same bytes and the same rows.
"""

import hashlib
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NoReturn

import msgspec

from riskstream.contract.check import check_document
from riskstream.contract.registry import TOPIC_SCHEMAS
from riskstream.events.event import Classified
from riskstream.events.outcome import Reason, Stage, Tally
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import (
    ALERTS,
    CLASSIFIED,
    DEAD_LETTER,
    FAILURES,
    LOCKOUTS,
    PROFILES,
    SCORED,
    USERS,
)
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.duplicates import DuplicateFilter
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.outputs import MEMBER, RAW_TRUNCATED, REASON, STAGE
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import TABLES
from riskstream.risk.levels import level_of
from riskstream.risk.loader import load_policy
from riskstream.risk.standing_rows import encode_standing
from riskstream.windows.failures import FailuresRow
from riskstream.windows.lockouts import LockoutsRow
from riskstream.windows.rows import encode_failures, encode_lockouts
from tests.fuzz.inputs import TIGHT, Case, read_case
from tests.support.events import shipped_catalog
from tests.support.risk import live_rows

__all__ = ["BrokenPromiseError", "Cost", "check"]

MAX_KEY: Final = 1024
MAX_HEADERS: Final = 4096
"""Bytes of all headers of one output."""
MAX_ROW: Final = 65_536
"""Bytes of one row of a table."""
PER_EVENT: Final = 8_192
"""Bytes that an event may add to what is written, however short it is."""
PER_BYTE: Final = 12
"""Bytes that are written at most for a byte that came in: text is escaped, and shown again."""
SCHEMA_EVERY: Final = 32
"""The schemas are checked for one input in so many: it takes longer than everything else."""
_WINDOW_MS: Final = 7_200_000
_MAX_IDS: Final = 100_000
_REFERENCE: Final = re.compile(rb"sha256=([0-9a-f]{64}) bytes=([0-9]+) origin=(\S+)")
_HALVES: Final = 2
_LONG_NUMBER: Final = 100
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


class BrokenPromiseError(AssertionError):
    """An input had an end that is in no document."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the first run took."""

    seconds: float
    bytes_in: int
    bytes_out: int
    events: int


@dataclass(slots=True)
class _Run:
    """Everything that one run gave."""

    ingested: list[Output]
    source: list[InputRecord]
    """Records of the classified topic."""
    assessed: list[Output]
    before: Tally
    """Of ingest."""
    after: Tally
    """Of assess."""
    state: PartitionState


def check(
    data: bytes, *, schemas: bool | None = None, clock: Callable[[], float] = time.perf_counter
) -> Cost:
    """Take an input through.

    Args:
        data: See ``inputs``.
        schemas: Whether to check all that is written against the published schemas; without it
            one input in ``SCHEMA_EVERY`` is checked, chosen by its bytes.
        clock: Seconds, for the cost.

    Raises:
        BrokenPromiseError: The input breaks an invariant. Any other exception does so, too.
    """
    case = read_case(data)
    limits = TIGHT if case.tight else Limits()
    began = clock()
    run = _run(case, 0, case.chunk)
    seconds = clock() - began
    if not case.direct:
        _check_ingest(case, run, limits)
    _check_assess(case, run, limits)
    _check_rows(run.state, bounded=not case.direct)
    _check_again(case, run)
    if not case.direct and (schemas or (schemas is None and zlib.crc32(data) % SCHEMA_EVERY == 0)):
        _check_schemas(run)
    outputs = run.ingested + run.assessed
    return Cost(seconds, len(data), sum(map(_size, outputs)), run.before.received)


# --- running


@cache
def _stages(tight: bool, instance: int) -> tuple[Ingest, Assess]:
    """Kept over inputs, as in a worker: what a cache remembers must change nothing."""
    del instance
    limits = TIGHT if tight else Limits()
    return Ingest(shipped_catalog(), limits), Assess(load_policy(), limits)


def _run(case: Case, instance: int, chunk: int, halfway: int | None = None) -> _Run:
    ingest, assess = _stages(case.tight, instance)
    run = _Run([], case.records, [], Tally(), Tally(), PartitionState())
    if not case.direct:
        for records in _chunks(case.records, chunk):
            part = ingest(records)
            run.ingested += part.outputs
            run.before.merge(part.tally)
        run.source = list(_as_records(run.ingested))
    recovered = PartitionState()
    duplicates = DuplicateFilter(_WINDOW_MS, _MAX_IDS) if case.filtered else None
    for records in _chunks(run.source, chunk):
        result = assess(records, run.state, duplicates)
        run.assessed += result.outputs
        run.after.merge(result.tally)
        if recovered is not run.state:
            _recover(recovered, result.changes.changelog(None))
        run.state.apply(result.changes)
        if duplicates is not None and result.changes.seen is not None:
            duplicates.apply(result.changes.seen)
        if halfway is not None and records[-1].offset >= halfway:
            run.state, halfway = recovered, None
    _expect(recovered.watermark_ms == run.state.watermark_ms, "a watermark was not recovered")
    _expect(_shown(recovered) == _shown(run.state), "rows differ from those in the changelog")
    return run


def _chunks(records: list[InputRecord], size: int) -> Iterator[list[InputRecord]]:
    for start in range(0, len(records), size):
        yield records[start : start + size]


def _as_records(outputs: list[Output]) -> Iterator[InputRecord]:
    """What assess reads: one partition has it all."""
    written = [output for output in outputs if output.topic == CLASSIFIED]
    for offset, (topic, key, value, headers, timestamp) in enumerate(written):
        yield InputRecord(topic, 0, offset, timestamp, key, value, headers)


def _recover(state: PartitionState, changelog: list[Output]) -> None:
    for topic in TABLES:
        latest = {output.key: output.value for output in changelog if output.topic == topic}
        if latest:
            state.load_all(topic, latest)


# --- ingest


def _check_ingest(case: Case, run: _Run, limits: Limits) -> None:
    tally, parts = run.before, _classified(run.source)
    events = [part for part in parts if bytes(part.event)]
    letters = [output for output in run.ingested if output.topic == DEAD_LETTER]
    _expect(tally.records == len(case.records), "records uncounted by ingest")
    _expect(tally.received == tally.outcomes + len(events), "events uncounted by ingest")
    _expect(tally.dead_lettered.total() == len(letters), "dead letters uncounted by ingest")
    _expect(tally.effects == len(parts) - len(events), "effects uncounted")
    _expect(tally.routed == 0, "ingest routes nothing")
    by_offset = {record.offset: record for record in case.records}
    for output in letters:
        _check_dead_letter(output, by_offset[_origin(output)], limits)
    for part, written in zip(parts, run.source, strict=True):
        _check_classified(part, written, by_offset[part.origin.offset], limits)
    incoming = sum(len(record.value or b"") for record in case.records)
    most = PER_BYTE * incoming + PER_EVENT * (tally.received + tally.effects)
    _expect(sum(map(_size, run.ingested)) <= most, "ingest writes too much")


def _classified(source: list[InputRecord]) -> list[Classified]:
    return [msgspec.json.decode(record.value or b"", type=Classified) for record in source]


def _check_classified(
    part: Classified, output: InputRecord, origin: InputRecord, limits: Limits
) -> None:
    _expect(output.key == part.facts.subject.encode(), "key and subject differ")
    _expect(
        len(output.value or b"") <= limits.max_classified_bytes, "a classified record too large"
    )
    if not bytes(part.event):
        _expect(part.facts.change is not None, "an effect without a change")
        return
    raw = msgspec.json.decode(part.raw, type=str).encode()
    if part.raw_truncated:
        _expect(_REFERENCE.fullmatch(raw) is not None, "no reference where the text was left out")
    else:
        _expect(raw in (origin.value or b""), "the text of an event was changed")


def _check_dead_letter(output: Output, origin: InputRecord, limits: Limits) -> None:
    headers = dict(output.headers)
    value, payload = origin.value or b"", output.value or b""
    _expect(headers[STAGE].decode() in set(Stage), "unknown stage")
    _expect(headers[REASON].decode() in set(Reason), "unknown reason")
    if headers[REASON] == Reason.INTERNAL_ERROR.value.encode():
        raise BrokenPromiseError(f"internal_error: {output.headers[4][1].decode()}")
    _check_frame(output)
    if RAW_TRUNCATED in headers:
        reference = _REFERENCE.fullmatch(payload)
        if reference is None:
            _fail("no reference where the payload was left out")
        _expect(int(reference[2]) > limits.max_message_bytes, "a payload left out that fits")
        if MEMBER not in headers:
            _expect(hashlib.sha256(value).hexdigest().encode() == reference[1], "a wrong hash")
    elif MEMBER in headers:
        _expect(bool(payload) and payload in value, "the payload is no part of its record")
    else:
        _expect(payload == value, "the payload is not its record")


def _origin(output: Output) -> int:
    return int(dict(output.headers)["__connect.errors.offset"])


# --- assess


def _check_assess(case: Case, run: _Run, limits: Limits) -> None:
    tally = run.after
    scored = [output for output in run.assessed if output.topic not in {DEAD_LETTER, ALERTS}]
    alerts = [output for output in run.assessed if output.topic == ALERTS]
    letters = [output for output in run.assessed if output.topic == DEAD_LETTER]
    _expect(tally.records == len(run.source), "records uncounted by assess")
    _expect(tally.routed == len(scored), "events uncounted by assess")
    _expect(tally.dead_lettered.total() == len(letters), "dead letters uncounted by assess")
    by_offset = {record.offset: record for record in run.source}
    for output in letters:
        _check_dead_letter(output, by_offset[_origin(output)], limits)
    _expect(tally.alerts.total() == len(alerts), "alerts uncounted by assess")
    for output in alerts:
        _check_alert(output, {event_id(each) for each in scored})
    for output in scored:
        _check_scored(output, limits, shaped=not case.direct)
    if case.direct:
        return
    events = sum(bool(bytes(part.event)) for part in _classified(run.source))
    _expect(not letters, "assess refuses what ingest wrote")
    _expect(tally.outcomes == events, "events without an outcome")
    both = run.before.outcomes + tally.outcomes
    _expect(run.before.received == both, "received is not the sum of the outcomes")
    incoming = sum(map(_size, run.source))
    most = 2 * incoming + PER_EVENT * len(run.source)
    _expect(sum(map(_size, run.assessed)) <= most, "assess writes too much")


def _check_scored(output: Output, limits: Limits, *, shaped: bool) -> None:
    _expect(output.topic in SCORED.values(), "a topic that is none of ours")
    _check_frame(output)
    text = output.value or b""
    value: dict[str, Any] = json.loads(text.decode(), parse_constant=_fail, parse_int=_number)
    risk = value["risk"]
    points = [each["points"] for each in risk["signals"]]
    _expect(risk["prior"]["points"] + sum(points) == risk["score"], "points do not add up")
    _expect(0 <= risk["score"] <= 100, "a score out of range")
    _expect(risk["level"] == level_of(risk["score"]), "a level that is not the score's")
    _expect(risk["signal_ids"] == [each["id"] for each in risk["signals"]], "other signal_ids")
    fits = len(text) <= limits.max_message_bytes
    _expect(fits or bool(value.get("raw_truncated")), "an output over the limit")
    if shaped:
        _expect(output.key == value["subject"].encode(), "the key is not the subject")
        _expect(all(part is not None for part in value.values()), "a null on the wire")


def event_id(scored: Output) -> str:
    """By its header."""
    return dict(scored.headers)["ce_id"].decode()


def _check_alert(output: Output, scored: set[str]) -> None:
    _check_frame(output)
    value: dict[str, Any] = json.loads(output.value or b"")
    _expect(output.key == value["subject"].encode(), "an alert under another key")
    _expect(value["standing"]["level"] == "high", "an alert that is not High")
    _expect(set(value["event_ids"]) <= scored, "an alert about events that nobody sees")


def _number(digits: str) -> int | float:
    """Python refuses to read very long ones, and they are JSON all the same."""
    return int(digits) if len(digits) < _LONG_NUMBER else float("inf")


def _check_frame(output: Output) -> None:
    _expect(bool(output.key), "no key")
    _expect(len(output.key) <= MAX_KEY, "a key too long")
    _expect(sum(len(name) + len(value) for name, value in output.headers) <= MAX_HEADERS, "headers")
    for name, value in output.headers:
        _expect(_CONTROL.search(name + value.decode()) is None, "a header not fit to be shown")


# --- rows, the second run, schemas


def _shown(state: PartitionState) -> dict[str, dict[str, Any]]:
    """Rows as their readers see them: an end after the year 9999 is shown as its end."""
    return {
        FAILURES: {key: encode_failures(row) for key, row in state.failures.items()},
        LOCKOUTS: {key: encode_lockouts(row) for key, row in state.lockouts.items()},
        USERS: {key: encode_standing(row) for key, row in state.standings.items()},
        PROFILES: dict(state.profiles.items()),
    }


def _check_rows(state: PartitionState, *, bounded: bool) -> None:
    for topic in TABLES:
        for subject, packed in state.store.scan(topic):
            _expect(bool(subject), "a row without a subject")
            _expect(not bounded or len(packed) <= MAX_ROW, "a row too large")
    for row in state.failures.values():
        _check_failures(row)
    for held in state.lockouts.values():
        _check_lockouts(held)


def _check_failures(row: FailuresRow) -> None:
    for kind in row.kinds:
        for panes in (kind.minutes, kind.quarters):
            _expect(list(panes) == sorted(set(panes)), "panes out of order")
            _expect(all(count > 0 for _, count in panes), "an empty pane")


def _check_lockouts(row: LockoutsRow) -> None:
    _expect(list(row.quarters) == sorted(set(row.quarters)), "panes out of order")
    json.loads(encode_lockouts(row))


def _check_again(case: Case, run: _Run) -> None:
    """Other instances, record by record, with recovered rows."""
    again = _run(case, 1, 1, halfway=len(run.source) // _HALVES)
    _expect(again.ingested == run.ingested, "ingest gives other bytes when cut otherwise")
    _expect(again.assessed == run.assessed, "assess gives other bytes when cut otherwise")
    _expect(again.before.outcomes == run.before.outcomes, "other counts when cut otherwise")
    _expect(again.after.outcomes == run.after.outcomes, "other counts when cut otherwise")
    _expect(_live(again.state) == _live(run.state), "other rows when cut otherwise")


def _live(state: PartitionState) -> dict[str, Any]:
    rows = live_rows(state)
    rows["lockouts"] = {key: encode_lockouts(row) for key, row in rows["lockouts"].items()}
    return rows


def _check_schemas(run: _Run) -> None:
    for output in run.ingested + run.assessed:
        if output.topic == DEAD_LETTER:
            document: Any = {name: value.decode() for name, value in output.headers}
        else:
            document = json.loads(output.value or b"")
        faults = check_document(TOPIC_SCHEMAS[output.topic], document)
        _expect(not faults, f"not as its schema says: {faults[:1]}")
    for topic, shown in _shown(run.state).items():
        for value in shown.values() if topic != PROFILES else ():
            faults = check_document(TOPIC_SCHEMAS[topic], json.loads(value))
            _expect(not faults, f"a row not as its schema says: {faults[:1]}")


def _size(output: Output | InputRecord) -> int:
    headers = sum(len(name) + len(value) for name, value in output.headers)
    return len(output.key or b"") + len(output.value or b"") + headers


def _expect(holds: bool, promise: str) -> None:
    if not holds:
        _fail(promise)


def _fail(promise: str) -> NoReturn:
    raise BrokenPromiseError(promise)
