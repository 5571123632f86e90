"""Whose behaviour an event is, and whom else it affects."""

import pytest

from riskstream.events.keys import name_key
from riskstream.events.vocabulary import Change
from tests.support.events import (
    API_LOCK_USER,
    APP_ACCESS,
    LOGIN_FAILURE,
    ROLE_ASSIGNED,
    UNCATALOGED,
    USER_DELETED,
    USER_LOCKED,
    Fields,
    classified,
    ingest,
    one_event,
    public,
    rest_event,
    shipped_catalog,
    sparse_event,
)

NOBODY: Fields = {
    "user_id": None,
    "user_name": None,
    "actor_user_id": None,
    "actor_user_name": None,
    "actor_system": None,
}


@pytest.mark.parametrize(
    ("fields", "key", "kind", "profiled"),
    [
        ({"event_type_id": LOGIN_FAILURE, "actor_user_id": 9}, "1234:7", "user", True),
        ({"event_type_id": APP_ACCESS, "actor_user_id": 9}, "1234:7", "user", True),
        ({"event_type_id": USER_LOCKED, "actor_user_id": None}, "1234:7", "user", True),
        ({"event_type_id": ROLE_ASSIGNED, "actor_user_id": 9}, "1234:9", "user", True),
        ({"event_type_id": UNCATALOGED, "actor_user_id": 9}, "1234:9", "user", True),
        (
            {
                "event_type_id": ROLE_ASSIGNED,
                "actor_user_id": 9,
                "assuming_acting_user_id": "11",
                "client_id": "abc",
            },
            "1234:11",
            "user",
            True,
        ),
        (
            {
                "event_type_id": ROLE_ASSIGNED,
                "actor_user_id": "",
                "client_id": "abc",
                "actor_system": "API",
            },
            "1234:client:abc",
            "client",
            True,
        ),
        (
            {"event_type_id": ROLE_ASSIGNED, "actor_user_id": None, "client_id": 77},
            "1234:client:77",
            "client",
            True,
        ),
        (
            {"event_type_id": ROLE_ASSIGNED, "actor_user_id": None, "actor_system": "G Suite"},
            "1234:system:G Suite",
            "system",
            True,
        ),
        ({"event_type_id": ROLE_ASSIGNED, "actor_user_id": None}, "1234:7", "user", True),
        ({"event_type_id": ROLE_ASSIGNED} | NOBODY, "1234:type:4", "type", False),
        (
            {"event_type_id": ROLE_ASSIGNED} | NOBODY | {"user_name": "User Seven"},
            "1234:type:4",
            "type",
            False,
        ),
        ({"event_type_id": LOGIN_FAILURE} | NOBODY, "1234:type:6", "type", False),
        ({"event_type_id": LOGIN_FAILURE, "user_id": 0}, "1234:0", "user", True),
    ],
)
def test_the_subject_goes_by_the_kind_of_event(
    fields: Fields, key: str, kind: str, profiled: bool
) -> None:
    """The user acted upon where it signs in; else the first of the principals."""
    part = classified(ingest(rest_event(**fields)))[0]
    assert part.facts.subject == key
    assert (part.facts.subject_type, part.facts.profiled) == (kind, profiled)


@pytest.mark.parametrize("field", ["user_name", "login_name"])
def test_a_name_without_a_user_is_hashed(field: str) -> None:
    """People type passwords there, so it may not stand in a key."""
    event = sparse_event(**(NOBODY | {field: "Hunter2"}))
    result = ingest(event)
    (part,) = classified(result)
    assert part.facts.subject == name_key(1234, "hunter2")
    assert (part.facts.subject_type, part.facts.profiled) == ("name", False)
    assert b"unter2" not in result.outputs[0].key


def test_one_admin_who_deletes_ten_users_is_one_subject() -> None:
    """A burst of ten in the admin's row, and an effect in the row of each user."""
    deletions = [
        rest_event(id=number, event_type_id=USER_DELETED, user_id=number, actor_user_id=9)
        for number in range(100, 110)
    ]
    result = ingest(deletions)
    parts = classified(result)
    events = [part for part in parts if bytes(part.event)]
    effects = [part for part in parts if not bytes(part.event)]
    assert {part.facts.subject for part in events} == {"1234:9"}
    assert len(events) == 10
    assert [part.facts.subject for part in effects] == [f"1234:{n}" for n in range(100, 110)]
    assert {part.facts.change for part in effects} == {Change.SUSPEND}
    assert {part.facts.change for part in events} == {None}
    assert (result.tally.received, result.tally.effects) == (10, 10)


def test_a_lock_by_the_api_is_in_the_row_of_the_locked_user() -> None:
    """The event is the client's behaviour; the effect follows it and belongs to the user."""
    event = rest_event(
        event_type_id=API_LOCK_USER, user_id=7, actor_user_id=None, client_id="abc", notes=None
    )
    result = ingest(event)
    own, effect = classified(result)
    assert [output.key for output in result.outputs] == [b"1234:client:abc", b"1234:7"]
    assert own.facts.change is None
    assert (effect.facts.subject, effect.facts.subject_type) == ("1234:7", "user")
    assert (effect.facts.change, effect.facts.scope) == (Change.LOCK, "account")
    assert effect.facts.profiled
    assert not bytes(effect.event)
    assert not bytes(effect.raw)
    assert (effect.facts.id, effect.origin) == (own.facts.id, own.origin)


def test_a_lock_of_the_subject_itself_needs_no_effect() -> None:
    """The change is on the event's own record."""
    (part,) = classified(ingest(rest_event(event_type_id=USER_LOCKED)))
    assert (part.facts.subject, part.facts.change) == ("1234:7", Change.LOCK)


def test_who_does_it_to_himself_is_one_record() -> None:
    """Actor and user are the same."""
    (part,) = classified(ingest(rest_event(event_type_id=API_LOCK_USER, actor_user_id=7)))
    assert (part.facts.subject, part.facts.change) == ("1234:7", Change.LOCK)


def test_a_change_of_nobody_changes_nothing() -> None:
    """A lock without a user has no row to stand in."""
    (part,) = classified(ingest(rest_event(event_type_id=API_LOCK_USER, user_id=None)))
    assert part.facts.change is None


def test_an_assumed_session_is_the_admins() -> None:
    """Who assumed another user answers for what is done; the record says who it was."""
    _, event = one_event(
        rest_event(event_type_id=UNCATALOGED, actor_user_id=7, assuming_acting_user_id=9)
    )
    assert event.subject == "1234:9"
    assert event.assumed_by is not None
    assert event.assumed_by.id == 9


def test_every_event_type_has_a_subject_and_a_message() -> None:
    """Full, sparse and nearly empty events of each type in the catalog."""
    ids = [entry.id for entry in shipped_catalog().entries if entry.id is not None]
    makers = (rest_event, sparse_event, lambda **fields: rest_event(**NOBODY | fields))
    result = ingest(*[make(event_type_id=type_id) for type_id in ids for make in makers])
    events = [part for part in classified(result) if bytes(part.event)]
    assert result.tally.dead_lettered.total() == 0
    assert len(events) == 3 * len(ids)
    assert all(public(part).message and part.facts.subject for part in events)
