"""Scored events of every type, full and sparse, as views get them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from riskstream.events.event import Source
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import ALERTS, CLASSIFIED
from riskstream.events.vendor import VendorEvent
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.risk.loader import load_policy
from riskstream.views.scored import ScoredEvent, read_scored
from tests.support.events import encode, record, rest_event, shipped_catalog, sparse_event

__all__ = ["every_type", "scored_event", "scored_outputs"]

UNKNOWN_TYPE = 987_654
NOBODY = {"account_id": 1234, "created_at": "2026-11-23T13:00:00.847Z"}
"""The least that an event must have."""
PLACE = Source(
    ip="203.0.113.9",
    user_agent="example",
    country="NL",
    city="Utrecht",
    asn=64_496,
    operator="Example Net",
    device="desktop",
    system="Linux",
    browser="Firefox",
    lists=("tor_exits",),
)
"""With all that an operator's files tell."""


def scored_outputs(*events: dict[str, Any]) -> list[Output]:
    """What both hops write of these raw events, scored records alone."""
    ingested = Ingest(shipped_catalog(), Limits())(
        [record(encode(event), offset) for offset, event in enumerate(events)]
    )
    chunk = [
        InputRecord(CLASSIFIED, 0, offset, each.timestamp, each.key, each.value, each.headers)
        for offset, each in enumerate(ingested.outputs)
        if each.topic == CLASSIFIED
    ]
    outputs = Assess(load_policy(), Limits())(chunk, PartitionState()).outputs
    return [output for output in outputs if output.topic != ALERTS]


def scored_event(event: dict[str, Any], **changes: Any) -> ScoredEvent:
    """One raw event scored, with changes to the value written."""
    (output,) = scored_outputs(event)
    return read_scored(json.dumps(json.loads(output.value or b"") | changes).encode())


@cache
def every_type() -> tuple[ScoredEvent, ...]:
    """Each event type with every field there is, as it mostly comes, and with the least."""
    found = []
    for number, type_id in enumerate(_type_ids()):
        for form in (loaded_event(), sparse_event(), NOBODY):
            outputs = scored_outputs(form | {"event_type_id": type_id, "id": number})
            found += [read_scored(output.value or b"") for output in outputs]
        found[-3] = msgspec.structs.replace(found[-3], source=PLACE)
    return tuple(found)


def loaded_event() -> dict[str, Any]:
    """Every field that is read, filled in, and a risk that is high."""
    fields = {
        field.name: 3 if field.name.endswith("_id") else f"a {field.name}"
        for field in msgspec.structs.fields(VendorEvent)
        if field.name.endswith(("_id", "_name", "_title", "_description"))
    }
    changes = {"client_id": "c1", "risk_score": 90, "risk_reasons": "odd", "user_agent": "example"}
    return fields | rest_event(**fields) | changes | {"account_id": 1234, "resolution": 10}


def _type_ids() -> Iterator[int]:
    yield from (entry.id for entry in shipped_catalog().entries if entry.id is not None)
    yield UNKNOWN_TYPE
