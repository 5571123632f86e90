"""The examples that ship with each schema."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from riskstream.contract.check import check_document
from riskstream.contract.registry import TOPIC_SCHEMAS, examples, load, names, schemas_dir
from riskstream.errors import ConfigError
from riskstream.events.topics import ALL_TOPICS

EXAMPLES = [(name, path) for name in names() for path in examples(name)]


@pytest.mark.parametrize("name", names())
def test_a_schema_is_one_and_says_what_it_is(name: str) -> None:
    """Draft 2020-12, its own $id, a title and a description."""
    schema = load(name)
    Draft202012Validator.check_schema(schema)
    stem, version = name.split(".")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:riskstream:schema:{stem}:{version}"
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", names())
def test_a_schema_has_a_valid_and_several_invalid_examples(name: str) -> None:
    """Named for what they show, and nothing else lies there."""
    kinds = [path.name.split("-")[0].removesuffix(".json") for path in examples(name)]
    assert set(kinds) == {"valid", "invalid"}
    assert kinds.count("invalid") >= 3


@pytest.mark.parametrize(
    ("name", "path"), EXAMPLES, ids=[f"{name}/{path.stem}" for name, path in EXAMPLES]
)
def test_an_example_is_what_its_name_says(name: str, path: Path) -> None:
    """``valid…`` passes, ``invalid-…`` does not."""
    faults = check_document(name, json.loads(path.read_text(encoding="utf-8")))
    assert bool(faults) == path.name.startswith("invalid"), faults


def test_every_example_folder_belongs_to_a_schema() -> None:
    """A renamed schema takes its examples along."""
    folders = {path.name for path in (schemas_dir() / "examples").iterdir()}
    assert folders == set(names())


def test_every_public_output_topic_has_a_schema() -> None:
    """All but the raw topic, which others write, and what is internal."""
    without = {spec.name for spec in ALL_TOPICS} - TOPIC_SCHEMAS.keys()
    internal = {f"iam.internal.{name}.v1" for name in ("profiles", "sources", "notices")}
    assert without == {"iam.events.raw.v1", *internal}
    assert set(TOPIC_SCHEMAS.values()) <= set(names())


def test_a_short_name_finds_version_1() -> None:
    """And an unknown one is told with those there are."""
    assert load("scored") == load("scored.v1")
    with pytest.raises(ConfigError, match=r"no schema nonsense; there are .*scored\.v1"):
        load("nonsense")
