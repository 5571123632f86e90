"""The rows of a table, read from its compacted topic to its end."""

from contextlib import aclosing

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.events.topics import CONTEXT
from riskstream.risk.context_rows import ContextRow, decode_context
from riskstream.streaming.reader import read

__all__ = ["read_context_rows", "read_rows"]


async def read_rows(settings: Settings, topic: str, key: str | None) -> dict[bytes, bytes]:
    """The last value of each key; a tombstone takes its key away."""
    wanted = None if key is None else key.encode()
    rows: dict[bytes, bytes] = {}
    async with aclosing(read(settings, [topic])) as records:
        async for record in records:
            if record.key is None or (wanted is not None and record.key != wanted):
                continue
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = record.value
    return rows


async def read_context_rows(settings: Settings, user: str | None = None) -> dict[str, ContextRow]:
    """What the workers know of users, by subject; of one user where that is named.

    Raises:
        KafkaFaultError: A row is not one of ours.
    """
    rows = await read_rows(settings, CONTEXT, user)
    try:
        return {key.decode(): decode_context(value) for key, value in rows.items()}
    except ValueError as fault:
        raise KafkaFaultError(
            f"{CONTEXT} has rows that riskstream did not write: {fault}."
        ) from fault
