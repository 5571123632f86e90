"""Where ``riskstream schemas check`` finds documents, and what it finds wrong with them."""

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstream.cli.options import input_file
from riskstream.contract.check import Fault, check_document, check_line, header_texts, validator
from riskstream.contract.registry import TOPIC_SCHEMAS
from riskstream.errors import CheckFailedError, ConfigError
from riskstream.pipeline.outputs import ALERT_TYPE

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["Report", "check_files", "check_topic", "record_faults"]


@dataclass(slots=True)
class Report:
    """How many documents were checked, and what is wrong with which."""

    checked: int = 0
    faulty: list[tuple[str, list[Fault]]] = field(default_factory=list)
    """Where the document stood, and its faults."""

    def add(self, place: str, faults: list[Fault]) -> None:
        """Take in one document."""
        self.checked += 1
        if faults:
            self.faulty.append((place, faults))


def check_files(files: Iterable[str], schema: str | None, limit: int | None) -> Report:
    """Check the documents of files by one schema, or each output line by that of its topic.

    Raises:
        ConfigError: There is no such schema or no such file.
        CheckFailedError: A file is not JSON.
    """
    if schema:
        validator(schema)
    report = Report()
    for place, document in islice(_documents(files), limit):
        report.add(place, check_document(schema, document) if schema else check_line(document))
    return report


async def check_topic(
    settings: "Settings", topic: str, schema: str | None, limit: int | None
) -> Report:
    """Check the records of a topic from its beginning; tombstones are passed over.

    Raises:
        ConfigError: No schema is for this topic and none is named.
        KafkaFaultError: Kafka cannot be reached or lacks the topic.
    """
    from riskstream.streaming.reader import read

    name = schema or TOPIC_SCHEMAS.get(topic)
    if name is None:
        raise ConfigError(f"No schema is for topic {topic}; name one with --schema.")
    validator(name)
    report = Report()
    async with aclosing(read(settings, [topic])) as records:
        async for record in records:
            if record.value is not None:
                place = f"{topic}:{record.partition}:{record.offset}"
                report.add(place, record_faults(name, record))
            if report.checked == limit:
                break
    return report


def record_faults(schema: str, record: Any) -> list[Fault]:
    """What is wrong with a consumed record by this schema; of dead letters with its headers."""
    if schema.startswith("dead_letter"):
        return check_document(schema, header_texts(record.headers))
    if schema == "scored.v1" and ("ce_type", ALERT_TYPE.encode()) in record.headers:
        schema = "alert.v1"  # what `notify` could not send is either
    try:
        return check_document(schema, json.loads(record.value))
    except ValueError as fault:
        return [Fault(schema, "", f"not JSON: {fault}")]


def _documents(files: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Each line of NDJSON, or the one document of a TOML file or of JSON over many lines."""
    for name in files:
        if name == "-":
            yield from _lines(name, sys.stdin.buffer)
            continue
        path = input_file(Path(name))
        if path.suffix == ".toml" or not _begins_with_document(path):
            yield name, _whole(path)
        else:
            with path.open("rb") as lines:
                yield from _lines(name, lines)


def _whole(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as fault:
        raise CheckFailedError(f"{path} is not what its name says: {fault}") from fault


def _begins_with_document(path: Path) -> bool:
    with path.open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"{}")
    try:
        json.loads(first)
    except ValueError:
        return False
    return True


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"{name}:{number}", json.loads(line)
            except ValueError as fault:
                raise CheckFailedError(f"{name}:{number} is not JSON: {fault}") from fault
