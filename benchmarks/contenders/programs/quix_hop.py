"""One hop on Quix Streams 3 as it comes: ``python -m …quix_hop ingest|assess``.

Rows lie in its state, RocksDB behind changelog topics, under the key of the message.
"""

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]  # in an environment of its own
from quixstreams.models import Serializer  # type: ignore[import-not-found]
from typing_extensions import override

from benchmarks.contenders.programs.core import AssessOne, new_assess, new_ingest
from benchmarks.contenders.programs.place import Place, here
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import ALERTS, CLASSIFIED, DEAD_LETTER, RAW, SCORED

__all__ = ["main"]


class _Value(Serializer):  # type: ignore[misc]
    """The bytes of an output."""

    def __call__(self, value: Output, ctx: Any) -> bytes:  # noqa: ARG002  (Quix's signature)
        return value.value or b""


class _StateBytes(MutableMapping[str, bytes]):
    """One table of the state that Quix gives for the message's key; only that key is there."""

    def __init__(self, table: str) -> None:
        self._table = table
        self.state: Any = None

    @override
    def __getitem__(self, key: str) -> bytes:
        value = self.state.get_bytes(self._table)
        if value is None:
            raise KeyError(key)
        return bytes(value)

    @override
    def __setitem__(self, key: str, value: bytes) -> None:
        self.state.set_bytes(self._table, value)

    @override
    def __delitem__(self, key: str) -> None:
        self.state.delete(self._table)

    @override
    def __contains__(self, key: object) -> bool:
        return bool(self.state.exists(self._table))

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0


def _application(place: Place, hop: str) -> Application:
    return Application(
        broker_address=place.bootstrap_servers,
        consumer_group=f"{place.run}-{hop}",
        auto_offset_reset="earliest",
        state_dir=str(place.directory / hop),
        loglevel="WARNING",
    )


def _topic(app: Application, name: str) -> Any:
    return app.topic(
        name,
        key_serializer="bytes",
        value_serializer=_Value(),
        key_deserializer="bytes",
        value_deserializer="bytes",
    )


def _send(frame: Any, topics: dict[str, Any]) -> None:
    frame = frame.set_headers(lambda output, *_: list(output.headers))
    frame.to_topic(lambda output, *_: topics[output.topic], key=lambda output: output.key)


def _ingest(app: Application) -> None:
    ingest, offsets = new_ingest(), iter(range(2**63))

    def expand(value: bytes, key: bytes, timestamp: int, headers: Any) -> list[Output]:  # noqa: ARG001
        record = InputRecord(RAW, 0, next(offsets), timestamp, key, value)
        return ingest([record]).outputs

    frame = app.dataframe(_topic(app, RAW))
    frame = frame.apply(expand, expand=True, metadata=True)
    _send(frame, {name: _topic(app, name) for name in (CLASSIFIED, DEAD_LETTER)})


def _assess(app: Application) -> None:
    offsets = iter(range(2**63))
    tables = [_StateBytes(name) for name in ("f", "l", "u", "p")]
    assess_one = AssessOne(new_assess(), *tables)

    def score(
        value: bytes,
        key: bytes,
        timestamp: int,
        headers: Any,  # noqa: ARG001  (Quix's signature)
        stored: Any,
    ) -> list[Output]:
        for table in tables:
            table.state = stored
        return assess_one(InputRecord(CLASSIFIED, 0, next(offsets), timestamp, key, value))

    frame = app.dataframe(_topic(app, CLASSIFIED))
    frame = frame.apply(score, stateful=True, expand=True, metadata=True)
    _send(frame, {name: _topic(app, name) for name in (*SCORED.values(), ALERTS, DEAD_LETTER)})


def main() -> None:
    """Build the pipeline of the hop that is named and run it."""
    place, hop = here(), sys.argv[1]
    app = _application(place, hop)
    if hop == "ingest":
        _ingest(app)
    else:
        _assess(app)
    app.run()


if __name__ == "__main__":
    main()
