"""assess: classified records in, scored records and changed rows out; whole chunks at a time."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from riskstream.errors import RiskstreamError
from riskstream.events.event import SCHEMA_VERSION, Classified, Facts
from riskstream.events.outcome import DeadLetter, FilterReason, Reason, Stage, Tally
from riskstream.events.record import Output, Record
from riskstream.events.vocabulary import Category
from riskstream.pipeline.context import fold_context
from riskstream.pipeline.duplicates import DuplicateFilter, Sightings, hash_id, seen_at
from riskstream.pipeline.fold import Fold, Folded, counts_of, forgive
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.mask import Mask
from riskstream.pipeline.outputs import RAW_TRUNCATED, dead_letter_output, origin_record
from riskstream.pipeline.overlay import Overlay
from riskstream.pipeline.score import Incoming, scored_output
from riskstream.pipeline.standings import Stand, Standings, alert_output
from riskstream.pipeline.state import Changes, PartitionState
from riskstream.pipeline.trace import trace_context
from riskstream.risk.levels import Level
from riskstream.risk.policy import Policy
from riskstream.risk.profile import Profile
from riskstream.risk.scorer import Scorer
from riskstream.risk.situation import Situation
from riskstream.risk.standing import Standing

__all__ = ["Assess", "Assessed", "Assessment", "remember"]


class Assessed(NamedTuple):
    """What one chunk leads to."""

    outputs: list[Output]
    changes: Changes
    tally: Tally


class Assess:
    """Fold, score and route. Holds the policy and no state of its own.

    Each event is all or nothing: its rows are put in place once its scored bytes exist. An
    exception on one event is a bug of ours; it becomes a dead letter and leaves no trace in the
    rows. The same records with the same policy give the same bytes, however they are cut.
    """

    def __init__(
        self, policy: Policy, limits: Limits, mask: Mask | None = None, partitions: int = 1
    ) -> None:
        self._limits = limits
        self._mask = mask
        self._fold = Fold(policy)
        self._score = Scorer(policy, partitions)
        self._standings = Standings(policy)
        self._from_score = self._standings.from_score

    def __call__(
        self,
        records: Iterable[Record],
        state: PartitionState,
        duplicates: DuplicateFilter | None = None,
    ) -> Assessed:
        """Assess a whole chunk; ``begin`` has the arguments."""
        assessment = self.begin(state, duplicates)
        assessment.feed(records)
        return assessment.finish()

    def begin(
        self, state: PartitionState, duplicates: DuplicateFilter | None = None
    ) -> "Assessment":
        """Begin a chunk, whose records are then fed in the order of the partition's log.

        Args:
            state: Not modified: it applies ``changes`` after the commit.
            duplicates: The ids seen before; without it nothing is a duplicate. Not modified
                either: it applies ``changes.seen``.
        """
        return Assessment(self, state, duplicates)

    def record(
        self, record: Record, rows: Overlay, seen: Sightings | None, tally: Tally
    ) -> Output | None:
        """What becomes of one record; None where nothing is written of it."""
        tally.records += 1
        incoming = _decode(record)
        if isinstance(incoming, DeadLetter):
            return dead_letter_output(incoming, record, self._limits.max_message_bytes, tally)
        if seen is not None and _seen_before(incoming, record, seen):
            if incoming.event:
                tally.filtered[FilterReason.DUPLICATE.value] += 1
            return None
        try:
            output = self._one(incoming, record.offset, rows, tally)
        except RiskstreamError:
            raise  # rows that cannot be read are no fault of the event's
        except Exception as fault:  # noqa: BLE001  (a bug on one event must not stop the rest)
            output = self._bug(incoming, fault, tally)
        return output if output is None or not record.headers else _traced(output, record)

    def _one(self, incoming: Incoming, offset: int, rows: Overlay, tally: Tally) -> Output | None:
        facts, said = incoming.classified.facts, incoming.classified.context
        if said is not None and not incoming.event:
            fold_context(facts.subject, said, offset, rows)
            tally.contexts += 1
            return None
        folded = self._fold(incoming.classified, offset, rows)
        if not incoming.event:
            profile = forgive(folded, facts, offset)
            _write(rows, folded, profile, facts.subject)
            tally.effects += 1
            _count(tally, folded, facts)
            return None
        counts = counts_of(folded)
        known = rows.context(facts.subject) if rows.knows else None
        situation = Situation(
            facts,
            folded.time_ms,
            counts,
            folded.held,
            folded.suspended,
            folded.profile,
            rows.tenant,
            folded.failures,
            None if known is None else known.context,
        )
        risk = self._score(situation)
        profile = self._fold.learn(folded, facts, offset, risk.score)
        if incoming.classified.warming:
            _write(rows, folded, profile, facts.subject)
            tally.filtered[FilterReason.WARM_UP.value] += 1
            return None
        limit = self._limits.max_message_bytes
        shown = risk if self._mask is None else self._mask.risk(risk)
        stand = None
        if risk.score >= self._from_score:
            stand = self._standings(facts, folded, shown, offset, rows)
            folded.late |= stand.late
        output, shrunk = scored_output(incoming, shown, counts, _flags(folded), limit)
        if stand is None:
            _write(rows, folded, profile, facts.subject)
        else:
            alert = _alert(incoming.classified, stand, tally)
            _write(rows, folded, profile, facts.subject, stand.standing)
            rows.alert = alert
        tally.routed += 1
        tally.truncated += shrunk
        tally.uncataloged += facts.category is Category.UNCATALOGED
        tally.scores[risk.score] += 1
        tally.scored[_SCORED_AS[facts.category, risk.level]] += 1
        tally.newest_event_ms = max(tally.newest_event_ms, facts.time_ms)
        tally.accounts[facts.account_id] += 1
        tally.types[facts.event_type_id] += 1
        if incoming.classified.received_ms is not None:
            tally.arrivals.append(incoming.classified.received_ms)
        _count(tally, folded, facts)
        return output

    def _bug(self, incoming: Incoming, fault: Exception, tally: Tally) -> Output:
        """The event as it was received, with its origin. An effect's is no outcome: not counted."""
        classified = incoming.classified
        letter = DeadLetter(
            Stage.ASSESS,
            Reason.INTERNAL_ERROR,
            f"{type(fault).__name__} in assess; please report it",
            _received_text(incoming.raw),
            classified.origin.member,
        )
        record, limit = origin_record(classified), self._limits.max_message_bytes
        output = dead_letter_output(letter, record, limit, tally if incoming.event else Tally())
        if not classified.raw_truncated:
            return output
        return output._replace(headers=(*output.headers, (RAW_TRUNCATED, b"true")))


class Assessment:
    """A chunk under way. It may be fed in any number of pieces; the result is the same."""

    def __init__(
        self, assess: Assess, state: PartitionState, duplicates: DuplicateFilter | None
    ) -> None:
        self._assess = assess
        self._rows, self._tally = Overlay(state), Tally()
        self._seen = None if duplicates is None else duplicates.look()
        self._rows.changes.seen = self._seen
        self._outputs: list[Output] = []

    @property
    def outputs(self) -> Sequence[Output]:
        """What has come of the records so far."""
        return self._outputs

    def feed(self, records: Iterable[Record]) -> None:
        """Assess some more records."""
        one, rows, seen, tally = self._assess.record, self._rows, self._seen, self._tally
        put = self._outputs.append
        for record in records:
            output = one(record, rows, seen, tally)
            if output is not None:
                put(output)
                if rows.alert is not None:
                    put(_traced(rows.alert, record))
                    rows.alert = None

    def finish(self) -> Assessed:
        """What the chunk leads to; nothing may be fed after it."""
        rows, seen, tally = self._rows, self._seen, self._tally
        tally.expired_rows += rows.bury()
        tally.forgotten_ids += 0 if seen is None else seen.forgotten
        return Assessed(self._outputs, rows.changes, tally)


def remember(records: Iterable[Record], duplicates: DuplicateFilter) -> None:
    """Enter what was assessed before into a filter, in the order of the partition's log."""
    seen = duplicates.look()
    for record in records:
        incoming = _decode(record)
        if not isinstance(incoming, DeadLetter):
            _seen_before(incoming, record, seen)
    duplicates.apply(seen)


def _decode(record: Record) -> Incoming | DeadLetter:
    value = record.value or b""
    try:
        value.decode()  # the embedded parts are written on as they are
        classified = _DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        return _malformed(value, str(fault))
    if classified.schema_version != SCHEMA_VERSION:
        return _malformed(value, f"schema_version {classified.schema_version} is not known")
    event, raw = bytes(classified.event), bytes(classified.raw)
    if event and (len(event) < _SHORTEST_EVENT or event[0] != _BRACE):
        return _malformed(value, "event is not an object")
    if raw and raw[0] != _QUOTE:
        return _malformed(value, "raw is not a string")
    return Incoming(classified, event, raw)


def _seen_before(incoming: Incoming, record: Record, seen: Sightings) -> bool:
    """Whether this event or effect is a repetition; it counts as seen from now on.

    What comes without a time is none. An event that was sent back from the dead letters had no
    other outcome, so it is none; its effect had its own record and may have been folded.
    """
    classified, effect = incoming.classified, not incoming.event
    time_ms = seen_at(classified.received_ms, record.timestamp)
    if time_ms is None:
        return False
    known = seen.add(hash_id(classified.facts.id, effect), time_ms, record.offset)
    return known and (effect or not classified.replayed)


def _malformed(value: bytes, detail: str) -> DeadLetter:
    return DeadLetter(Stage.ASSESS, Reason.MALFORMED_CLASSIFIED, detail[:500], value)


def _received_text(raw: bytes) -> bytes:
    return msgspec.json.decode(raw, type=str).encode() if raw else b""


def _alert(classified: Classified, stand: Stand, tally: Tally) -> Output | None:
    tally.repeats += stand.repeated
    if stand.rising is None:
        return None
    tally.alerts[stand.family] += 1
    return alert_output(classified.facts, stand.rising, classified.received_ms)


def _write(
    rows: Overlay,
    folded: Folded,
    profile: Profile | None,
    subject: str,
    standing: Standing | None = None,
) -> None:
    rows.write(
        subject,
        folded.failures if folded.failures_changed else None,
        folded.lockouts if folded.lockouts_changed else None,
        None if profile is folded.profile else profile,
        folded.profile,
        standing,
    )


def _traced(output: Output, record: Record) -> Output:
    """With the trace context that the classified record brought along."""
    return output._replace(headers=(*output.headers, *trace_context(record.headers)))


def _flags(folded: Folded) -> bytes:
    if not folded.late and not folded.clipped:
        return b""
    late = b',"late":true' if folded.late else b""
    return late + (b',"time_clipped":true' if folded.clipped else b"")


def _count(tally: Tally, folded: Folded, facts: Facts) -> None:
    tally.late += folded.late
    tally.clipped += folded.clipped
    if folded.failed is not None:
        tally.failures[facts.category.value, folded.failed.value] += 1
    if folded.locked:
        tally.lockouts[facts.scope.value] += 1


_SCORED_AS: Final = {
    (category, level): (category.value, level.value) for category in Category for level in Level
}
"""Reading an enum's value costs more than looking it up."""
_DECODER: Final = msgspec.json.Decoder(Classified)
_SHORTEST_EVENT: Final = len(b'{"a":1}')
_BRACE: Final = ord("{")
_QUOTE: Final = ord('"')
