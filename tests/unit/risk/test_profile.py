"""Profiles: what they learn, from what, and that they stay small."""

from typing import Any

import msgspec
import pytest

from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.policy import ProfileRule
from riskstream.risk.profile import (
    LearnedFrom,
    Profile,
    Run,
    agent_hash,
    end_run,
    fold_profile,
    is_late,
)
from tests.support.risk import DAY, HOME, LAPTOP, MINUTE, NOON, facts

RULE = ProfileRule(addresses=3, user_agents=2, actions=2, run_gap_minutes=60)


def _fold(
    profile: Profile | None, kind: Kind, at: int = NOON, score: int = 9, **changes: Any
) -> Profile:
    offset = 1 if profile is None else profile.offset + 1
    of = facts(kind, **({"id": f"1234:{offset}", "ip": HOME, "user_agent": LAPTOP} | changes))
    return fold_profile(profile, LearnedFrom(of, at, offset, score), RULE)


@pytest.mark.parametrize("kind", [Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS])
def test_places_and_devices_come_from_successful_authentication(kind: Kind) -> None:
    """With how often and when last."""
    profile = _fold(_fold(None, kind), kind, NOON + 5)
    assert profile.addresses == {HOME: (2, NOON + 5)}
    assert profile.agents == {agent_hash(LAPTOP): (2, NOON + 5)}
    assert profile.logins == (2 if kind is Kind.LOGIN_SUCCESS else 0)


@pytest.mark.parametrize(
    "kind", [Kind.LOGIN_FAILURE, Kind.APP_ACCESS, Kind.MFA_DENIED, Kind.PRIVILEGE_CHANGE]
)
def test_nothing_else_teaches_places(kind: Kind) -> None:
    """Whoever fails does not become usual by it."""
    profile = _fold(None, kind)
    assert (profile.addresses, profile.agents, profile.logins) == ({}, {}, 0)


def test_a_high_login_teaches_nothing_and_is_remembered() -> None:
    """But it is a login: it ends the run and the locks."""
    profile = _fold(_fold(None, Kind.LOGIN_FAILURE), Kind.LOGIN_SUCCESS, NOON + 1, score=51)
    assert (profile.addresses, profile.logins) == ({}, 0)
    assert profile.risky_login == (NOON + 1, 51)
    assert profile.run is None
    assert profile.last_login is not None
    assert profile.last_login.time_ms == NOON + 1


def test_what_was_seen_longest_ago_goes_first() -> None:
    """Of equals the smaller value, so that it does not depend on chance."""
    profile: Profile | None = None
    for place, address in enumerate(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"]):
        profile = _fold(profile, Kind.LOGIN_SUCCESS, NOON + place, ip=address)
    profile = _fold(profile, Kind.LOGIN_SUCCESS, NOON + 9, ip="192.0.2.4")
    assert set(profile.addresses) == {"192.0.2.1", "192.0.2.3", "192.0.2.4"}


def test_actions_that_succeed_become_usual() -> None:
    """Administrative ones, by event type, at most so many."""
    ordinary: dict[str, Any] = {"sensitivity": Sensitivity.ORDINARY}
    profile = _fold(None, Kind.CONFIG_CHANGE, event_type_id=1, **ordinary)
    profile = _fold(profile, Kind.CONFIG_CHANGE, NOON + 1, event_type_id=2, **ordinary)
    failed: dict[str, Any] = {"outcome": EventOutcome.FAILURE}
    profile = _fold(profile, Kind.CONFIG_CHANGE, NOON + 2, event_type_id=3, **ordinary, **failed)
    assert profile.actions == {1: (1, NOON), 2: (1, NOON + 1)}
    profile = _fold(profile, Kind.CONFIG_CHANGE, NOON + 3, event_type_id=4, **ordinary)
    assert set(profile.actions) == {2, 4}


def test_sensitive_actions_of_people_are_kept_for_ten_minutes() -> None:
    """A system's are not: it works in bulk."""
    sensitive: dict[str, Any] = {"sensitivity": Sensitivity.SENSITIVE}
    profile = _fold(None, Kind.PRIVILEGE_CHANGE, **sensitive)
    profile = _fold(profile, Kind.PRIVILEGE_CHANGE, NOON + 9 * MINUTE, **sensitive)
    assert [events for _, events in profile.sensitive] == [1, 1]
    profile = _fold(profile, Kind.PRIVILEGE_CHANGE, NOON + 10 * MINUTE, **sensitive)
    assert len(profile.sensitive) == 2
    system = _fold(None, Kind.PRIVILEGE_CHANGE, subject_type="system", **sensitive)
    assert system.sensitive == ()


def test_a_run_grows_until_a_success_or_a_gap() -> None:
    """Its address is that of all its failures, or none."""
    profile = _fold(None, Kind.LOGIN_FAILURE)
    profile = _fold(profile, Kind.MFA_FAILURE, NOON + MINUTE)
    profile = _fold(profile, Kind.MFA_DENIED, NOON + 2 * MINUTE)
    assert profile.run == Run(1, 1, 1, NOON, NOON + 2 * MINUTE, HOME, NOON + 2 * MINUTE)
    moved = _fold(profile, Kind.LOGIN_FAILURE, NOON + 3 * MINUTE, ip="203.0.113.9")
    assert moved.run is not None
    assert (moved.run.login, moved.run.address) == (2, None)
    assert _fold(profile, Kind.LOGIN_SUCCESS, NOON + 3 * MINUTE).run is None
    assert _fold(profile, Kind.MFA_SUCCESS, NOON + 3 * MINUTE).run == profile.run
    fresh = _fold(profile, Kind.LOGIN_FAILURE, NOON + 63 * MINUTE).run
    assert fresh is not None
    assert (fresh.login, fresh.denied) == (1, 0)


def test_a_reset_ends_the_run() -> None:
    """And without one the profile stays the same object."""
    profile = _fold(None, Kind.LOGIN_FAILURE)
    ended = end_run(profile, 7)
    assert (ended.run, ended.offset, ended.as_of_ms) == (None, 7, profile.as_of_ms)
    assert end_run(ended, 8) is ended


def test_folding_leaves_the_old_profile_alone() -> None:
    """A fault after it must leave no trace."""
    profile = _fold(None, Kind.LOGIN_SUCCESS)
    before = msgspec.json.encode(profile)
    _fold(profile, Kind.LOGIN_SUCCESS, NOON + 1, ip="203.0.113.9", user_agent="other")
    assert msgspec.json.encode(profile) == before


def test_an_event_ninety_days_behind_is_late() -> None:
    """For a profile that there is."""
    profile = _fold(None, Kind.LOGIN_SUCCESS)
    assert is_late(profile, NOON - 90 * DAY - 1)
    assert not is_late(profile, NOON - 90 * DAY)
    assert not is_late(None, 0)


def test_the_newest_login_wins_whatever_the_order() -> None:
    """It seeds the lockouts row."""
    profile = _fold(_fold(None, Kind.LOGIN_SUCCESS, NOON), Kind.LOGIN_SUCCESS, NOON - DAY)
    assert profile.last_login is not None
    assert profile.last_login.time_ms == NOON
    assert profile.as_of_ms == NOON


def test_a_profile_comes_back_as_it_was() -> None:
    """From its changelog."""
    profile = _fold(_fold(None, Kind.LOGIN_FAILURE), Kind.LOGIN_SUCCESS, NOON + 1, score=80)
    profile = _fold(profile, Kind.PRIVILEGE_CHANGE, sensitivity=Sensitivity.SENSITIVE)
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile
