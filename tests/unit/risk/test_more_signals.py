"""Signals about travel, lists, programs, absence, guessing, factors and administrators."""

from typing import Any

import pytest

from riskstream.events.vocabulary import EventOutcome, FailureKind, Kind, Sensitivity
from riskstream.risk.features import place_levels
from riskstream.risk.profile import Profile, Run
from riskstream.risk.scorer import Scorer
from riskstream.risk.signals.registry import needs_met, signals_of
from riskstream.risk.signals.travel import great_circle_km
from riskstream.risk.situation import QUIET, Counts, Situation
from riskstream.risk.tenant import NOBODY, TenantCounts, TenantView
from riskstream.windows.failures import FailuresRow, KindPanes
from riskstream.windows.lockouts import Register
from tests.support.risk import (
    DAY,
    HOME,
    HOUR,
    LAPTOP,
    MINUTE,
    NOON,
    Story,
    facts,
    policy,
    profile_of,
    usual,
)

AMSTERDAM, LISBON = (5237, 490), (3872, -914)
ELSEWHERE = "203.0.113.9"
SENSITIVE: dict[str, Any] = {"sensitivity": Sensitivity.SENSITIVE}


def _found(
    kind: Kind,
    profile: Profile | None = None,
    *,
    tenant: TenantView = NOBODY,
    failures: FailuresRow | None = None,
    **changes: Any,
) -> dict[str, tuple[int, str]]:
    of = facts(kind, **changes)
    situation = Situation(of, of.time_ms, QUIET, None, False, profile, tenant, failures)
    return {
        signal.id: found
        for signal in signals_of(policy(), kind, of.sensitivity, needs_met(situation))
        if (found := signal.evaluate(situation)) is not None
    }


def test_a_great_circle() -> None:
    """Known distances, and round the date line."""
    assert great_circle_km(AMSTERDAM, LISBON) == pytest.approx(1865, abs=10)
    assert great_circle_km((0, 17_950), (0, -17_950)) == pytest.approx(111, abs=1)
    assert great_circle_km(AMSTERDAM, AMSTERDAM) == 0


def test_impossible_travel() -> None:
    """The reason has the distance and the minutes."""
    profile = profile_of(where=(NOON - 30 * MINUTE, *AMSTERDAM))
    found = _found(Kind.LOGIN_SUCCESS, profile, ip=ELSEWHERE, position=LISBON)
    evidence, said = found["impossible_travel"]
    assert evidence == 1000
    assert said.startswith("186")
    assert said.endswith("km from the last login 30 minutes before")


@pytest.mark.parametrize(
    "changes",
    [
        {"position": None},
        {"position": (5300, 500)},
        {"asn": 14593},
        {"lists": ("vpn",)},
        {"time_ms": NOON + DAY},
    ],
)
def test_travel_that_may_be_is_silent(changes: dict[str, Any]) -> None:
    """No position, near, a satellite, a VPN, or time enough."""
    profile = profile_of(where=(NOON - 30 * MINUTE, *AMSTERDAM))
    where = {"ip": ELSEWHERE, "position": LISBON} | changes
    assert "impossible_travel" not in _found(Kind.LOGIN_SUCCESS, profile, **where)


def test_travel_to_where_colleagues_are_is_silent() -> None:
    """An office, or its way out."""
    profile = profile_of(where=(NOON - 30 * MINUTE, *AMSTERDAM))
    rows = [profile_of(usual=usual(facts(ip=ELSEWHERE)))] * 3
    tenant = TenantView(TenantCounts(rows, NOON), NOON)
    where = {"ip": ELSEWHERE, "position": LISBON}
    assert "impossible_travel" not in _found(Kind.LOGIN_SUCCESS, profile, tenant=tenant, **where)


def test_lists() -> None:
    """The weightiest one speaks; a list that the policy does not name says nothing."""
    found = _found(Kind.LOGIN_SUCCESS, lists=("blocked", "tor"))
    assert found["listed_address"] == (2500, "address on the list blocked")
    assert _found(Kind.APP_ACCESS, lists=("trusted",))["listed_address"][0] < 0
    assert "listed_address" not in _found(Kind.LOGIN_SUCCESS, lists=("other",))


def test_a_program_that_logs_in() -> None:
    """Unless it is one that this person uses."""
    script = {"user_agent": "curl/8.5.0", "device": "automated", "browser": "curl"}
    found = _found(Kind.LOGIN_SUCCESS, profile_of(), **script)
    assert found["automated_client"] == (600, "a program logs in: curl")
    used = profile_of(facts(ip=HOME, **script))
    assert "automated_client" not in _found(Kind.LOGIN_SUCCESS, used, **script)
    assert "automated_client" not in _found(Kind.LOGIN_SUCCESS, subject_type="client", **script)


def test_a_dormant_account() -> None:
    """By its last login."""
    long_ago = profile_of(last_login=Register(NOON - 40 * DAY, "1234:1", 5))
    found = _found(Kind.LOGIN_SUCCESS, long_ago)
    assert found["dormant_account"] == (500, "first login for 40 days")
    lately = profile_of(last_login=Register(NOON - 29 * DAY, "1234:1", 5))
    assert "dormant_account" not in _found(Kind.LOGIN_SUCCESS, lately)


def test_guessing_from_many_addresses() -> None:
    """One password, tried from a botnet."""
    run = Run(9, 0, 0, NOON - HOUR, NOON - MINUTE, None, 0, tuple(range(8)))
    found = _found(Kind.LOGIN_FAILURE, profile_of(run=run), ip=ELSEWHERE)
    assert found["guessing_from_many_addresses"] == (800, "failures from 8 addresses")


@pytest.mark.parametrize(
    ("kind", "failure", "id_", "said"),
    [
        (Kind.APP_ACCESS_FAILURE, FailureKind.APP_ACCESS, "app_failures", "12 refused apps"),
        (Kind.ADMIN_DENIED, FailureKind.ADMIN_DENIED, "admin_denials", "12 refused changes"),
        (Kind.API_FAILURE, FailureKind.API, "api_failures", None),
    ],
)
def test_failures_of_one_kind(kind: Kind, failure: FailureKind, id_: str, said: str | None) -> None:
    """In ten minutes; what came before does not count."""
    now = NOON // MINUTE
    panes = KindPanes(failure, ((now - 10, 50), (now - 9, 7), (now, 5)), ())
    found = _found(kind, failures=FailuresRow("1234:7", NOON, 1, (panes,)))
    assert found.get(id_) == (None if said is None else (400, f"{said} in 10 minutes"))


def test_a_factor_that_was_just_changed_and_is_used_from_a_new_place() -> None:
    """From the usual desk it is a new phone."""
    profile = profile_of(factor_ms=NOON - HOUR)
    found = _found(Kind.MFA_SUCCESS, profile, ip=ELSEWHERE, user_agent=LAPTOP)
    assert found["factor_changed_then_used"][0] == 700
    at_home = {"ip": HOME, "user_agent": LAPTOP}
    assert "factor_changed_then_used" not in _found(Kind.MFA_SUCCESS, profile, **at_home)
    late = profile_of(factor_ms=NOON - 2 * DAY)
    assert "factor_changed_then_used" not in _found(Kind.MFA_SUCCESS, late, ip=ELSEWHERE)


def test_a_sensitive_action_from_a_place_of_a_few_days() -> None:
    """For a user who had another one before."""
    intruder = facts(ip=ELSEWHERE, user_agent="curl")
    both = usual(facts(ip=HOME, user_agent=LAPTOP)) | usual(intruder, at=NOON - 7 * DAY)
    where = {"ip": ELSEWHERE, "user_agent": "curl"} | SENSITIVE
    found = _found(Kind.FACTOR_CHANGE, profile_of(usual=both), **where)
    assert found["sensitive_from_recent_place"][0] == 700
    fresh = profile_of(usual=usual(intruder, at=NOON - 7 * DAY))
    assert "sensitive_from_recent_place" not in _found(Kind.FACTOR_CHANGE, fresh, **where)
    home = {"ip": HOME, "user_agent": LAPTOP} | SENSITIVE
    found = _found(Kind.FACTOR_CHANGE, profile_of(usual=both), **home)
    assert "sensitive_from_recent_place" not in found


def test_administrators() -> None:
    """In an assumed session, and on their own account."""
    found = _found(Kind.PRIVILEGE_CHANGE, assumed=True, actor_user_id=7, **SENSITIVE)
    assert found["assumed_session"][0] == 400
    assert found["own_account"][0] == 500
    found = _found(Kind.PRIVILEGE_CHANGE, actor_user_id=8, **SENSITIVE)
    assert not {"assumed_session", "own_account"} & found.keys()
    failed = {"outcome": EventOutcome.FAILURE, "actor_user_id": 7}
    assert "own_account" not in _found(Kind.PRIVILEGE_CHANGE, **failed)


def test_under_attack_is_marked_and_not_held_against_the_user() -> None:
    """Failures from elsewhere, while the user is at the usual desk."""
    now = NOON // MINUTE
    run = Run(9, 0, 0, NOON - HOUR, NOON - MINUTE, ELSEWHERE, 0, tuple(range(8)))
    profile = profile_of(elsewhere=((now - 3, 9),), run=run)
    counts = Counts(login_failures_5m=9, login_failures_1h=9, lockouts_24h=1)
    scorer = Scorer(policy())

    def risk(**where: Any) -> Any:
        of = facts(Kind.LOGIN_SUCCESS, **where)
        return scorer(Situation(of, NOON, counts, None, False, profile))

    mine = risk(ip=HOME, user_agent=LAPTOP)
    assert mine.under_attack
    assert mine.level in {"no", "low"}
    assert all(each.evidence < 0 for each in mine.signals)
    theirs = risk(ip=ELSEWHERE, user_agent="curl")
    assert theirs.under_attack
    assert theirs.level == "high"
    assert {"login_failures_5m", "success_after_failures"} <= set(theirs.signal_ids)


def test_a_quiet_intruder_is_at_least_medium_when_changing_a_factor_on_day_eight() -> None:
    """After a week of logins with the password alone, beside the user's own days."""
    story = Story()
    story.habits(days=20)
    home, laptop = story.ip, story.user_agent
    for _ in range(7):
        story.happens(Kind.LOGIN_SUCCESS, DAY // 2)
        story.happens(Kind.LOGIN_SUCCESS, DAY // 2, ip=ELSEWHERE, user_agent="Other/1.0")
    told = story.acts(
        Kind.FACTOR_CHANGE,
        DAY // 2,
        ip=ELSEWHERE,
        user_agent="Other/1.0",
        actor_user_id=7,
        event_type_id=14,
    )
    assert told.level in {"medium", "high"}
    assert (story.ip, story.user_agent) == (home, laptop)


def test_a_genuine_new_device_is_low_within_three_days() -> None:
    """A new phone in a new home, with the factor that the user has had."""
    story = Story()
    story.habits(days=20)
    story.ip, story.user_agent = ELSEWHERE, "Phone/1.0"
    for _ in range(3):
        story.happens(Kind.MFA_SUCCESS, DAY)
        story.happens(Kind.LOGIN_SUCCESS, MINUTE)
    assert story.happens(Kind.LOGIN_SUCCESS, DAY).level in {"no", "low"}


def test_an_address_that_hides_its_user_is_no_position() -> None:
    """What comes after is measured from the login before."""
    story = Story()
    story.happens(Kind.LOGIN_SUCCESS, position=AMSTERDAM)
    story.happens(Kind.LOGIN_SUCCESS, position=LISBON, asn=14593)
    profile = story.state.profiles["1234:7"]
    assert profile.where is not None
    assert profile.where[1:] == AMSTERDAM
    assert place_levels(facts(ip=HOME)).levels
