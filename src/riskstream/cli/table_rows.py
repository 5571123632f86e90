"""The rows of a table, read from its compacted topic to its end."""

from contextlib import aclosing

from riskstream.config import Settings
from riskstream.streaming.reader import read

__all__ = ["read_rows"]


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
