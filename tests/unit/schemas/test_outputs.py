"""Everything that the pipeline writes is valid by the published schemas."""

import json

import orjson

from riskstream.catalog.loader import load_catalog
from riskstream.contract.check import check_document, header_texts
from riskstream.contract.registry import TOPIC_SCHEMAS
from riskstream.demo.generator import generate
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, CONTEXT, DEAD_LETTER, FEEDBACK, PROFILES, RAW
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.risk.loader import load_policy

RECEIVED_MS = 1_795_480_000_000


def faults_of(outputs: list[Output]) -> list[object]:
    """What is wrong with the outputs; profiles are internal and have no schema."""
    found: list[object] = []
    for output in outputs:
        if output.topic == PROFILES or output.value is None:
            continue
        document = (
            dict(header_texts(output.headers))
            if output.topic == DEAD_LETTER
            else orjson.loads(output.value)
        )
        found += check_document(TOPIC_SCHEMAS[output.topic], document)
    return found


def test_a_simulated_tenants_day_leaves_only_valid_records() -> None:
    """Classified, effects, scored, dead letters and rows, of all shapes and stories."""
    limits, state = Limits(max_message_bytes=2500, max_classified_bytes=65_536), PartitionState()
    raw = [
        InputRecord(RAW, 0, offset, RECEIVED_MS, message.key, message.value)
        for offset, message in enumerate(generate(1500, seed=7))
    ]
    ingested = Ingest(load_catalog(), limits)(raw)
    classified = [
        InputRecord(CLASSIFIED, 0, offset, output.timestamp, output.key, output.value)
        for offset, output in enumerate(ingested.outputs)
        if output.topic == CLASSIFIED
    ]
    assessed = Assess(load_policy(), limits)(classified, state)
    rows = assessed.changes.changelog(None)
    topics = {output.topic for output in (*ingested.outputs, *assessed.outputs, *rows)}
    others = {"iam.scored.uncataloged.v1", "iam.notify.dead-letter.v1", FEEDBACK, CONTEXT}
    assert topics >= TOPIC_SCHEMAS.keys() - others
    assert any(b'"raw_truncated":true' in (output.value or b"") for output in assessed.outputs)
    assert faults_of(ingested.outputs) == []
    assert faults_of(assessed.outputs) == []
    assert faults_of(rows) == []


def test_events_that_are_routed_are_valid_raw_events() -> None:
    """The schema of raw events refuses nothing that the pipeline takes."""
    limits = Limits()
    raw = [
        InputRecord(RAW, 0, offset, None, message.key, message.value)
        for offset, message in enumerate(generate(1000, seed=11))
    ]
    received = [
        json.loads(json.loads(output.value)["raw"])
        for output in Ingest(load_catalog(), limits)(raw).outputs
        if output.topic == CLASSIFIED and output.value and b'"raw"' in output.value
    ]
    assert len(received) > 900
    assert [check_document("raw_event", event) for event in received] == [[] for _ in received]
