"""ECS: every event type uses fields of the schema alone, with their types and values.

``tests/data/ecs_fields.tsv`` has the fields used as elastic/ecs lists them (``generated/csv``), and
the expected types of each category are those that its documentation of ``event.category`` names.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from riskstream.views.ecs import ecs
from tests.support.events import rest_event
from tests.support.views import every_type, scored_event

FIELDS = {
    row["field"]: row
    for row in csv.DictReader(
        (Path(__file__).parents[2] / "data" / "ecs_fields.tsv")
        .read_text(encoding="utf-8")
        .splitlines(),
        delimiter="\t",
    )
}
EXPECTED_TYPES = {
    "authentication": {"start", "end", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
}
OWN = "riskstream"


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field by its dotted name, but ours."""
    for name, value in node.items():
        if not prefix and name == OWN:
            continue
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def fits(kind: str, value: Any) -> bool:
    """Whether a value has an Elasticsearch type as ECS lists it."""
    if kind.endswith("[]"):
        return isinstance(value, list) and all(fits(kind[:-2], each) for each in value)
    if kind == "date":
        return datetime.fromisoformat(value).tzinfo is not None
    if kind == "ip":
        return bool(ip_address(value))
    expected: type = {"long": int, "float": float}.get(kind, str)
    return type(value) is expected and value != ""


def test_every_event_type_keeps_to_the_field_list() -> None:
    """No field that ECS does not have, none of another type, no value out of a closed set."""
    for event in every_type():
        for name, value in leaves(ecs(event)):
            assert name in FIELDS, name
            assert fits(FIELDS[name]["type"], value), (name, value)
            allowed = set(FIELDS[name]["values"].split())
            given = set(value) if isinstance(value, list) else {value}
            assert not allowed or given <= allowed, (name, value)


def test_every_listed_field_is_used() -> None:
    """The list says what is written, and no more."""
    used = {name for event in every_type() for name, _ in leaves(ecs(event))}
    for type_id in (3, 21):  # another acts: it takes two users
        event = scored_event(rest_event(event_type_id=type_id, user_id=8, actor_user_id=7))
        used |= {name for name, _ in leaves(ecs(event))}
    assert used == set(FIELDS)


def test_types_are_those_expected_of_the_category() -> None:
    """Elastic's rules and dashboards go by the two together."""
    for event in every_type():
        part = ecs(event)["event"]
        assert ("category" in part) == ("type" in part)
        for category in part.get("category", []):
            assert set(part["type"]) <= EXPECTED_TYPES[category], event.event_type.name


def test_who_acted_and_who_was_acted_upon() -> None:
    """The same in a sign-in; two in administration; effective where a user is assumed."""
    login = ecs(scored_event(rest_event(event_type_id=5, user_id=7, actor_user_id=7)))
    assert login["user"] == {"id": "7", "name": "User Seven"}
    lock = rest_event(event_type_id=21, user_id=8, user_name="Eight", actor_user_id=7)
    assert ecs(scored_event(lock))["user"] == {
        "id": "7",
        "name": "User Seven",
        "target": {"id": "8", "name": "Eight"},
    }
    assumed = rest_event(event_type_id=3, user_id=8, user_name="Eight", actor_user_id=7)
    assert ecs(scored_event(assumed))["user"]["effective"] == {"id": "8", "name": "Eight"}


def test_a_high_risk_is_an_alert() -> None:
    """With its reasons and its number."""
    found = ecs(scored_event(rest_event(risk_score=90)))["event"]
    assert (found["kind"], found["risk_score_norm"]) == ("alert", 90.0)
    assert "OneLogin's own risk score is 90" in found["reason"]
    assert ecs(scored_event(rest_event()))["event"]["kind"] == "event"
