"""Which dead letters go back."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskstream.cli.dead_letters import DeadLetterRecord, read_letters
from riskstream.events.topics import RAW
from riskstream.streaming.replay import Letter, Replayed, find_replayed

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["Chosen", "choose", "select"]


@dataclass(slots=True)
class Chosen:
    """What goes back, and what does not."""

    letters: list[Letter] = field(default_factory=list)
    replayed_before: int = 0
    truncated: int = 0
    """Their bytes did not fit into a record: only a hash of them is left."""


async def choose(
    settings: "Settings", reasons: frozenset[str], limit: int | None, *, again: bool
) -> Chosen:
    """Read the dead letters of these reasons and select those that may go back."""
    found: list[DeadLetterRecord] = []
    await read_letters(settings, reasons, found.append)
    if not found:
        return Chosen()
    former = await find_replayed(settings, min(letter.received_ms for letter in found))
    return select(found, former, limit, again=again)


def select(
    found: list[DeadLetterRecord], former: Replayed, limit: int | None, *, again: bool
) -> Chosen:
    """In the order in which they were written, at most ``limit``.

    A letter was replayed before when it was sent back, or when its raw record is a replay.
    """
    chosen = Chosen()
    for record in sorted(found, key=lambda letter: (letter.timestamp, letter.place)):
        topic, partition, offset = record.origin
        replays = former.records.get((partition, offset), 0) if topic == RAW else 0
        if record.truncated:
            chosen.truncated += 1
        elif not again and (replays or (record.partition, record.offset) in former.letters):
            chosen.replayed_before += 1
        else:
            place = (record.partition, record.offset)
            chosen.letters.append(Letter(place, _original_key(record), record.value, replays))
            if len(chosen.letters) == limit:
                break
    return chosen


def _original_key(record: DeadLetterRecord) -> bytes | None:
    """None where the raw record had none: its origin then stands for it."""
    position = "{}-{}-{}".format(*record.origin).encode()
    return None if record.key == position else record.key
