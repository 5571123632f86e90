"""What the log says of the work: a line per chunk at debug, a line per dead letter at info.

No line has a value of an event in it: no name, no address, no payload. A dead letter is named by
its place, and its detail names fields and positions (``pipeline.outputs.DETAIL``).
"""

from collections.abc import Sequence
from typing import Final

from aiokafka import TopicPartition
from structlog import get_logger

from riskstream.events.outcome import Tally
from riskstream.events.record import Output
from riskstream.events.topics import DEAD_LETTER
from riskstream.pipeline.outputs import (
    CONNECT_OFFSET,
    CONNECT_PARTITION,
    CONNECT_TOPIC,
    DETAIL,
    MEMBER,
    REASON,
    STAGE,
)

__all__ = ["MOST_LETTERS", "tell_chunk", "tell_dead_letters"]

MOST_LETTERS: Final = 100
"""Dead letters told one by one, per chunk; of the others only the number, or a flood of them
would fill the disk before the brake engages."""

log = get_logger(__name__)


def tell_chunk(  # noqa: PLR0913  (the fields of one line)
    source: TopicPartition,
    start: int,
    end: int,
    tally: Tally,
    *,
    outputs: int,
    processing: float,
    committing: float,
) -> None:
    """The one line about a chunk: where it was, what became of it, how long it took."""
    log.debug(
        "chunk_committed",
        topic=source.topic,
        partition=source.partition,
        start=start,
        end=end,
        records=tally.records,
        events=tally.received or tally.outcomes,
        routed=tally.routed,
        dead_letters=tally.dead_lettered.total(),
        filtered=tally.filtered.total(),
        effects=tally.effects,
        contexts=tally.contexts,
        late=tally.late,
        truncated=tally.truncated,
        outputs=outputs,
        process_seconds=round(processing, 4),
        commit_seconds=round(committing, 4),
    )


def tell_dead_letters(outputs: Sequence[Output]) -> None:
    """A line for each dead letter among what was committed."""
    letters = [output for output in outputs if output.topic == DEAD_LETTER]
    for letter in letters[:MOST_LETTERS]:
        headers = dict(letter.headers)
        log.info(
            "dead_letter",
            topic=headers[CONNECT_TOPIC].decode(),
            partition=int(headers[CONNECT_PARTITION]),
            offset=int(headers[CONNECT_OFFSET]),
            member=int(headers[MEMBER]) if MEMBER in headers else None,
            stage=headers[STAGE].decode(),
            reason=headers[REASON].decode(),
            detail=headers[DETAIL].decode(),
            bytes=len(letter.value or b""),
        )
    if len(letters) > MOST_LETTERS:
        log.info("dead_letters_not_told", count=len(letters) - MOST_LETTERS)
