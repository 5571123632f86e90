"""The first half of the pipeline: raw records in, classified records and dead letters out."""

import traceback
from collections.abc import Iterable
from typing import NamedTuple

from riskstream.catalog.catalog import Catalog
from riskstream.events.outcome import DeadLetter, FilterReason, Reason, Stage, Tally
from riskstream.events.record import Output, Record
from riskstream.pipeline.classify import Classifier, Provenance, provenance
from riskstream.pipeline.decode import Found, decode
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.mask import Mask
from riskstream.pipeline.outputs import dead_letter_output
from riskstream.pipeline.surroundings import Surroundings
from riskstream.pipeline.validate import Fault, validate

__all__ = ["Ingest", "Ingested"]


class Ingested(NamedTuple):
    """What became of a chunk."""

    outputs: list[Output]
    """For the classified and the dead-letter topic, in the order of the input."""
    tally: Tally


class Ingest:
    """decode, split, validate, classify. Keeps no state, so chunks may be cut anywhere.

    Never raises on any input: each event ends in an output, or is counted as filtered.
    """

    def __init__(
        self,
        catalog: Catalog,
        limits: Limits,
        mask: Mask | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self._limits = limits
        self._classify = Classifier(catalog, limits, mask, around)

    def __call__(self, records: Iterable[Record]) -> Ingested:
        """Take the records of one chunk through."""
        ingested = Ingested([], Tally())
        self.feed(records, ingested)
        return ingested

    def feed(self, records: Iterable[Record], into: Ingested) -> None:
        """Take some more records through, and add what they lead to."""
        outputs, tally = into
        for record in records:
            tally.records += 1
            self._record(record, outputs, tally)

    def _record(self, record: Record, outputs: list[Output], tally: Tally) -> None:
        value = record.value
        if value is None:
            tally.received += 1
            tally.filtered[FilterReason.TOMBSTONE.value] += 1
            return
        items = self._decode(value)
        tally.received += len(items) or 1
        if not items:
            tally.filtered[FilterReason.EMPTY.value] += 1
            return
        source = provenance(record)
        for item in items:
            letter = self._event(item, source, outputs, tally) if isinstance(item, Found) else item
            if letter is not None:
                limit = self._limits.max_message_bytes
                outputs.append(dead_letter_output(letter, record, limit, tally))

    def _decode(self, value: bytes) -> list[Found | DeadLetter]:
        most = self._limits.max_record_bytes
        if len(value) > most:
            detail = f"{len(value)} bytes, and {most} are allowed"
            return [DeadLetter(Stage.DECODE, Reason.RECORD_TOO_LARGE, detail, value)]
        try:
            return decode(value, self._limits)
        except Exception as fault:  # noqa: BLE001  (nor one met on one record)
            return [_internal_error(Stage.DECODE, fault, value, None)]

    def _event(
        self, found: Found, source: Provenance, outputs: list[Output], tally: Tally
    ) -> DeadLetter | None:
        stage = Stage.VALIDATE
        try:
            valid = validate(found.event, found.data)
            if isinstance(valid, Fault):
                return _letter(stage, valid, found)
            stage = Stage.CLASSIFY
            placed = self._classify(found, valid, source)
            if isinstance(placed, Fault):
                return _letter(stage, placed, found)
        except Exception as fault:  # noqa: BLE001  (a bug met on one event must not stop the rest)
            return _internal_error(stage, fault, found.payload, found.member)
        outputs.append(placed.own)
        tally.truncated += placed.truncated
        if placed.effect is not None:
            outputs.append(placed.effect)
            tally.effects += 1
        return None


def _letter(stage: Stage, fault: Fault, found: Found) -> DeadLetter:
    return DeadLetter(stage, fault.reason, fault.detail, found.payload, found.member)


def _internal_error(
    stage: Stage, fault: Exception, payload: bytes, member: int | None
) -> DeadLetter:
    """Names the exception's class and place; its text could show what is in the event."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "an unknown place"
    detail = f"{type(fault).__name__} in {place}"
    return DeadLetter(stage, Reason.INTERNAL_ERROR, detail, payload, member)
