"""One hop on Faust as it comes: ``python -m …faust_hop ingest|assess``.

The defaults of Faust 0.15 throughout, but for what would only slow it down: no web server, and
rows kept as encoded JSON bytes, so that Faust's own JSON codec is not on the way.
"""

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import faust
from typing_extensions import override

from benchmarks.contenders.programs.core import TABLES, AssessOne, new_assess, new_ingest
from benchmarks.contenders.programs.place import Place, here
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import ALERTS, CLASSIFIED, DEAD_LETTER, RAW, SCORED

__all__ = ["main"]


class _TableBytes(MutableMapping[str, bytes]):
    """A Faust table of bytes, with text as keys."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @override
    def __getitem__(self, key: str) -> bytes:
        value: bytes = self._table[key.encode()]
        return value

    @override
    def __setitem__(self, key: str, value: bytes) -> None:
        self._table[key.encode()] = value

    @override
    def __delitem__(self, key: str) -> None:
        del self._table[key.encode()]

    @override
    def __contains__(self, key: object) -> bool:
        return str(key).encode() in self._table

    @override
    def __iter__(self) -> Iterator[str]:
        return (key.decode() for key in self._table)

    @override
    def __len__(self) -> int:
        return len(self._table)


def _record(event: Any) -> InputRecord:
    message = event.message
    return InputRecord(
        message.topic,
        message.partition,
        message.offset,
        int(message.timestamp * 1000),
        message.key,
        message.value,
    )


def _app(place: Place, hop: str) -> Any:
    return faust.App(
        f"{place.run}-{hop}",
        broker=f"kafka://{place.bootstrap_servers}",
        store="memory://",
        datadir=str(place.directory / hop),
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=place.partitions,
        topic_disable_leader=True,
        web_enabled=False,
    )


def _sender(app: Any, *names: str) -> Any:
    topics = {name: app.topic(name, key_type=bytes, value_type=bytes) for name in names}

    async def send(output: Output) -> None:
        await topics[output.topic].send(
            key=output.key,
            value=output.value,
            headers=list(output.headers),
            timestamp=None if output.timestamp is None else output.timestamp / 1000,
        )

    return send


def _ingest(app: Any) -> None:
    ingest, send = new_ingest(), _sender(app, CLASSIFIED, DEAD_LETTER)

    @app.agent(app.topic(RAW, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def expand(stream: Any) -> None:
        async for event in stream.events():
            for output in ingest([_record(event)]).outputs:
                await send(output)


def _assess(app: Any, partitions: int) -> None:
    assess, send = new_assess(), _sender(app, *SCORED.values(), ALERTS, DEAD_LETTER)
    tables = [
        app.Table(name, partitions=partitions, key_type=bytes, value_type=bytes) for name in TABLES
    ]
    # A watermark per partition, as riskstream has it.
    partition_of: dict[int, AssessOne] = {}

    @app.agent(app.topic(CLASSIFIED, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def score(stream: Any) -> None:
        async for event in stream.events():
            record = _record(event)
            assess_one = partition_of.get(record.partition)
            if assess_one is None:
                assess_one = AssessOne(assess, *map(_TableBytes, tables))
                partition_of[record.partition] = assess_one
            for output in assess_one(record):
                await send(output)


def main() -> None:
    """Build the app of the hop that is named and run Faust's own worker."""
    place, hop = here(), sys.argv[1]
    app = _app(place, hop)
    if hop == "ingest":
        _ingest(app)
    else:
        _assess(app, place.partitions)
    app.finalize()
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
