"""OCSF: every event type is valid by the published schema of its version."""

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from riskstream.events.event import EventTypeRef
from riskstream.events.vocabulary import Kind
from riskstream.views.ocsf import ocsf
from riskstream.views.placing import OTHER, Placing, load_placings
from riskstream.views.scored import ScoredEvent
from tests.support.events import rest_event, shipped_catalog
from tests.support.views import every_type, scored_event

PLACINGS = load_placings()


@cache
def published() -> dict[str, Any]:
    """The schema as its authors published it, in the package that repeats it."""
    schema: dict[str, Any] = get_ocsf_schema(version=PLACINGS.version)
    return schema


@cache
def validator(class_uid: int) -> Draft202012Validator:
    """Of one class with the profile that carries the risk."""
    embedded = OcsfJsonSchemaEmbedded(published())
    name = embedded.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(embedded.get_class_schema(name, ["security_control"]))


def captions(class_uid: int, attribute: str) -> dict[int, str]:
    """The words of an enumerated attribute."""
    (found,) = [each for each in published()["classes"].values() if each["uid"] == class_uid]
    enum = found["attributes"][attribute]["enum"]
    return {int(number): entry["caption"] for number, entry in enum.items()}


def document(event: ScoredEvent) -> dict[str, Any]:
    """As a consumer reads it."""
    found: dict[str, Any] = json.loads(json.dumps(ocsf(event)))
    return found


def test_every_event_type_is_placed_and_no_other() -> None:
    """By name; and every kind, for types that the file does not have."""
    names = {entry.api_name for entry in shipped_catalog().entries if entry.api_name}
    assert set(PLACINGS.by_name) == names
    assert len(names) == 539
    assert set(PLACINGS.by_kind) == set(Kind)
    for entry in shipped_catalog().entries:  # two have a line in the article and no id
        assert PLACINGS.of(EventTypeRef(0, entry.api_name, entry.title, entry.kind, ""))


@pytest.mark.parametrize(
    "placing",
    sorted({*PLACINGS.by_name.values(), *PLACINGS.by_kind.values()}),
    ids=lambda placing: f"{placing.type_uid} {placing.entity}",
)
def test_placings_are_the_published_words(placing: Placing) -> None:
    """Class, category and activity, by number and by name."""
    (found,) = [
        each for each in published()["classes"].values() if each["uid"] == placing.class_uid
    ]
    assert found["caption"] == placing.class_name
    assert captions(placing.class_uid, "activity_id")[placing.activity_id] == placing.activity
    if placing.class_uid:
        categories = published()["categories"]["attributes"]
        assert categories[found["category"]]["caption"] == placing.category_name
        assert categories[found["category"]]["uid"] == placing.category_uid


def test_every_event_type_is_valid() -> None:
    """With every field there is, as it mostly comes, and with the least."""
    events = every_type()
    assert len(events) >= 3 * 540
    for event in events:
        found = document(event)
        faults = [
            f"{event.event_type.name}: {fault.json_path}: {fault.message[:300]}"
            for fault in validator(found["class_uid"]).iter_errors(found)
        ]
        assert faults == []


def test_numbers_and_words_agree() -> None:
    """The word beside a number is that of the schema, but for an activity that is other."""
    for event in every_type():
        found = document(event)
        assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
        for number, word in (
            ("activity_id", "activity_name"),
            ("severity_id", "severity"),
            ("status_id", "status"),
            ("risk_level_id", "risk_level"),
            ("action_id", "action"),
            ("auth_protocol_id", "auth_protocol"),
            ("account_switch_type_id", "account_switch_type"),
        ):
            if number in found and found[number] != OTHER:
                assert captions(found["class_uid"], number)[found[number]] == found[word]
        if found["activity_id"] == OTHER:
            assert found["activity_name"] == event.event_type.title


def test_the_validator_finds_what_is_wrong() -> None:
    """A document with an unknown attribute, a wrong type or without a required one is none."""
    good = document(scored_event(rest_event()))
    for bad in (
        good | {"colour": "red"},
        good | {"time": "now"},
        {name: part for name, part in good.items() if name != "user"},
        {name: part for name, part in good.items() if name != "service"},
        good | {"severity_id": 77},
    ):
        assert list(validator(good["class_uid"]).iter_errors(bad)) != []


def test_a_failed_login_tells_who_from_where_and_how_bad() -> None:
    """In OCSF's places."""
    event = scored_event(
        rest_event(
            event_type_id=6,
            user_id=7,
            user_name="User Seven",
            actor_user_id=7,
            ipaddr="203.0.113.9",
            notes="Authentication method: password (invalid password).",
        )
    )
    found = document(event)
    assert (found["type_uid"], found["status"]) == (300201, "Failure")
    assert found["status_detail"] == "invalid password"
    assert found["user"] == {"uid": "7", "name": "User Seven"}
    assert found["src_endpoint"] == {"ip": "203.0.113.9"}
    assert found["auth_factors"][0]["factor_type"] == "Password"
    assert found["risk_score"] == event.risk.score
    assert found["metadata"]["uid"] == event.id
    assert {each["name"]: each["value"] for each in found["observables"]} == {
        "src_endpoint.ip": "203.0.113.9",
        "user.name": "User Seven",
        "actor.user.name": "User Seven",
    }


def test_a_granted_privilege_an_assumed_user_and_a_group() -> None:
    """The classes that ask for more."""
    grant = document(
        scored_event(rest_event(event_type_id=72, privilege_id=4, privilege_name="Super user"))
    )
    assert (grant["type_uid"], grant["privileges"]) == (300501, ["Super user"])
    assumed = document(
        scored_event(rest_event(event_type_id=3, user_id=8, actor_user_id=7, user_name="Eight"))
    )
    assert (assumed["type_uid"], assumed["account_switch_type"]) == (300207, "Impersonate")
    assert (assumed["actor"]["user"]["uid"], assumed["user"]["uid"]) == ("7", "8")
    group = document(scored_event(rest_event(event_type_id=3020, group_id=5, group_name="Staff")))
    assert (group["type_uid"], group["group"]) == (300606, {"uid": "5", "name": "Staff"})
    policy = document(scored_event(rest_event(event_type_id=157, policy_id=6, policy_name="P")))
    assert policy["type_uid"] == 300403
    assert policy["entity"] == {
        "type_id": 5,
        "type": "Policy",
        "uid": "6",
        "name": "P",
        "policy": {"uid": "6", "name": "P"},
    }


def test_a_high_risk_is_an_alert() -> None:
    """And no other is."""
    event = scored_event(rest_event(risk_score=90))
    assert event.risk.level == "high"
    assert document(event)["is_alert"] is True
    assert "is_alert" not in document(scored_event(rest_event()))
