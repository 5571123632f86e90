"""Profiles: what they learn, from what, and that they stay small."""

from typing import Any

import msgspec
import pytest

from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    device_levels,
    feature_of,
    key_of,
    place_levels,
)
from riskstream.risk.habits import UNIT, count_of, is_provisional
from riskstream.risk.profile import (
    LearnedFrom,
    Learning,
    Profile,
    Run,
    end_run,
    fold_profile,
    is_late,
)
from tests.support.risk import DAY, HOME, LAPTOP, MINUTE, NOON, facts, policy

RULE = Learning(policy().usual, 60)
FACTOR = {"event_type_id": 14, "sensitivity": Sensitivity.SENSITIVE, "actor_user_id": 7}


def _place(ip: str = HOME, **known: Any) -> int:
    return place_levels(facts(ip=ip, **known)).levels[-1].key


def _count(profile: Profile, key: int) -> float:
    return count_of(profile.usual.get(key, 0)) / UNIT


def _fold(
    profile: Profile | None, kind: Kind, at: int = NOON, score: int = 9, **changes: Any
) -> Profile:
    offset = 1 if profile is None else profile.offset + 1
    of = facts(kind, **({"id": f"1234:{offset}", "ip": HOME, "user_agent": LAPTOP} | changes))
    return fold_profile(profile, LearnedFrom(of, at, offset, score), RULE)


@pytest.mark.parametrize("kind", [Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS])
def test_places_and_devices_come_from_successful_authentication(kind: Kind) -> None:
    """Each level by itself, and how often the chain was seen at all."""
    known: dict[str, Any] = {"country": "NL", "city": "Delft", "asn": 64500, "device": "desktop"}
    profile = _fold(_fold(None, kind, **known), kind, NOON + 5, **known)
    of = facts(ip=HOME, user_agent=LAPTOP, **known)
    assert profile.usual.keys() == {*place_levels(of).keys, *device_levels(of).keys}
    assert profile.usual.keys() >= {CHAINS[each] for each in list(Chain)[:4]}
    assert {_count(profile, key) for key in profile.usual} == {2}
    assert profile.logins == (2 if kind is Kind.LOGIN_SUCCESS else 0)
    assert sum(profile.hours) == profile.logins


@pytest.mark.parametrize(
    "kind", [Kind.LOGIN_FAILURE, Kind.APP_ACCESS, Kind.MFA_DENIED, Kind.PRIVILEGE_CHANGE]
)
def test_nothing_else_teaches_places(kind: Kind) -> None:
    """Whoever fails does not become usual by it."""
    profile = _fold(None, kind)
    assert (profile.usual, profile.logins) == ({}, 0)


def test_a_high_login_teaches_nothing_and_is_remembered() -> None:
    """But it is a login: it ends the run and the locks."""
    profile = _fold(_fold(None, Kind.LOGIN_FAILURE), Kind.LOGIN_SUCCESS, NOON + 1, score=51)
    assert (profile.usual, profile.logins) == ({}, 0)
    assert profile.risky_login == (NOON + 1, 51)
    assert profile.run is None
    assert profile.last_login is not None
    assert profile.last_login.time_ms == NOON + 1


def test_counts_halve_in_a_half_life() -> None:
    """In four steps, a little faster for being whole numbers; what has faded is forgotten."""
    profile: Profile | None = None
    for second in range(16):
        profile = _fold(profile, Kind.LOGIN_SUCCESS, NOON + second * 1000)
    assert profile is not None
    month = _fold(profile, Kind.LOGIN_SUCCESS, NOON + 30 * DAY, ip="203.0.113.9")
    assert 7.8 <= _count(month, _place()) <= 8
    assert month.hours[12] == 9
    years = _fold(profile, Kind.LOGIN_SUCCESS, NOON + 600 * DAY, ip="203.0.113.9")
    assert _place() not in years.usual


def test_a_profile_holds_so_many_values_of_a_feature_and_no_more() -> None:
    """Whatever comes; what is seen often stays."""
    profile: Profile | None = None
    for step in range(300):
        ip = HOME if step % 3 == 0 else f"203.0.{step}.9"
        profile = _fold(profile, Kind.LOGIN_SUCCESS, NOON + step * MINUTE, ip=ip)
    assert profile is not None
    for feature in Feature:
        held = [key for key in profile.usual if feature_of(key) == feature]
        assert len(held) <= RULE.room[feature]
    assert 1 <= _count(profile, _place()) <= 100


def _met(profile: Profile | None, day: int, kind: Kind, score: int = 30, **new: Any) -> Profile:
    return _fold(profile, kind, NOON + day * DAY, score, **({"ip": "203.0.113.9"} | new))


def test_a_value_met_at_medium_is_provisional_until_a_factor_confirms_it_on_three_days() -> None:
    """A new home is learned."""
    profile, key = _fold(None, Kind.LOGIN_SUCCESS), _place("203.0.113.9")
    for day in range(1, 4):
        profile = _met(profile, day, Kind.LOGIN_SUCCESS)
        assert is_provisional(profile.usual[key])
        profile = _met(profile, day, Kind.MFA_SUCCESS)
        profile = _met(profile, day, Kind.MFA_SUCCESS)
    assert not is_provisional(profile.usual[key])
    assert _count(profile, key) == 3


def test_a_high_event_in_between_begins_the_count_anew() -> None:
    """Whatever it was."""
    profile, key = _fold(None, Kind.LOGIN_SUCCESS), _place("203.0.113.9")
    for day in range(1, 3):
        profile = _met(profile, day, Kind.MFA_SUCCESS)
    profile = _met(profile, 3, Kind.LOGIN_SUCCESS, 60, ip="192.0.2.1")
    profile = _met(profile, 4, Kind.MFA_SUCCESS)
    profile = _met(profile, 5, Kind.MFA_SUCCESS)
    assert is_provisional(profile.usual[key])
    assert not is_provisional(_met(profile, 6, Kind.MFA_SUCCESS).usual[key])


def test_a_factor_enrolled_after_the_value_was_met_confirms_nothing() -> None:
    """A quiet intruder who adds a factor of their own does not become usual by it."""
    profile, key = _fold(None, Kind.LOGIN_SUCCESS), _place("203.0.113.9")
    profile = _met(profile, 1, Kind.LOGIN_SUCCESS)
    profile = _met(profile, 2, Kind.FACTOR_CHANGE, 40, **FACTOR)
    for day in range(3, 12):
        profile = _met(profile, day, Kind.MFA_SUCCESS)
    assert is_provisional(profile.usual[key])


def test_many_days_confirm_without_a_factor() -> None:
    """Not every tenant asks for one."""
    profile, key = _fold(None, Kind.LOGIN_SUCCESS), _place("203.0.113.9")
    days = policy().usual.unverified_days
    for day in range(1, days + 1):
        assert day == 1 or is_provisional(profile.usual[key])
        profile = _met(profile, day, Kind.LOGIN_SUCCESS)
    assert not is_provisional(profile.usual[key])


def test_provisional_values_do_not_push_out_what_is_usual() -> None:
    """They have places of their own, two per feature."""
    profile = _fold(None, Kind.LOGIN_SUCCESS)
    for number in range(50):
        profile = _met(profile, 1, Kind.LOGIN_SUCCESS, ip=f"203.0.{number}.9")
    assert _count(profile, _place()) == 1
    assert sum(map(is_provisional, profile.usual.values())) == 4


def test_actions_that_succeed_become_usual() -> None:
    """Administrative ones, by event type."""
    ordinary: dict[str, Any] = {"sensitivity": Sensitivity.ORDINARY}
    profile = _fold(None, Kind.CONFIG_CHANGE, event_type_id=1, **ordinary)
    failed: dict[str, Any] = {"outcome": EventOutcome.FAILURE}
    profile = _fold(profile, Kind.CONFIG_CHANGE, NOON + 2, event_type_id=3, **ordinary, **failed)
    assert profile.doings.keys() == {key_of(Feature.ACTION, 1), CHAINS[Chain.ACTIONS]}


def test_apps_become_usual_by_their_use() -> None:
    """By id; without one there is nothing to learn."""
    profile = _fold(_fold(None, Kind.APP_ACCESS, app_id=9), Kind.APP_ACCESS, NOON + 1, app_id=9)
    assert count_of(profile.doings[key_of(Feature.APP, 9)]) == 2 * UNIT
    assert not _fold(None, Kind.APP_ACCESS).doings


def test_failures_from_elsewhere_are_counted_for_an_hour() -> None:
    """Those from a usual address are not among them."""
    profile = _fold(None, Kind.LOGIN_SUCCESS)
    profile = _fold(profile, Kind.LOGIN_FAILURE, NOON + MINUTE)
    assert profile.elsewhere == ()
    profile = _fold(profile, Kind.LOGIN_FAILURE, NOON + 2 * MINUTE, ip="203.0.113.9")
    assert [events for _, events in profile.elsewhere] == [1]
    profile = _fold(profile, Kind.LOGIN_FAILURE, NOON + 70 * MINUTE)
    assert profile.elsewhere == ()


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
    assert profile.run is not None
    (source,) = profile.run.sources
    last = NOON + 2 * MINUTE
    assert profile.run == Run(1, 1, 1, NOON, last, HOME, last, (source,))
    moved = _fold(profile, Kind.LOGIN_FAILURE, NOON + 3 * MINUTE, ip="203.0.113.9")
    assert moved.run is not None
    assert (moved.run.login, moved.run.address) == (2, None)
    assert len(moved.run.sources) == 2
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


def test_the_shape_changes_when_a_value_comes_or_goes_and_with_nothing_else() -> None:
    """So that what is usual across the tenant need not be compared value by value."""
    profile = _fold(None, Kind.LOGIN_SUCCESS)
    again = _fold(profile, Kind.LOGIN_SUCCESS, NOON + MINUTE)
    assert again.shape == profile.shape
    assert _fold(again, Kind.LOGIN_SUCCESS, NOON + MINUTE, ip="203.0.113.9").shape != again.shape
    assert _fold(again, Kind.APP_ACCESS, NOON + MINUTE, app_id=9).shape != again.shape
    assert _fold(again, Kind.LOGIN_SUCCESS, NOON + 30 * DAY).shape != again.shape
    assert _met(again, 1, Kind.LOGIN_SUCCESS).shape != again.shape
