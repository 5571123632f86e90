"""Generated records through the pure pipeline, without Kafka."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import orjson

from riskstream.catalog.loader import load_catalog
from riskstream.demo.channels import RawMessage
from riskstream.demo.outcomes import Outcomes
from riskstream.events.outcome import Tally
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import ALERTS, CLASSIFIED, RAW
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.risk.loader import load_policy


@dataclass
class Processed:
    """What came of the records."""

    outcomes: Outcomes = field(default_factory=Outcomes)
    tally: Tally = field(default_factory=Tally)
    types: Counter[str] = field(default_factory=Counter)
    highest: dict[str, int] = field(default_factory=dict)
    """Highest score by story."""


@cache
def ingest() -> Ingest:
    """With the catalog as shipped."""
    return Ingest(load_catalog(), Limits())


def process(messages: Iterable[RawMessage]) -> Processed:
    """Ingest and assess, each record a chunk of its own."""
    found = Processed()
    assess, state = Assess(load_policy(), Limits()), PartitionState()
    offset = 0
    for index, message in enumerate(messages):
        found.outcomes.expect(message.stories)
        record = InputRecord(RAW, 0, index, message.at_ms, message.key, message.value)
        ingested = ingest()([record])
        found.tally.merge(ingested.tally)
        classified = []
        for output in ingested.outputs:
            if output.topic == CLASSIFIED:
                classified.append(
                    InputRecord(CLASSIFIED, 0, offset, message.at_ms, output.key, output.value)
                )
                offset += 1
            else:
                found.outcomes.add(_read(output, index))
        assessed = assess(classified, state)
        state.apply(assessed.changes)
        for output in assessed.outputs:
            if output.topic == ALERTS:
                continue
            found.types[orjson.loads(output.value or b"")["event_type"]["name"]] += 1
            found.outcomes.add(_read(output, index))
    found.highest = {name: story.score for name, story in found.outcomes.stories.items()}
    return found


def _read(output: Output, offset: int) -> InputRecord:
    return InputRecord(output.topic, 0, offset, None, output.key, output.value, output.headers)
