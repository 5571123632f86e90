"""The schemas say what the code writes: fields, closed sets and bounds."""

import tomllib
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from riskstream.contract.check import check_document
from riskstream.contract.registry import load
from riskstream.events.context import UserContext
from riskstream.events.event import (
    Actor,
    App,
    Auth,
    Classified,
    Client,
    Event,
    EventTypeRef,
    Facts,
    Origin,
    Source,
    Target,
    UserRef,
)
from riskstream.events.outcome import Reason, Stage
from riskstream.events.vendor import STRICT_FIELDS, VendorEvent
from riskstream.events.vocabulary import (
    Basis,
    Category,
    Change,
    EventOutcome,
    FailureKind,
    Kind,
    LockScope,
    Sensitivity,
)
from riskstream.events.vocabulary import EventOutcome as Outcome
from riskstream.pipeline import outputs
from riskstream.pipeline.standings import Alert
from riskstream.risk import context_rows, standing_rows
from riskstream.risk.levels import Level
from riskstream.risk.loader import SHIPPED
from riskstream.risk.policy import Family, Policy
from riskstream.risk.scorer import Prior, Risk, Signal, VendorPart
from riskstream.risk.situation import Counts
from riskstream.windows import rows

SCORED = load("scored")
CLASSIFIED = load("classified")
FAILURES = load("failures_row")
LOCKOUTS = load("lockouts_row")
CONTEXT = load("context_row")
USERS = load("users_row")
ALERT = load("alert")
LETTERS = load("dead_letter_headers")
RAW = load("raw_event")

ADDED_BY_ASSESS = {"risk", "windows", "raw", "raw_truncated", "late", "time_clipped"}
ENVELOPE = {"data", "status", "event", "detail", "none"}
"""Of ``VendorEvent``: parts of what an event comes in, and a helper."""


def at(schema: dict[str, Any], *path: str) -> dict[str, Any]:
    """The schema of a property, through arrays and references."""
    found = schema
    for name in path:
        found = found["properties"][name]
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].removeprefix("#/$defs/")]
        if found.get("type") == "array":
            found = found["items"]
    return found


STRUCTS = [
    (at(SCORED, "event_type"), EventTypeRef),
    (at(SCORED, "user"), UserRef),
    (at(SCORED, "actor"), Actor),
    (at(SCORED, "client"), Client),
    (at(SCORED, "app"), App),
    (at(SCORED, "targets"), Target),
    (at(SCORED, "auth"), Auth),
    (at(SCORED, "source"), Source),
    (at(SCORED, "risk"), Risk),
    (at(SCORED, "risk", "prior"), Prior),
    (at(SCORED, "risk", "signals"), Signal),
    (at(SCORED, "risk", "vendor"), VendorPart),
    (at(SCORED, "windows"), Counts),
    (CLASSIFIED, Classified),
    (at(CLASSIFIED, "facts"), Facts),
    (at(CLASSIFIED, "origin"), Origin),
    (at(CLASSIFIED, "event"), Event),
    (FAILURES, rows._Failures),
    (at(FAILURES, "windows"), rows._FailureWindow),
    (at(FAILURES, "panes"), rows.KindPanes),
    (LOCKOUTS, rows._Lockouts),
    (at(LOCKOUTS, "scopes"), rows._Scope),
    (at(LOCKOUTS, "windows"), rows._LockWindow),
    (at(LOCKOUTS, "registers"), rows._Register),
    (CONTEXT, context_rows._Row),
    (at(CLASSIFIED, "context"), UserContext),
    (USERS, standing_rows._Users),
    (at(USERS, "standing"), standing_rows.ShownMeasure),
    (at(USERS, "decay"), standing_rows._Decay),
    (at(USERS, "alert"), standing_rows._Alert),
    (USERS["$defs"]["cause"], standing_rows.ShownCause),
    (ALERT, Alert),
]


@pytest.mark.parametrize(
    ("schema", "struct"), STRUCTS, ids=lambda part: getattr(part, "__name__", "")
)
def test_properties_are_the_fields_that_are_written(
    schema: dict[str, Any], struct: type[Struct]
) -> None:
    """Same names; closed for us as writers; what has no default is required."""
    fields = msgspec.structs.fields(struct)
    assert set(schema["properties"]) == {field.encode_name for field in fields}
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) >= {field.encode_name for field in fields if field.required}


def test_an_alert_and_a_row_share_their_parts() -> None:
    """What a reader learns of one it knows of the other."""
    assert ALERT["$defs"] == USERS["$defs"]
    half_life = at(USERS, "decay")["properties"]["half_life_hours"]
    rule = load("policy")["$defs"]["StandingRule"]["properties"]["half_life_hours"]
    assert (half_life["minimum"], half_life["maximum"]) == (rule["minimum"], rule["maximum"])


def test_a_scored_event_is_an_event_and_what_assess_adds() -> None:
    """The public part is the same in both records."""
    event = {field.encode_name for field in msgspec.structs.fields(Event)}
    assert set(SCORED["properties"]) == event | ADDED_BY_ASSESS
    assert SCORED["additionalProperties"] is False
    public = {name: SCORED["properties"][name] for name in event}
    assert at(CLASSIFIED, "event")["properties"] == public


SETS: list[tuple[dict[str, Any], type[StrEnum]]] = [
    (at(SCORED, "category"), Category),
    (at(SCORED, "outcome"), EventOutcome),
    (at(SCORED, "event_type", "kind"), Kind),
    (at(SCORED, "event_type", "basis"), Basis),
    (SCORED["$defs"]["level"], Level),
    (at(CLASSIFIED, "facts", "category"), Category),
    (at(CLASSIFIED, "facts", "kind"), Kind),
    (at(CLASSIFIED, "facts", "outcome"), Outcome),
    (at(CLASSIFIED, "facts", "sensitivity"), Sensitivity),
    (at(CLASSIFIED, "facts", "change"), Change),
    (at(CLASSIFIED, "facts", "scope"), LockScope),
    (FAILURES["$defs"]["kind"], FailureKind),
    (LOCKOUTS["$defs"]["scope"], LockScope),
    (USERS["$defs"]["level"], Level),
    (USERS["$defs"]["family"], Family),
    (at(LETTERS, outputs.STAGE), Stage),
    (at(LETTERS, outputs.CONNECT_STAGE), Stage),
    (at(LETTERS, outputs.REASON), Reason),
]


@pytest.mark.parametrize(
    ("schema", "members"), SETS, ids=lambda part: getattr(part, "__name__", "")
)
def test_closed_sets_are_the_same(schema: dict[str, Any], members: type[StrEnum]) -> None:
    """In the same order, so that a difference is easy to see."""
    assert schema["enum"] == [member.value for member in members]


def test_dead_letter_headers_are_those_that_are_written() -> None:
    """Every header name of the pipeline's, and no other."""
    written = {getattr(outputs, name) for name in outputs.__all__ if name.isupper()}
    written -= {outputs.ALERT_TYPE, outputs.CE_TYPE_PREFIX, outputs.MAX_KEY_BYTES}
    assert set(LETTERS["properties"]) == written


def test_raw_event_documents_every_vendor_field_that_is_read() -> None:
    """And gives a type to just those whose type can make an event a dead letter."""
    read = {field.encode_name for field in msgspec.structs.fields(VendorEvent)} - ENVELOPE
    assert read - RAW["properties"].keys() == set()
    typed = {name for name, part in RAW["properties"].items() if part.keys() & {"type", "anyOf"}}
    assert typed == STRICT_FIELDS


def test_policy_schema_has_the_models_parts() -> None:
    """Same parts, same fields, same closed sets, same bounds as the model that reads the file."""
    model, schema = Policy.model_json_schema(), load("policy")
    assert set(schema["properties"]) == set(model["properties"])
    assert set(schema["required"]) == set(model["required"])
    assert schema["$defs"].keys() == model["$defs"].keys()
    for name, part in model["$defs"].items():
        own = schema["$defs"][name]
        assert own.get("enum") == part.get("enum")
        assert own.get("properties", {}).keys() == part.get("properties", {}).keys()
        assert own.get("required") == part.get("required")
        for field, rule in part.get("properties", {}).items():
            for bound in ("minimum", "maximum", "exclusiveMinimum"):
                assert own["properties"][field].get(bound) == rule.get(bound), (name, field)


def test_the_shipped_policy_is_valid_by_the_schema() -> None:
    """TOML read as JSON."""
    assert check_document("policy", tomllib.loads(SHIPPED.read_text(encoding="utf-8"))) == []
