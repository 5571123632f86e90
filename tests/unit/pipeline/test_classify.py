"""The classified record: the public part, the facts, and what goes along."""

from base64 import b64decode
from typing import Any

import pytest

from riskstream.events.event import App, Source, Target, VendorRisk
from riskstream.events.times import format_time
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.pipeline.classify import REPLAYED
from riskstream.pipeline.envelope import usable_address
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from tests.support.events import (
    API_LOCK_USER,
    LOGIN_SUCCESS,
    ROLE_ASSIGNED,
    TIME,
    TIME_MS,
    UNCATALOGED,
    classified,
    encode,
    full_event,
    one_event,
    raw_text,
    record,
    rest_event,
    shipped_catalog,
    sparse_event,
)


def test_a_login_failure_in_full() -> None:
    """Every part that the event has, and none that it has not."""
    part, event = one_event(rest_event(policy_id=379_268, policy_name="Default policy"))
    assert event.id == "1234:45192178366"
    assert (event.time, event.received_time) == (TIME, format_time(TIME_MS + 2_000))
    assert (event.category, event.outcome) == ("users", "failure")
    assert event.event_type.name == "USER_FAILED_ONELOGIN_LOGIN"
    assert (event.event_type.kind, event.event_type.basis) == ("login_failure", "article")
    assert "User Seven" in event.message
    assert event.user is not None
    assert (event.user.id, event.user.name) == (7, "User Seven")
    assert event.actor is not None
    assert (event.actor.id, event.actor.name, event.actor.system) == (7, "User Seven", None)
    assert event.targets == (Target("policy", "379268", "Default policy"),)
    assert event.auth is not None
    assert (event.auth.method, event.auth.reason) == ("password", "invalid password")
    assert event.source == Source("203.0.113.9")
    assert (event.assumed_by, event.client, event.app, event.error) == (None, None, None, None)
    assert (part.facts.time_ms, part.facts.ip) == (TIME_MS, "203.0.113.9")
    assert (part.facts.user_id, part.facts.actor_user_id) == (7, 7)


def test_absent_parts_are_left_out_and_never_null() -> None:
    """As the wire contract has it."""
    part, _ = one_event(full_event(user_name=None, actor_user_id=None, ipaddr=None))
    assert b"null" not in bytes(part.event)


def test_the_record_carries_origin_key_and_time() -> None:
    """All that assess needs to score it or to dead-letter it."""
    stage = Ingest(shipped_catalog(), Limits())
    raw = record([rest_event(id=1), rest_event(id=2)], 41, key=b"\xffk", timestamp=TIME_MS)
    result = stage([raw])
    _, second = classified(result)
    assert (second.origin.topic, second.origin.partition) == (RAW, 0)
    assert (second.origin.offset, second.origin.member) == (41, 1)
    assert b64decode(second.key or "") == b"\xffk"
    assert second.received_ms == TIME_MS
    assert {(output.topic, output.timestamp) for output in result.outputs} == {
        (CLASSIFIED, TIME_MS)
    }


def test_an_unknown_type_is_uncataloged() -> None:
    """Never dropped; its subject is the principal."""
    part, event = one_event(rest_event(event_type_id=UNCATALOGED))
    assert (event.category, event.event_type.basis) == ("uncataloged", "unknown")
    assert str(UNCATALOGED) in event.message
    assert part.facts.category == "uncataloged"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"user_name": "User Seven"}, "User Seven"),
        ({"user_name": None}, "7"),
        ({"user_name": None, "user_id": None}, "unknown"),
    ],
)
def test_a_message_names_the_user_as_well_as_it_can(fields: dict[str, Any], words: str) -> None:
    """By name, else by id, else as unknown."""
    _, event = one_event(rest_event(event_type_id=LOGIN_SUCCESS, **fields))
    assert words in event.message


def test_an_id_in_a_message_says_whose_it_is() -> None:
    """``user 7`` where the message does not say user itself, and never ``user user 7``."""
    _, lone = one_event(rest_event(event_type_id=LOGIN_SUCCESS, user_name=None))
    assert lone.message.startswith("User 7 ")
    for entry in shipped_catalog().entries:
        if entry.id is None:
            continue
        event = rest_event(
            event_type_id=entry.id, user_name=None, actor_user_name=None, role_id=3, notes=None
        )
        part = classified(Ingest(shipped_catalog(), Limits())([record(event)]))[0]
        message = bytes(part.event).decode()
        assert "user user 7" not in message.casefold()
        assert "role role 3" not in message.casefold()


def test_all_that_an_event_is_about_is_a_target() -> None:
    """Ids become text; an empty id or name is none."""
    _, event = one_event(
        sparse_event(
            role_id=712_587,
            role_name="Engineers",
            group_id="",
            group_name="",
            privilege_name="Super user",
            otp_device_id="18013181",
            task_name="Nightly",
            directory_sync_run_id=1_586_458_888,
            policy_id=-5,
        )
    )
    assert event.targets == (
        Target("role", "712587", "Engineers"),
        Target("otp_device", "18013181"),
        Target("policy", "-5"),
        Target("privilege", None, "Super user"),
        Target("task", None, "Nightly"),
        Target("directory_sync_run", "1586458888"),
    )


def test_client_app_error_and_resolution() -> None:
    """Each in its own part."""
    part, event = one_event(
        sparse_event(
            event_type_id=ROLE_ASSIGNED,
            actor_user_id=None,
            client_id="abc",
            api_credential_name="Sync",
            app_id="77",
            app_name="Wiki",
            error_description="No\nlicence",
            resolution="10",
        )
    )
    assert event.client is not None
    assert (event.client.id, event.client.name) == ("abc", "Sync")
    assert event.app == App(77, "Wiki")
    assert (event.error, event.resolution) == ("No licence", 10)
    assert (part.facts.app_id, part.facts.subject) == (77, "1234:client:abc")


@pytest.mark.parametrize(
    ("score", "reasons", "vendor"),
    [
        (
            48,
            "Infrequent access from 203.0.113.9 (13%)\nLow trust for session (15%)\n",
            VendorRisk(
                48, ("Infrequent access from 203.0.113.9 (13%)", "Low trust for session (15%)")
            ),
        ),
        ("0", None, VendorRisk(0)),
        (100, "a\n" * 50, VendorRisk(100, ("a",) * 32)),
        (101, "a", None),
        (-1, "a", None),
        ("high", "a", None),
        (None, "a", None),
    ],
)
def test_the_vendors_risk(
    score: int | str | None, reasons: str | None, vendor: VendorRisk | None
) -> None:
    """Kept apart, reasons as printed; without a score there is none."""
    part, _ = one_event(rest_event(risk_score=score, risk_reasons=reasons))
    assert part.facts.vendor == vendor


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1%eth0", None),
        ("203.0.113.9, 198.51.100.1", None),
        ("203.0.113.09", None),
        ("localhost", None),
        ("", None),
        ("1" * 100_000, None),
    ],
)
def test_addresses_have_one_form(text: str, address: str | None) -> None:
    """So that the same address is known again, however it is written."""
    assert usable_address(text) == address


def test_text_is_cut_and_cleaned_in_public_and_whole_in_raw() -> None:
    """Names to 1,024 characters, user agents to 512, no control characters."""
    sent = sparse_event(user_name="n\x00" * 2_000, user_agent="a" * 2_000)
    part, event = one_event(sent)
    assert event.user is not None
    assert event.source is not None
    assert len(event.user.name or "") <= 1_024
    assert len(event.source.user_agent or "") == 512
    assert part.facts.user_agent == event.source.user_agent
    assert raw_text(part).encode() == encode(sent)


def test_an_effect_keeps_what_folding_reads() -> None:
    """Facts of the event, under another subject."""
    stage = Ingest(shipped_catalog(), Limits())
    own, effect = classified(
        stage([record(rest_event(event_type_id=API_LOCK_USER, actor_user_id=9))])
    )
    assert effect.received_ms == own.received_ms
    assert effect.key == own.key
    assert effect.facts.time_ms == own.facts.time_ms
    assert (effect.facts.kind, effect.facts.event_type_id) == ("lockout", API_LOCK_USER)


def test_what_was_sent_back_from_the_dead_letters_says_so() -> None:
    """Its event is then no duplicate; its effect may have been folded before."""
    event = rest_event(event_type_id=API_LOCK_USER, actor_user_id=9)
    replayed = record(event)._replace(headers=((REPLAYED, b"1"),))
    parts = [
        classified(Ingest(shipped_catalog(), Limits())([each]))
        for each in (replayed, record(event))
    ]

    assert [[part.replayed for part in each] for each in parts] == [[True, False], [False, False]]
