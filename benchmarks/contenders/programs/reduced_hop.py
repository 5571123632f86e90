"""One hop of the reduced job in riskstream's own shell: ``python -m …reduced_hop ingest|assess``.

Everything around the stages is the product: Faust with chunks, one transaction per chunk, the
changelog of the failures table. The same job stands in java/.../ReducedJob.java.
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from benchmarks.contenders.programs.place import here
from benchmarks.contenders.reduced_catalog import (
    FAILURE_EVIDENCE,
    FAILURES_COUNTED,
    ReducedType,
    reduced_types,
)
from riskstream.config import load_settings
from riskstream.errors import KafkaFaultError
from riskstream.events.outcome import Tally
from riskstream.events.record import Output, Record
from riskstream.events.topics import CLASSIFIED, FAILURES
from riskstream.observability.logging import configure_logging
from riskstream.pipeline.ingest import Ingested
from riskstream.streaming import apps
from riskstream.streaming.stages import AssessStage, Processing, Work
from riskstream.streaming.worker import run_worker

__all__ = ["ReducedAssess", "ReducedIngest", "main", "score_record"]

MINUTE_MS: Final = 60_000
LEVELS: Final = ((4, "no"), (25, "low"), (50, "medium"))


class _Raw(Struct):
    account_id: int
    event_type_id: int
    user_id: int | None = None
    id: int | None = None
    uuid: str | None = None
    created_at: str | None = None
    event_timestamp: str | None = None


class _Classified(Struct):
    id: str
    time_ms: int
    type: int
    name: str
    category: str
    failure: bool
    prior: float
    raw: str


class _Scored(Struct):
    id: str
    time: str
    subject: str
    category: str
    event_type_id: int
    event_type: str
    failures_1m: int
    score: int
    level: str
    raw: str


_MEMBERS: Final = msgspec.json.Decoder(list[Raw])
_EVENT: Final = msgspec.json.Decoder(_Raw)
_CLASSIFIED: Final = msgspec.json.Decoder(_Classified)
_ENCODE: Final = msgspec.json.Encoder().encode
_ARRAY: Final = ord("[")


class ReducedIngest:
    """Parse and join the catalog; stands where ``pipeline.ingest.Ingest`` does."""

    def __init__(self, *_: object) -> None:
        self._types = {kind.id: kind for kind in reduced_types()}

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
            value = record.value or b""
            members = _MEMBERS.decode(value) if value[0] == _ARRAY else (value,)
            outputs.extend(self._one(bytes(member), record.timestamp) for member in members)
        tally.received = len(outputs)

    def _one(self, text: bytes, timestamp: int | None) -> Output:
        event = _EVENT.decode(text)
        kind = self._types.get(event.event_type_id) or _unknown(event.event_type_id)
        user = f"type:{kind.id}" if event.user_id is None else event.user_id
        identity = event.uuid if event.id is None else event.id
        classified = _Classified(
            id=f"{event.account_id}:{identity}",
            time_ms=_time_ms(event),
            type=kind.id,
            name=kind.name,
            category=kind.category,
            failure=kind.failure,
            prior=kind.prior,
            raw=text.decode(),
        )
        key = f"{event.account_id}:{user}".encode()
        return Output(CLASSIFIED, key, _ENCODE(classified), (), timestamp)


class ReducedAssess(AssessStage):
    """Count, weigh and route; stands where ``AssessStage`` does and keeps one table."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._counts: dict[int, dict[bytes, tuple[int, int]]] = {}

    @override
    async def recover(self, committed: Mapping[int, int | None]) -> None:
        """A benchmark starts empty and is never rebalanced."""
        if any(committed.values()) or self._counts:
            raise KafkaFaultError("The reduced job cannot take up where another ended.")

    @override
    def begin(self, partition: int, records: Sequence[Record]) -> "_Counting":
        return _Counting(self._counts.setdefault(partition, {}), records[-1].timestamp)


class _Counting(Processing):
    """One chunk."""

    def __init__(self, stored: dict[bytes, tuple[int, int]], timestamp: int | None) -> None:
        self._stored = stored
        self._timestamp = timestamp
        self._changed: dict[bytes, tuple[int, int]] = {}
        self._outputs: list[Output] = []

    @override
    def feed(self, records: Sequence[Record]) -> None:
        stored, changed = self._stored, self._changed
        self._outputs += [score_record(record, stored, changed) for record in records]

    @override
    def finish(self) -> Work:
        changelog = [
            Output(FAILURES, key, b'{"minute":%d,"failures":%d}' % row, (), self._timestamp)
            for key, row in self._changed.items()
        ]
        count = len(self._outputs)
        tally = Tally(records=count, routed=count)
        return Work(self._outputs, changelog, tally, lambda *_: self._stored.update(self._changed))


def score_record(
    record: Record,
    stored: dict[bytes, tuple[int, int]],
    changed: dict[bytes, tuple[int, int]],
) -> Output:
    """The scored record of a classified one.

    Args:
        record: The classified record.
        stored: (minute, failures in it) by key, as last committed.
        changed: The same of this chunk; the record's key is put there if its row changes.
    """
    event = _CLASSIFIED.decode(record.value or b"")
    key = record.key or b""
    minute = event.time_ms // MINUTE_MS
    newest, failures = changed.get(key) or stored.get(key) or (-1, 0)
    if minute != newest:
        failures = 0
    if event.failure and minute >= newest:
        failures += 1
        changed[key] = (minute, failures)
    evidence = event.prior + FAILURE_EVIDENCE * min(failures, FAILURES_COUNTED)
    score = round(100 / (1 + math.exp(1.046 - 1.086 * evidence)))
    scored = _Scored(
        id=event.id,
        time=datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(),
        subject=key.decode(),
        category=event.category,
        event_type_id=event.type,
        event_type=event.name,
        failures_1m=failures,
        score=score,
        level=next((level for most, level in LEVELS if score <= most), "high"),
        raw=event.raw,
    )
    topic = f"iam.scored.{event.category}.v1"
    return Output(topic, key, _ENCODE(scored), (), record.timestamp)


def _unknown(number: int) -> ReducedType:
    return ReducedType(number, "UNKNOWN", "uncataloged", failure=False, prior=-1.0)


def _time_ms(event: _Raw) -> int:
    text = event.created_at or (event.event_timestamp or "").replace(" UTC", "Z")
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def main() -> None:
    """Put the reduced stages into the shell and run the worker of the hop that is named."""
    hop: apps.Role = "ingest" if sys.argv[1] == "ingest" else "assess"
    # The point of this program: the shell stays, its stages are others.
    vars(apps).update(Ingest=ReducedIngest, AssessStage=ReducedAssess)
    settings = load_settings()
    configure_logging(settings.log)
    run_worker(hop, settings, f"{here().run}-{hop}", settings.http.port)


if __name__ == "__main__":
    main()
