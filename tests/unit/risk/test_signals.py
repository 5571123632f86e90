"""Each signal: when it speaks, what it says, and when it is silent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.vocabulary import EventOutcome, Kind, Sensitivity
from riskstream.risk.profile import Profile, Run
from riskstream.risk.signals.registry import SIGNAL_IDS, needs_met, signals_of
from riskstream.risk.signals.usual import USUAL_IDS
from riskstream.risk.situation import QUIET, Counts, Situation
from riskstream.windows.lockouts import Register
from tests.support.risk import HOME, MINUTE, NOON, done, facts, policy, profile_of

ELSEWHERE = "203.0.113.9"


_profile = profile_of


def _findings(
    kind: Kind,
    *,
    counts: Counts = QUIET,
    held: Register | None = None,
    suspended: bool = False,
    profile: Profile | None = None,
    **changes: Any,
) -> dict[str, tuple[int, str]]:
    of = facts(kind, **changes)
    situation = Situation(of, of.time_ms, counts, held, suspended, profile)
    return {
        signal.id: found
        for signal in signals_of(policy(), kind, of.sensitivity, needs_met(situation))
        if (found := signal.evaluate(situation)) is not None
    }


def _run(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "login": 0,
        "mfa": 0,
        "denied": 0,
        "first_ms": NOON - 9 * MINUTE,
        "last_ms": NOON - MINUTE,
        "address": None,
    }
    return Run(**(values | changes))


@pytest.mark.parametrize(
    ("counts", "id_", "found"),
    [
        (Counts(login_failures_5m=2), "login_failures_5m", None),
        (Counts(login_failures_5m=7), "login_failures_5m", (600, "7 failed logins in 5 minutes")),
        (Counts(login_failures_1h=9), "login_failures_1h", None),
        (Counts(login_failures_1h=25), "login_failures_1h", (700, "25 failed logins in 1 hour")),
        (Counts(mfa_failures_5m=3), "mfa_failures_5m", (300, "3 failed MFA attempts in 5 minutes")),
        (Counts(lockouts_24h=1), "lockouts_24h", (300, "1 lockout in 24 hours")),
    ],
)
def test_counts_speak_from_their_first_step_on(
    counts: Counts, id_: str, found: tuple[int, str] | None
) -> None:
    """The number that it counted stands in the line."""
    assert _findings(Kind.LOGIN_FAILURE, counts=counts).get(id_) == found


def test_counts_say_nothing_about_other_kinds() -> None:
    """An admin's work is not suspicious because their phone fails to log in."""
    counts = Counts(login_failures_5m=50, login_failures_1h=50, lockouts_24h=5)
    assert not _findings(Kind.CONFIG_CHANGE, counts=counts)


def test_success_after_failures_weighs_less_from_elsewhere() -> None:
    """Who fails here and succeeds here is one person; who succeeds elsewhere may be another."""
    here = _profile(run=_run(login=5, mfa=1, address=ELSEWHERE))
    said = _findings(Kind.LOGIN_SUCCESS, profile=here, ip=ELSEWHERE)["success_after_failures"]
    assert said == (700, "success after 6 failures from the same address")
    said = _findings(Kind.LOGIN_SUCCESS, profile=here, ip=HOME)["success_after_failures"]
    assert said == (350, "success after 6 failures")


def test_a_run_that_is_short_or_long_ago_is_silent() -> None:
    """Two mistakes are ordinary; yesterday's are over."""
    short = _profile(run=_run(login=2, address=HOME))
    old = _profile(run=_run(login=9, address=HOME, last_ms=NOON - 61 * MINUTE))
    for profile in (short, old, _profile(), None):
        found = _findings(Kind.LOGIN_SUCCESS, profile=profile, ip=HOME)
        assert "success_after_failures" not in found


def test_denials_before_the_acceptance() -> None:
    """Counted apart from factors that did not match."""
    profile = _profile(run=_run(mfa=9, denied=4, denied_ms=NOON - MINUTE))
    found = _findings(Kind.MFA_SUCCESS, profile=profile)
    assert found["success_after_mfa_denials"] == (3500, "accepted after 4 MFA denials")
    old = _profile(run=_run(denied=4, denied_ms=NOON - 31 * MINUTE))
    for other in (old, _profile(run=_run(mfa=9))):
        assert "success_after_mfa_denials" not in _findings(Kind.MFA_SUCCESS, profile=other)


def test_activity_while_locked_is_about_what_succeeds() -> None:
    """Failing while locked is what a lock is for."""
    lock = Register(NOON - 1, "1234:1", 19)
    id_ = "activity_while_locked"
    found = _findings(Kind.APP_ACCESS, held=lock)
    assert found[id_] == (800, "activity while the account is locked")
    found = _findings(Kind.LOGIN_SUCCESS, held=lock, suspended=True)
    assert found[id_] == (2200, "activity while the account is suspended")
    assert id_ not in _findings(Kind.LOGIN_FAILURE, held=lock)
    assert id_ not in _findings(Kind.PROVISIONING, held=lock)
    assert id_ not in _findings(Kind.LOGIN_SUCCESS)


def test_a_user_of_whom_little_is_known() -> None:
    """Less with each login; nothing at all about clients."""
    id_ = "new_user"
    assert _findings(Kind.LOGIN_SUCCESS)[id_] == (400, "no login seen before")
    found = _findings(Kind.LOGIN_SUCCESS, profile=_profile(logins=2))
    assert found[id_] == (240, "2 logins so far")
    assert id_ not in _findings(Kind.LOGIN_SUCCESS, profile=_profile(logins=5))
    assert id_ not in _findings(Kind.LOGIN_SUCCESS, subject_type="client")


def test_a_sensitive_action_not_seen_before() -> None:
    """By a person or a client; the second time it is silent; systems always are."""
    sensitive: dict[str, Any] = {"sensitivity": Sensitivity.SENSITIVE}
    id_ = "sensitive_first_seen"
    for profile in (None, _profile(), _profile(doings=done(73))):
        found = _findings(Kind.PRIVILEGE_CHANGE, profile=profile, **sensitive)
        assert found[id_] == (700, "sensitive action not seen from this subject before")
    seen = _profile(doings=done(72, times=1))
    assert id_ not in _findings(Kind.PRIVILEGE_CHANGE, profile=seen, **sensitive)
    assert id_ not in _findings(Kind.PRIVILEGE_CHANGE, subject_type="system", **sensitive)
    assert id_ not in _findings(Kind.PRIVILEGE_CHANGE, sensitivity=Sensitivity.ORDINARY)
    failed = EventOutcome.FAILURE
    assert id_ not in _findings(Kind.PRIVILEGE_CHANGE, outcome=failed, **sensitive)


def test_a_burst_counts_this_action_and_those_of_ten_minutes() -> None:
    """Whole one-minute panes."""
    now = NOON // MINUTE
    profile = _profile(sensitive=((now - 10, 50), (now - 9, 4), (now, 5)), doings=done(72))
    changes: dict[str, Any] = {"sensitivity": Sensitivity.SENSITIVE, "profile": profile}
    found = _findings(Kind.PRIVILEGE_CHANGE, **changes)
    assert found["sensitive_burst"] == (600, "10 sensitive actions in 10 minutes")
    changes["subject_type"] = "system"
    assert "sensitive_burst" not in _findings(Kind.PRIVILEGE_CHANGE, **changes)


@pytest.mark.parametrize(("ago", "heard"), [(0, True), (240, True), (241, False), (-1, False)])
def test_after_a_risky_login(ago: int, heard: bool) -> None:
    """Sensitive actions within the policy's time after it, never before it."""
    profile = _profile(risky_login=(NOON - ago * MINUTE, 62))
    found = _findings(Kind.PRIVILEGE_CHANGE, sensitivity=Sensitivity.SENSITIVE, profile=profile)
    said = (1500, "sensitive action after a login with risk 62") if heard else None
    assert found.get("after_risky_login") == said


@given(
    st.sampled_from(Kind),
    st.sampled_from(Sensitivity),
    st.sampled_from([QUIET, Counts(9, 9, 9, True, 9)]),
    st.sampled_from([None, Register(NOON - 1, "1234:1", 19)]),
    st.sampled_from([None, _profile(), _profile(run=_run(login=9, denied=4, denied_ms=NOON))]),
)
def test_leaving_out_what_would_be_silent_leaves_out_nothing_else(
    kind: Kind,
    sensitivity: Sensitivity,
    counts: Counts,
    held: Register | None,
    profile: Profile | None,
) -> None:
    """Needs spare the scorer work; they never decide."""
    of = facts(kind, sensitivity=sensitivity, ip=ELSEWHERE, user_agent="x")
    situation = Situation(of, NOON, counts, held, False, profile)
    met = signals_of(policy(), kind, sensitivity, needs_met(situation))
    every = signals_of(policy(), kind, Sensitivity.SENSITIVE)
    assert [each.id for each in met if each.evaluate(situation)] == [
        each.id for each in every if each.evaluate(situation)
    ]


def test_every_signal_but_those_the_scorer_adds_can_be_raised_by_some_kind() -> None:
    """None is declared and never bound."""
    bound = {
        signal.id
        for kind in Kind
        for sensitivity in Sensitivity
        for signal in signals_of(policy(), kind, sensitivity)
    }
    assert bound == set(SIGNAL_IDS) - {"privileged_user", "vendor_score"} - set(USUAL_IDS)
