"""Dead letters as the command line sees them."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskstream.events.topics import DEAD_LETTER
from riskstream.pipeline.outputs import (
    CONNECT_OFFSET,
    CONNECT_PARTITION,
    CONNECT_TOPIC,
    DETAIL,
    MEMBER,
    RAW_TRUNCATED,
    REASON,
    STAGE,
    TIMESTAMP,
)

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["DeadLetterRecord", "as_letter", "read_letters"]


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """One record of the dead-letter topic."""

    partition: int
    offset: int
    timestamp: int
    """When it was written, epoch milliseconds."""
    key: bytes | None
    value: bytes
    headers: dict[str, str]

    @property
    def place(self) -> str:
        """``partition:offset``, by which ``dlq show`` finds it."""
        return f"{self.partition}:{self.offset}"

    @property
    def stage(self) -> str:
        """Where in the pipeline it was made."""
        return self.headers.get(STAGE, "")

    @property
    def reason(self) -> str:
        """Why, from the closed set."""
        return self.headers.get(REASON, "")

    @property
    def detail(self) -> str:
        """Why, for people."""
        return self.headers.get(DETAIL, "")

    @property
    def truncated(self) -> bool:
        """The value is a hash of the original bytes, which did not fit."""
        return self.headers.get(RAW_TRUNCATED) == "true"

    @property
    def origin(self) -> tuple[str, int, int]:
        """Topic, partition and offset of the raw record."""
        return (
            self.headers.get(CONNECT_TOPIC, ""),
            _number(self.headers.get(CONNECT_PARTITION)),
            _number(self.headers.get(CONNECT_OFFSET)),
        )

    @property
    def origin_text(self) -> str:
        """``topic-partition-offset``, with ``#member`` where one event of several is meant."""
        member = self.headers.get(MEMBER)
        text = "{}-{}-{}".format(*self.origin)
        return text if member is None else f"{text}#{member}"

    @property
    def received_ms(self) -> int:
        """Timestamp of the raw record where it is known, else this one's own."""
        received = _number(self.headers.get(TIMESTAMP))
        return self.timestamp if received < 0 else min(received, self.timestamp)

    def document(self) -> dict[str, Any]:
        """As JSON, the payload as ``riskstream score`` shows it."""
        from riskstream.cli.scoring import payload_member

        key = None if self.key is None else self.key.decode("utf-8", "replace")
        return {
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "key": key,
            "headers": self.headers,
            **payload_member(self.value),
        }


def as_letter(record: Any) -> DeadLetterRecord:
    """A consumed record as a dead letter."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    return DeadLetterRecord(
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value or b"",
        headers,
    )


async def read_letters(
    settings: "Settings", reasons: frozenset[str], take: Callable[[DeadLetterRecord], None]
) -> None:
    """Hand every dead letter of these reasons (of all when empty) to ``take``."""
    from riskstream.streaming.reader import read

    async with aclosing(read(settings, [DEAD_LETTER])) as records:
        async for record in records:
            letter = as_letter(record)
            if not reasons or letter.reason in reasons:
                take(letter)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else -1
