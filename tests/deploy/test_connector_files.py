"""Every connector's files: which topics they take, and whether they still fit what we write."""

import json
import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from riskstream.contract.registry import load
from riskstream.events.topics import SCORED, SCORED_PATTERN, VIEWS, topics_with
from riskstream.events.vocabulary import View
from tests.support.cli import invoke, one_event
from tests.support.mappings import CONNECTORS, data_collection_rule, index_template

ALL = [spec.name for spec in topics_with(View)]
SCORED_TOPICS = list(SCORED.values())
SINKS = sorted(CONNECTORS.glob("*/*-sink.json"))
DOCUMENTED = {
    line.partition("\t")[0]: set(line.partition("\t")[2].split())
    for line in (Path(__file__).parents[1] / "data" / "connector_keys.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
}
"""By connector class the keys that its documentation has, beside those that Connect has for all."""


def properties(name: str) -> dict[str, str]:
    """A file of Java's properties; escapes of backslashes alone."""
    lines = (CONNECTORS / "kafka-connect" / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value.replace("\\\\", "\\") for key, _, value in pairs}


def sink(path: Path) -> dict[str, str]:
    """The settings of a sink."""
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["config"]
    return found


@pytest.mark.parametrize("path", SINKS, ids=lambda path: path.stem)
def test_a_sink_takes_the_scored_topics_and_no_others(path: Path) -> None:
    """By pattern, or by name where the connector knows no other way; committed records alone."""
    config = sink(path)
    if "topics" in config:
        assert config["topics"].split(",") == SCORED_TOPICS
    else:
        assert config["topics.regex"] == SCORED_PATTERN
        assert [name for name in ALL if re.fullmatch(config["topics.regex"], name)] == SCORED_TOPICS
    assert config["consumer.override.isolation.level"] == "read_committed"
    assert config["errors.tolerance"] == "all"
    letters = config["errors.deadletterqueue.topic.name"]
    assert letters not in ALL
    assert not re.fullmatch(SCORED_PATTERN, letters)


@pytest.mark.parametrize("path", SINKS, ids=lambda path: path.stem)
def test_a_sink_has_documented_keys_and_no_secret(path: Path) -> None:
    """A misspelled key is silently ignored by Connect; a secret comes from a file."""
    config = sink(path)
    known = DOCUMENTED["*"] | DOCUMENTED[config["connector.class"]]
    prefixes = ("transforms", "consumer.override.", "key.converter", "value.converter")
    assert {key for key in config if key not in known and not key.startswith(prefixes)} == set()
    assert {type(value) for value in config.values()} == {str}
    for key, value in config.items():
        if re.search(r"password|token|private\.key|username$", key):
            assert value.startswith("${file:")


def test_search_sinks_take_the_event_s_id_for_the_document_s() -> None:
    """Never the key: it is the subject, and stands for many events."""
    for name in ("elasticsearch", "opensearch"):
        config = sink(CONNECTORS / "elasticsearch" / f"{name}-sink.json")
        assert config["transforms.takeId.fields"] == config["transforms.asText.field"] == "id"
        assert (config["key.ignore"], config["schema.ignore"]) == ("false", "true")
        target = re.sub(
            config["transforms.oneIndex.regex"],
            config["transforms.oneIndex.replacement"].replace("$1", r"\1"),
            SCORED_TOPICS[0],
        )
        pattern = index_template()["index_patterns"][0]
        assert target.startswith(pattern.removesuffix("*"))


def test_the_index_template_is_that_of_the_schema() -> None:
    """After a change of the schema: python -m tests.support.mappings."""
    path = CONNECTORS / "elasticsearch" / "index-template.json"
    template = json.loads(path.read_text(encoding="utf-8"))
    assert template == index_template()
    mapped = template["template"]["mappings"]["properties"]
    assert set(mapped) == set(load("scored")["properties"])
    assert mapped["time"] == {"type": "date"}
    assert mapped["source"]["properties"]["ip"]["type"] == "ip"
    assert mapped["raw"]["index"] is False


def test_the_data_collection_rule_is_that_of_the_schema() -> None:
    """The columns, and the table's time, which Azure requires."""
    path = CONNECTORS / "sentinel" / "data-collection-rule.json"
    rule = json.loads(path.read_text(encoding="utf-8"))
    assert rule == data_collection_rule()
    (flow,) = rule["properties"]["dataFlows"]
    assert "TimeGenerated = time" in flow["transformKql"]
    assert flow["streams"] == list(rule["properties"]["streamDeclarations"])
    assert flow["streams"][0] in (CONNECTORS / "sentinel" / "logstash.conf").read_text()


def test_time_partitions_and_timestamps_read_the_event_s_time() -> None:
    """Kafka's timestamp is when it was written."""
    s3, splunk = (sink(CONNECTORS / n / f"{n}-sink.json") for n in ("s3", "splunk"))
    assert (s3["timestamp.extractor"], s3["timestamp.field"]) == ("RecordField", "time")
    value = invoke("score", "-", stdin=json.dumps(one_event(1)).encode()).stdout
    pattern = splunk["timestamp.regex"].replace("?<time>", "?P<time>")
    found = re.search(pattern, value.replace('": "', '":"'))
    assert found is not None
    assert found["time"] == json.loads(value)["value"]["time"]


def test_splunk_s_props_read_scored_events() -> None:
    """Its parser accepts the file, and each alias is a field of the schema."""
    parser = ConfigParser(interpolation=None)
    parser.read(CONNECTORS / "splunk" / "props.conf")
    stanza = parser[sink(CONNECTORS / "splunk" / "splunk-sink.json")["splunk.sourcetypes"]]
    fields = index_template()["template"]["mappings"]
    for key, text in stanza.items():
        if key.startswith("fieldalias-"):
            path = re.match(r'"([a-z_.]+)" AS ', text)
            assert path is not None, text
            found = fields
            for name in path[1].split("."):
                found = found["properties"][name]


def test_snowflake_has_a_table_for_every_topic() -> None:
    """One table; a topic without one would make a table of its own name."""
    pairs = sink(CONNECTORS / "snowflake" / "snowflake-sink.json")["snowflake.topic2table.map"]
    assert [pair.partition(":")[0] for pair in pairs.split(",")] == SCORED_TOPICS


def test_vector_and_fluent_bit_read_committed_scored_events() -> None:
    """One by pattern, the other by name."""
    yaml = YAML(typ="safe")
    vector: Any = yaml.load(CONNECTORS / "vector" / "vector.yaml")
    source = vector["sources"]["riskstream"]
    assert source["topics"] == [SCORED_PATTERN]
    assert source["librdkafka_options"]["isolation.level"] == "read_committed"
    assert vector["sinks"]["elasticsearch"]["id_key"] == "id"
    names = {*vector["sources"], *vector["transforms"]}
    for part in (*vector["transforms"].values(), *vector["sinks"].values()):
        assert set(part["inputs"]) <= names
    bit: Any = yaml.load(CONNECTORS / "fluent-bit" / "fluent-bit.yaml")
    (taken,) = bit["pipeline"]["inputs"]
    assert taken["topics"].split(",") == SCORED_TOPICS
    assert (taken["format"], taken["rdkafka.isolation.level"]) == ("json", "read_committed")
    assert {out["match"] for out in bit["pipeline"]["outputs"]} == {taken["tag"]}


@pytest.mark.parametrize("name", ["logstash/riskstream.conf", "sentinel/logstash.conf"])
def test_logstash_reads_committed_scored_events(name: str) -> None:
    """Its language has no parser here: braces balance, and what matters is there."""
    text = (CONNECTORS / name).read_text(encoding="utf-8")
    bare = re.sub(r'"[^"]*"|#[^\n]*', "", text)
    assert bare.count("{") == bare.count("}") > 4
    assert [part[1] for part in re.finditer(r"^(\w+) \{", text, re.MULTILINE)] == [
        "input",
        "filter",
        "output",
    ]
    assert f'topics_pattern => "{SCORED_PATTERN}"' in text
    assert 'isolation_level => "read_committed"' in text
    assert 'codec => "json"' in text


def test_kafka_connect_s_own_files() -> None:
    """The worker reads committed records; its file sinks take scored events and tables."""
    worker = properties("worker.properties")
    assert worker["consumer.isolation.level"] == "read_committed"
    assert worker["value.converter.schemas.enable"] == "false"
    assert properties("file-scored.properties")["topics.regex"] == SCORED_PATTERN
    taken = properties("file-state.properties")["topics.regex"]
    found = [name for name in ALL if re.fullmatch(taken, name)]
    assert found == ["iam.state.failures.v1", "iam.state.lockouts.v1", "iam.state.users.v1"]


def test_rsyslog_takes_the_cef_view_alone() -> None:
    """Its topic is a pattern of librdkafka's."""
    text = (CONNECTORS / "rsyslog" / "riskstream.conf").read_text(encoding="utf-8")
    found = re.search(r'topic="(\^[^"]+)"', text)
    assert found is not None
    pattern = found[1].replace("\\\\", "\\")
    assert [name for name in ALL if re.fullmatch(pattern, name)] == [VIEWS[View.CEF]]
