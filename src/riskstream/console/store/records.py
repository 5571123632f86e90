"""What else the console follows: dead letters and feedback, as they are stored."""

from typing import Annotated, Final, Literal, NamedTuple

import msgspec
import orjson
from msgspec import Meta, Struct

from riskstream.events.record import Record
from riskstream.events.times import format_time, parse_time
from riskstream.pipeline.outputs import REASON, STAGE

__all__ = ["VERDICTS", "Feedback", "Letter", "Remark", "read_letter", "read_remark"]

VERDICTS: Final = {"true_positive": "True positive", "false_positive": "False positive"}
MOST_NOTE: Final = 2000


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Value of a record of the feedback topic: what a person says of a scored event."""

    schema_version: int
    event_id: Annotated[str, Meta(min_length=1, max_length=160)]
    subject: Annotated[str, Meta(min_length=1, max_length=160)]
    verdict: Literal["true_positive", "false_positive"]
    note: Annotated[str, Meta(max_length=MOST_NOTE)] = ""
    author: Annotated[str, Meta(min_length=1, max_length=200)]
    time: str
    """When it was said."""
    event_time: str
    event_type_id: int
    score: Annotated[int, Meta(ge=0, le=100)]
    level: str
    policy: str
    signal_ids: tuple[str, ...] = ()
    """Score, level, policy and signals as they stood on the event."""


class Remark(NamedTuple):
    """Feedback as it is shown."""

    event_id: str
    at_ms: int
    author: str
    verdict: str
    note: str

    @property
    def time(self) -> str:
        """When it was said."""
        return format_time(self.at_ms)

    @property
    def words(self) -> str:
        """The verdict for people."""
        return VERDICTS.get(self.verdict, self.verdict)


class Letter(NamedTuple):
    """A dead letter as it is stored."""

    partition: int
    offset: int
    written_ms: int
    reason: str
    stage: str
    headers: dict[str, str]
    key: bytes | None
    value: bytes

    def stored(self) -> tuple[object, ...]:
        """For the table."""
        return (*self[:5], orjson.dumps(self.headers).decode(), self.key, self.value)

    @classmethod
    def from_stored(cls, row: tuple[int, int, int, str, str, str, bytes | None, bytes]) -> "Letter":
        """From the table."""
        return cls(*row[:5], orjson.loads(row[5]), *row[6:])


_DECODE = msgspec.json.Decoder(Feedback).decode


def read_remark(record: Record) -> Remark | None:
    """A record of the feedback topic; None when it is none of ours."""
    try:
        told = _DECODE(record.value or b"")
        return Remark(told.event_id, parse_time(told.time), told.author, told.verdict, told.note)
    except (msgspec.MsgspecError, ValueError):
        return None


def read_letter(record: Record) -> Letter:
    """A record of the dead-letter topic. Total: who wrote it does not matter."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    return Letter(
        record.partition,
        record.offset,
        record.timestamp or 0,
        headers.get(REASON, ""),
        headers.get(STAGE, ""),
        headers,
        record.key,
        record.value or b"",
    )
