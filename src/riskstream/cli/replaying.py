"""Which dead letters go back, and their way there."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from riskstream.cli.dead_letters import DeadLetterRecord, as_letter, read_letters
from riskstream.events.topics import DEAD_LETTER, RAW
from riskstream.streaming.reader import read
from riskstream.streaming.replay import Letter, Place, Replayed, find_replayed, send_back

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["Chosen", "choose", "original_key", "select", "send"]


@dataclass(slots=True)
class Chosen:
    """What goes back, and what does not. Holds no payloads: there may be many."""

    places: dict[Place, int] = field(default_factory=dict)
    """The letters that go, and how often their bytes went before."""
    replayed_before: int = 0
    truncated: int = 0
    """Their bytes did not fit into a record: only a hash of them is left."""
    by_reason: Counter[str] = field(default_factory=Counter)
    """Of the letters that go."""


async def choose(
    settings: "Settings", reasons: frozenset[str], limit: int | None, *, again: bool
) -> Chosen:
    """Read the dead letters of these reasons and select those that may go back."""
    found: list[DeadLetterRecord] = []
    await read_letters(settings, reasons, lambda letter: found.append(replace(letter, value=b"")))
    if not found:
        return Chosen()
    former = await find_replayed(settings, min(letter.received_ms for letter in found))
    return select(found, former, limit, again=again)


def select(
    found: list[DeadLetterRecord], former: Replayed, limit: int | None, *, again: bool
) -> Chosen:
    """The oldest first, at most ``limit``.

    A letter was replayed before when it was sent back, or when its raw record is a replay.
    """
    chosen = Chosen()
    for letter in sorted(found, key=lambda one: (one.timestamp, one.partition, one.offset)):
        topic, partition, offset = letter.origin
        place = (letter.partition, letter.offset)
        replays = former.records.get((partition, offset), 0) if topic == RAW else 0
        if letter.truncated:
            chosen.truncated += 1
        elif not again and (replays or place in former.letters):
            chosen.replayed_before += 1
        else:
            chosen.places[place] = replays
            chosen.by_reason[letter.reason] += 1
            if len(chosen.places) == limit:
                break
    return chosen


async def send(settings: "Settings", chosen: Chosen, rate: float | None = None) -> int:
    """Send what was chosen, each partition in its order; returns how many were acknowledged.

    Args:
        settings: Where Kafka is.
        chosen: What goes.
        rate: At most so many letters a second.
    """
    async with aclosing(_letters(settings, chosen)) as letters:
        return await send_back(settings, letters, rate)


async def _letters(settings: "Settings", chosen: Chosen) -> AsyncGenerator[Letter, None]:
    left = dict(chosen.places)
    async with aclosing(read(settings, [DEAD_LETTER])) as records:
        async for record in records:
            place = (record.partition, record.offset)
            if place in left:
                letter = as_letter(record)
                yield Letter(place, original_key(letter), letter.value, left.pop(place))
            if not left:
                return


def original_key(letter: DeadLetterRecord) -> bytes | None:
    """None where the raw record had none: its origin then stands for it."""
    position = "{}-{}-{}".format(*letter.origin).encode()
    return None if letter.key == position else letter.key
