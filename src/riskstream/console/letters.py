"""The way back of a dead letter, as ``riskstream dlq replay`` has it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from riskstream.config import Settings
from riskstream.console.store.records import Letter as StoredLetter
from riskstream.errors import CheckFailedError
from riskstream.events.topics import RAW
from riskstream.pipeline.outputs import (
    CONNECT_OFFSET,
    CONNECT_PARTITION,
    CONNECT_TOPIC,
    RAW_TRUNCATED,
    TIMESTAMP,
)
from riskstream.streaming.replay import Letter, find_replayed, send_back

__all__ = ["replay_letter"]


async def replay_letter(settings: Settings, letter: StoredLetter, *, again: bool) -> bool:
    """Send a letter's original bytes back to the raw topic, under their original key.

    Returns:
        Whether it was sent; what was sent back before is, with ``again`` alone.

    Raises:
        CheckFailedError: Its bytes did not fit into a record, so only a hash of them is left.
        KafkaFaultError: Kafka did not take it.
    """
    headers = letter.headers
    if headers.get(RAW_TRUNCATED) == "true":
        raise CheckFailedError("The letter's bytes did not fit: only a hash of them is left.")
    received = _number(headers.get(TIMESTAMP))
    since = letter.written_ms if received < 0 else min(received, letter.written_ms)
    former = await find_replayed(settings, since)
    topic = headers.get(CONNECT_TOPIC, "")
    origin = (_number(headers.get(CONNECT_PARTITION)), _number(headers.get(CONNECT_OFFSET)))
    replays = former.records.get(origin, 0) if topic == RAW else 0
    place = (letter.partition, letter.offset)
    if not again and (replays or place in former.letters):
        return False
    stands_for_origin = "{}-{}-{}".format(topic, *origin).encode()
    key = None if letter.key == stands_for_origin else letter.key
    async with aclosing(_only(Letter(place, key, letter.value, replays))) as letters:
        return await send_back(settings, letters) == 1


async def _only(letter: Letter) -> AsyncGenerator[Letter, None]:
    yield letter


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else -1
