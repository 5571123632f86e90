"""Checking documents against the published schemas."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from riskstream.contract.registry import TOPIC_SCHEMAS, load

__all__ = ["Fault", "check_document", "check_line", "header_texts", "validator"]

MAX_FAULTS = 20
"""Of one document; more help nobody."""
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one document."""

    schema: str
    place: str
    """JSON pointer into the document; empty for the whole."""
    message: str


@cache
def validator(schema: str) -> Draft202012Validator:
    """A validator of the schema of this name.

    Raises:
        ConfigError: There is no schema of that name.
    """
    document = load(schema)
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def check_document(schema: str, document: Any) -> list[Fault]:
    """What is wrong with the document by this schema; empty when it is valid."""
    found: Iterator[ValidationError] = validator(schema).iter_errors(document)
    faults = [
        Fault(schema, _pointer(error.absolute_path), _short(error.message)) for error in found
    ]
    return sorted(faults, key=lambda fault: (fault.place, fault.message))[:MAX_FAULTS]


def check_line(line: Any) -> list[Fault]:
    """What is wrong with one output line of ``riskstream score``, by the schema of its topic."""
    if not isinstance(line, dict) or not isinstance(line.get("topic"), str):
        return [Fault("", "", "not an output line of `riskstream score`: it has no topic")]
    schema = TOPIC_SCHEMAS.get(line["topic"])
    if schema is None:
        return [Fault("", "/topic", f"no schema is for topic {line['topic']}")]
    part = "headers" if schema.startswith("dead_letter") else "value"
    if part not in line:
        return [Fault(schema, "", f"it has no {part}")]
    return [
        Fault(fault.schema, f"/{part}{fault.place}", fault.message)
        for fault in check_document(schema, line[part])
    ]


def header_texts(headers: Iterable[tuple[str, bytes]]) -> Mapping[str, str]:
    """Record headers as the schemas and ``riskstream score`` show them: an object of texts."""
    return {name: value.decode("utf-8", "replace") for name, value in headers}


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
