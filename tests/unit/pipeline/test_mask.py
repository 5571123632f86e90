"""Masking: no name and no address gets out, everything that is decided stays the same."""

import json
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.contract.check import check_document
from riskstream.demo.generator import generate
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import ALERTS, CLASSIFIED, DEAD_LETTER, RAW, SCORED
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.mask import MASKED_NETWORK, MASKED_PREFIX, Mask
from riskstream.pipeline.outputs import RAW_TRUNCATED
from riskstream.pipeline.state import PartitionState
from riskstream.risk.loader import load_policy
from tests.support.events import encode, record, rest_event, shipped_catalog

KEY = b"a key that is kept in a file"
MASK = Mask(KEY)
PERSONS = ("user_name", "actor_user_name", "imported_user_name", "login_name")


def outputs(records: list[InputRecord], mask: Mask | None) -> tuple[list[Output], list[Output]]:
    """What both hops write: classified records, and all the others."""
    ingested = Ingest(shipped_catalog(), Limits(), mask)(records).outputs
    classified = [output for output in ingested if output.topic == CLASSIFIED]
    chunk = [
        InputRecord(CLASSIFIED, 0, offset, each.timestamp, each.key, each.value, each.headers)
        for offset, each in enumerate(classified)
    ]
    assessed = Assess(load_policy(), Limits(), mask)(chunk, PartitionState()).outputs
    return classified, [o for o in chain(ingested, assessed) if o.topic != CLASSIFIED]


def scored(event: dict[str, Any], mask: Mask | None = MASK) -> dict[str, Any]:
    """The scored value of one event."""
    output, *_alerts = outputs([record(encode(event))], mask)[1]
    value: dict[str, Any] = json.loads(output.value or b"")
    return value


def told(records: list[InputRecord], fields: tuple[str, ...]) -> set[str]:
    """All that these fields hold, in whatever shape the events come."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (node[f].strip() for f in fields if isinstance(node.get(f), str))
            yield from chain.from_iterable(map(walk, node.values()))
        elif isinstance(node, list):
            yield from chain.from_iterable(map(walk, node))

    found: set[str] = set()
    for raw in records:
        for line in (raw.value or b"").splitlines():
            try:
                found.update(walk(json.loads(line)))
            except (ValueError, RecursionError):
                continue
    return {text for text in found if len(text) > 2}


@pytest.fixture(scope="module")
def day() -> list[InputRecord]:
    """A simulated day, attacks and broken input included."""
    return [
        InputRecord(RAW, 0, offset, 1_795_438_800_000, each.key, each.value)
        for offset, each in enumerate(generate(3000, 7))
    ]


def test_no_name_and_no_address_of_a_day_gets_out(day: list[InputRecord]) -> None:
    """Neither in scored events and alerts nor, of what consumers see, in the internal topic."""
    classified, out = outputs(day, MASK)
    shown = [o.value or b"" for o in out if o.topic in {*SCORED.values(), ALERTS}]
    shown += [encode(json.loads(o.value or b"").get("event", {})) for o in classified]
    text = b"\n".join(shown).decode()
    names = {name for name in told(day, PERSONS) if " " in name or "@" in name}  # not "Mapping"
    addresses = told(day, ("ipaddr",))
    assert len(names) > 50
    assert len(addresses) > 20
    assert {name for name in names if name in text} == set()
    assert {address for address in addresses if f'"{address}"' in text} == set()
    assert {address for address in addresses if f"from {address}" in text} == set()


def test_masked_values_are_valid_and_decide_the_same(day: list[InputRecord]) -> None:
    """Same records, same keys, same scores and signals; only what is shown differs."""
    for plain, masked in zip(outputs(day, None)[1], outputs(day, MASK)[1], strict=True):
        assert plain.topic == masked.topic
        assert plain.key == masked.key
        if plain.topic == DEAD_LETTER:
            assert plain == masked  # the original bytes, as they came
            continue
        before, after = json.loads(plain.value or b""), json.loads(masked.value or b"")
        if plain.topic == ALERTS:
            assert check_document("alert", after) == []
            for part in ("id", "subject", "previous", "standing", "event_ids", "repeats"):
                assert before[part] == after[part]
            continue
        assert check_document("scored", after) == []
        for part in ("subject", "category", "event_type", "outcome", "windows", "time"):
            assert before[part] == after[part]
        for part in ("score", "level", "prior", "signal_ids"):
            assert before["risk"][part] == after["risk"][part]
        assert after["raw"].startswith(f"masked origin={RAW}-0-")
        assert after["raw_truncated"] is True


def test_the_same_person_and_address_stay_the_same() -> None:
    """Over fields, messages and case; another key gives other hashes."""
    event = scored(
        rest_event(user_name="User Seven", actor_user_name="USER SEVEN ", ipaddr="203.0.113.9")
    )
    name = event["user"]["name"]
    assert name.startswith(MASKED_PREFIX)
    assert event["actor"]["name"] == name
    assert event["message"].startswith(name)
    assert ip_address(event["source"]["ip"]) in ip_network(MASKED_NETWORK)
    other = scored(rest_event(user_name="User Seven", ipaddr="203.0.113.9"), Mask(b"another key"))
    assert other["user"]["name"] != name
    assert other["source"]["ip"] != event["source"]["ip"]
    mapped = scored(rest_event(ipaddr="::ffff:203.0.113.9"))
    assert mapped["source"]["ip"] == event["source"]["ip"]


def test_free_text_is_masked_as_far_as_it_can_be_told() -> None:
    """Names of the event itself, mail addresses, and all forms of addresses."""
    event = scored(
        rest_event(
            event_type_id=6,
            user_name="User Seven",
            otp_device_id=3,
            otp_device_name="user seven's phone",
            error_description="from 198.51.100.4:443, ip:2001:DB8:0::7. by seven@example.com",
            notes="Authentication method: password (no User Seven at 203.0.113.8).",
            risk_score=60,
            risk_reasons="Infrequent access from 203.0.113.7\nNew to User Seven",
            user_agent="Mozilla/5.0 Chrome/120.0.0.0",
        )
    )
    name, text = MASK.name("User Seven"), json.dumps(event)
    for hidden in ("Seven", "seven", "198.51", "203.0", "example", "DB8"):
        assert hidden not in text
    assert event["targets"] == [{"type": "otp_device", "id": "3", "name": f"{name}'s phone"}]
    assert event["error"] == (
        f"from {MASK.address('198.51.100.4')}:443, ip:{MASK.address('2001:db8::7')}. "
        f"by {MASK.name('seven@example.com')}"
    )
    assert event["auth"]["reason"] == f"no {name} at {MASK.address('203.0.113.8')}"
    assert event["risk"]["vendor"]["reasons"][1] == f"New to {name}"
    assert event["source"]["user_agent"] == "Mozilla/5.0 Chrome/120.0.0.0"


def test_details_of_signals_show_no_address() -> None:
    """The signal sees the real address, the record shows the masked one."""
    habit = [
        record(encode(rest_event(id=n, event_type_id=5, ipaddr="203.0.113.9"))) for n in range(9)
    ]
    strange = record(encode(rest_event(id=99, event_type_id=5, ipaddr="198.51.100.9")))
    out = [o for o in outputs([*habit, strange], MASK)[1] if o.topic != ALERTS]
    last = json.loads(out[-1].value or b"")
    assert "new_network" in last["risk"]["signal_ids"]
    assert f"first seen from {MASK.address('198.51.100.0')}/24" in last["risk"]["reasons"]
    assert last["risk"]["reasons"].split("; ") == [
        each["detail"] for each in last["risk"]["signals"]
    ]


def test_an_id_made_of_the_event_s_bytes_cannot_be_guessed_at() -> None:
    """A plain hash of all bytes would let anyone try names; ids of the vendor's stay."""
    nameless = {
        key: value for key, value in rest_event(user_name="User Seven").items() if key != "id"
    }
    plain, masked = scored(nameless, None), scored(nameless)
    assert plain["id"].startswith("1234:sha256-")
    assert masked["id"].startswith("1234:keyed-")
    assert masked["id"] == scored(nameless)["id"]
    assert scored(rest_event(id=5))["id"] == "1234:5"


def test_a_bug_s_dead_letter_says_that_it_is_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second hop has no text to put in it; the raw topic still has it."""
    (own,) = outputs([record(encode(rest_event()))], MASK)[0]
    assess = Assess(load_policy(), Limits(), MASK)
    monkeypatch.setattr(assess, "_score", lambda _: 1 // 0)
    given = InputRecord(CLASSIFIED, 0, 0, own.timestamp, own.key, own.value)
    (letter,) = assess([given], PartitionState()).outputs
    assert letter.value == f"masked origin={RAW}-0-0#0".encode()
    assert dict(letter.headers)[RAW_TRUNCATED] == b"true"


@given(st.text(), st.text(max_size=40), st.booleans())
def test_any_text_can_be_masked(text: str, name: str, address: bool) -> None:
    """Nothing raises, and what was masked once is text."""
    event = rest_event(user_name=name, notes=text, error_description=text)
    event["ipaddr"] = text if address else "203.0.113.9"
    Ingest(shipped_catalog(), Limits(), MASK)([record(encode(event))])
    assert MASK.text(MASK.text(text)) is not None


@given(st.ip_addresses(), st.sampled_from(["from {}", "ip={}", "({})", "{}, {}", "{}.", "a {}/24"]))
def test_an_address_in_text_is_found(address: Any, form: str) -> None:
    """In any of the forms in which people write it."""
    masked = MASK.text(form.replace("{}", str(address)))
    assert str(address) not in masked.replace(MASK.address(_canonical(address)), "")
    assert MASK.address(_canonical(address)) in masked


def _canonical(address: Any) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def test_hostile_text_is_cut_before_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is."""
    calls = 0

    def counted(token: str) -> str:
        nonlocal calls
        calls += 1
        return token

    monkeypatch.setattr(MASK, "_token", counted)
    MASK.text("1.1 " * 1_000_000)
    assert 0 < calls <= 2048
