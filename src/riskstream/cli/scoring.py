"""The pipeline over a file instead of Kafka: every document one record, order kept."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

import orjson

from riskstream.events.outcome import Reason, Tally
from riskstream.events.record import InputRecord, Output, Record
from riskstream.events.topics import CLASSIFIED, DEAD_LETTER
from riskstream.pipeline.context import context_output
from riskstream.pipeline.documents import split_documents
from riskstream.pipeline.duplicates import DuplicateFilter
from riskstream.pipeline.state import PartitionState

if TYPE_CHECKING:
    from riskstream.cli.context_file import UserId
    from riskstream.config import Settings
    from riskstream.events.context import UserContext
    from riskstream.pipeline.assess import Assess
    from riskstream.pipeline.ingest import Ingest

__all__ = ["ORIGIN", "FileScorer", "Summary", "chunks", "documents", "new_scorer", "output_line"]

ORIGIN: Final = "file"
"""The topic that the documents of a file come from; one name for all, so that the output does not
depend on where the file lies."""
LEAST_HELD_BYTES: Final = 32 * 1024 * 1024
"""A document, or a line, that has not ended is held back up to this, or to the largest record
allowed where that is more: so much memory a hostile file can take, ten times over as lines."""
MAX_CHUNK_BYTES: Final = 8 * 1024 * 1024
"""A chunk ends here, however few its records."""


@dataclass(slots=True)
class Summary:
    """What came of the file; ``--summary``."""

    tally: Tally = field(default_factory=Tally)
    by_topic: Counter[str] = field(default_factory=Counter)
    by_level: Counter[str] = field(default_factory=Counter)
    dead_letters_by_reason: Counter[str] = field(default_factory=Counter)

    @property
    def dead_lettered(self) -> int:
        """Events and records that became dead letters."""
        return self.tally.dead_lettered.total()

    @property
    def over_a_limit(self) -> bool:
        """Whether something was refused for its size alone."""
        sizes = (Reason.RECORD_TOO_LARGE, Reason.TOO_MANY_EVENTS)
        return any(reason.value in self.dead_letters_by_reason for reason in sizes)

    def document(self) -> dict[str, object]:
        """As JSON: ``events = routed + dead_lettered + filtered``; by_topic counts lines."""
        return {
            "records": self.tally.records,
            "events": self.tally.received,
            "routed": self.tally.routed,
            "dead_lettered": self.dead_lettered,
            "filtered": self.tally.filtered.total(),
            "by_topic": dict(sorted(self.by_topic.items())),
            "by_level": {level: self.by_level[level] for level in ("no", "low", "medium", "high")},
            "dead_letters_by_reason": dict(sorted(self.dead_letters_by_reason.items())),
        }


class FileScorer:
    """Ingest and assess in one, for one run of records in their order.

    Args:
        ingest: The first stage.
        assess: The second stage; this object keeps its state.
    """

    def __init__(self, ingest: "Ingest", assess: "Assess") -> None:
        self._ingest = ingest
        self._assess = assess
        self.duplicates: DuplicateFilter | None = None
        """The ids seen before; without it nothing is a duplicate."""
        self._state = PartitionState()
        self._offset = 0
        self.summary = Summary()
        """Counts from here on; replace it to count anew."""

    def score(self, chunk: Sequence[Record]) -> Iterator[Output]:
        """The outputs of these records, in the order of their events.

        Dead letters of the first stage stand where their event stood, so the chunk goes through
        the second stage in the runs between them.
        """
        ingested = self._ingest(chunk)
        run: list[InputRecord] = []
        for output in ingested.outputs:
            if output.topic == CLASSIFIED:
                run.append(self._classified(output))
            else:
                yield from self._assessed(run)
                run = []
                yield self._counted(output)
        yield from self._assessed(run)
        tally = self.summary.tally
        tally.merge(ingested.tally)
        self._count_reasons(ingested.tally)

    def know(self, users: "Mapping[UserId, UserContext]") -> None:
        """Go by what is said of these users, from the next record on."""
        said = [context_output(*user, context, 0) for user, context in users.items()]
        for _output in self._assessed([self._classified(each) for each in said]):
            raise AssertionError("context is neither routed nor dead-lettered")

    def _classified(self, output: Output) -> InputRecord:
        offset = self._offset
        self._offset += 1
        return InputRecord(CLASSIFIED, 0, offset, None, output.key, output.value, output.headers)

    def _assessed(self, run: list[InputRecord]) -> Iterator[Output]:
        if not run:
            return
        assessed = self._assess(run, self._state, self.duplicates)
        self._state.apply(assessed.changes)
        if self.duplicates is not None and assessed.changes.seen is not None:
            self.duplicates.apply(assessed.changes.seen)
        tally = assessed.tally
        tally.arrivals.clear()  # one per event, which nobody asks for here
        for (_category, level), count in tally.scored.items():
            self.summary.by_level[level] += count
        self._count_reasons(tally)
        # Its records are the classified ones; the file's are counted by the first stage.
        tally.records = 0
        self.summary.tally.merge(tally)
        for output in assessed.outputs:
            yield self._counted(output)

    def _counted(self, output: Output) -> Output:
        self.summary.by_topic[output.topic] += 1
        return output

    def _count_reasons(self, tally: Tally) -> None:
        for (_stage, reason), count in tally.dead_lettered.items():
            self.summary.dead_letters_by_reason[reason] += count


def new_scorer(settings: "Settings") -> FileScorer:
    """A scorer with the catalog, policy, limits and mask of the settings.

    Raises:
        ConfigError: The overlay, the policy, the mask's key or a file of reference data has faults.
    """
    from riskstream.catalog.loader import load_catalog
    from riskstream.pipeline.assess import Assess
    from riskstream.pipeline.ingest import Ingest
    from riskstream.pipeline.limits import Limits
    from riskstream.pipeline.mask import mask_of
    from riskstream.reference.reference import Reference
    from riskstream.risk.loader import load_policy

    limits = Limits(**settings.limits.model_dump())
    mask = mask_of(settings.privacy.mask_key())
    around = Reference(settings.reference, _untold)
    ingest = Ingest(load_catalog(settings.catalog.overlay), limits, mask, around)
    return FileScorer(ingest, Assess(load_policy(settings.risk.policy), limits, mask))


def _untold(_event: str, /, **_about: object) -> None:
    """Files are read once, so nothing happens to them."""


def documents(file: BinaryIO, max_record_bytes: int) -> Iterator[InputRecord]:
    """The file's documents as records, numbered from 0.

    What is longer than a record may be, and than ``LEAST_HELD_BYTES``, is cut: dead letters both.
    """
    most = max(LEAST_HELD_BYTES, max_record_bytes + 1)
    lines = iter(lambda: file.readline(most), b"")
    for index, document in enumerate(split_documents(lines, most)):
        yield InputRecord(ORIGIN, 0, index, None, None, document)


def chunks(records: Iterable[InputRecord], most: int) -> Iterator[list[InputRecord]]:
    """Cut into lists of at most ``most`` records and about ``MAX_CHUNK_BYTES``."""
    chunk: list[InputRecord] = []
    size = 0
    for record in records:
        chunk.append(record)
        size += len(record.value or b"")
        if len(chunk) >= most or size >= MAX_CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def output_line(output: Output) -> bytes:
    """One line of ``riskstream score`` without its end: topic, key, headers, and the value.

    A scored value stands there byte for byte as it would go to Kafka. The value of a dead letter
    is the original bytes: ``payload`` where they are UTF-8, else ``payload_base64``.
    """
    headers = {name: value.decode("utf-8", "replace") for name, value in output.headers}
    head = {"topic": output.topic, "key": output.key.decode("utf-8", "replace"), "headers": headers}
    if output.topic == DEAD_LETTER:
        return orjson.dumps({**head, **payload_member(output.value or b"")})
    return b'%s,"value":%s}' % (orjson.dumps(head)[:-1], output.value or b"null")


def payload_member(payload: bytes) -> dict[str, str]:
    """The original bytes of a dead letter as a JSON member."""
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": b64encode(payload).decode()}
