"""The AsyncAPI document by AsyncAPI's own parser, and that it is what the code makes."""

import json
import subprocess
from typing import Any

import pytest

from riskstream.contract.asyncapi import FILE_NAME, asyncapi
from riskstream.contract.registry import TOPIC_SCHEMAS, load, schemas_dir
from riskstream.events.topics import NOTIFY_DEAD_LETTER, RAW, topics_with
from riskstream.events.vocabulary import View
from tests.support.cli import invoke
from tests.support.deploy import ROOT

SPECS = topics_with(View)


def committed() -> dict[str, Any]:
    """The file as it ships."""
    found: dict[str, Any] = json.loads((schemas_dir() / FILE_NAME).read_text(encoding="utf-8"))
    return found


def test_the_file_is_what_the_command_prints() -> None:
    """After a change: riskstream schemas asyncapi > schemas/asyncapi.json."""
    printed = json.loads(invoke("schemas", "asyncapi").stdout)
    assert committed() == printed == json.loads(json.dumps(asyncapi()))


def test_every_topic_is_a_channel_with_its_schema() -> None:
    """And riskstream receives raw events and sends everything else."""
    document = committed()
    assert [each["address"] for each in document["channels"].values()] == [s.name for s in SPECS]
    for channel in document["channels"].values():
        (message,) = channel["messages"].values()
        part = document["components"]["messages"][message["$ref"].rpartition("/")[2]]
        schema = TOPIC_SCHEMAS.get(channel["address"])
        payload = part.get("payload", {})
        either = [each.get("$ref") for each in payload.get("oneOf", [])]
        referred = {payload.get("$ref"), part.get("headers", {}).get("$ref"), *either}
        assert schema is None or f"./{schema}.schema.json" in referred
    actions = {each["channel"]["$ref"]: each["action"] for each in document["operations"].values()}
    received = [channel for channel, action in actions.items() if action == "receive"]
    assert [document["channels"][ref.rpartition("/")[2]]["address"] for ref in received] == [RAW]
    assert len(actions) == len(SPECS)


@pytest.mark.tools
def test_asyncapi_s_own_parser_finds_no_fault() -> None:
    """References to the schemas' files included: it tells their titles."""
    done = subprocess.run(
        ["node", "check.mjs", str(schemas_dir() / FILE_NAME)],
        cwd=ROOT / "build" / "asyncapi",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["version"] == "3.0.0"
    assert told["addresses"] == [spec.name for spec in SPECS]
    for topic, schema in TOPIC_SCHEMAS.items():
        if not schema.startswith("dead_letter") and topic != NOTIFY_DEAD_LETTER:  # one of two
            assert told["titles"][topic] == load(schema)["title"]
