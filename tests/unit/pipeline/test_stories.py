"""Ordinary days stay quiet, attacks are loud: the shipped policy, story by story."""

from typing import Any

from riskstream.events.vocabulary import Category, Change, EventOutcome, Kind, Sensitivity
from tests.support.risk import DAY, HOUR, MINUTE, Story, Told

ELSEWHERE = "203.0.113.9"
STRANGE = "curl/8.5.0"


def _guessed(story: Story, failures: int = 9) -> Told:
    """Failures from a new address, then success from it."""
    story.ip, story.user_agent = ELSEWHERE, STRANGE
    for _ in range(failures):
        story.happens(Kind.LOGIN_FAILURE, 20_000)
    return story.happens(Kind.LOGIN_SUCCESS, 20_000)


def test_a_forgotten_password_on_a_known_device_is_no_more_than_low() -> None:
    """Twelve wrong passwords at the usual desk, then the right one."""
    story = Story()
    story.habits()
    del story.told[:]
    for _ in range(12):
        story.happens(Kind.LOGIN_FAILURE, 15_000)
    story.happens(Kind.LOGIN_SUCCESS, 15_000)
    assert story.levels <= {"no", "low"}


def test_a_forgotten_password_is_no_more_than_low_without_a_user_agent() -> None:
    """The REST shape has none: the address alone makes the device known."""
    story = Story(user_agent=None)
    story.habits()
    del story.told[:]
    for _ in range(12):
        story.happens(Kind.LOGIN_FAILURE, 15_000)
    story.happens(Kind.CREDENTIAL_CHANGE, sensitivity=Sensitivity.SENSITIVE, change=Change.RESET)
    story.happens(Kind.LOGIN_SUCCESS)
    assert story.levels <= {"no", "low"}


def test_a_phone_that_retries_an_old_password_is_never_high() -> None:
    """A whole day of it, with lockouts, from mobile addresses, beside ordinary work."""
    story = Story()
    story.habits(days=10)
    phone = "Mail/3.2 (Phone)"
    story.happens(Kind.LOGIN_SUCCESS, HOUR, user_agent=phone)
    del story.told[:]
    for attempt in range(24 * 12):
        address = f"203.0.113.{attempt // 7 % 40 + 10}"
        story.happens(Kind.LOGIN_FAILURE, 4 * MINUTE, ip=address, user_agent=phone)
        story.happens(Kind.LOGIN_FAILURE, MINUTE, ip=address, user_agent=phone)
        if attempt % 12 == 11:
            story.locks(after=1000)
        if attempt % 48 == 20:
            story.happens(Kind.LOGIN_SUCCESS, 1000)
        if attempt % 48 == 47:
            story.effect(Kind.UNLOCK, Change.UNLOCK, 1000)
            story.happens(Kind.LOGIN_SUCCESS, 1000)
    story.happens(Kind.LOGIN_SUCCESS, ip="203.0.113.60", user_agent=phone)
    assert "high" not in story.levels


def test_a_directory_sync_of_ten_thousand_users_is_quiet() -> None:
    """A sync creates and updates users as a system, with some failures."""
    story = Story(ip=None, user_agent=None)
    system: dict[str, Any] = {"subject": "1234:system:Directory", "subject_type": "system"}
    story.happens(Kind.DIRECTORY, **system)
    for user in range(10_000):
        sensitive = Sensitivity.SENSITIVE if user % 9 == 0 else Sensitivity.ORDINARY
        story.happens(Kind.USER_LIFECYCLE, 5, user_id=user, sensitivity=sensitive, **system)
    for _ in range(50):
        story.happens(Kind.DIRECTORY_FAILURE, 100, **system)
    assert len(story.told) == 10_051
    assert story.levels <= {"no", "low"}


def test_nightly_provisioning_is_quiet() -> None:
    """Apps get accounts made, changed and removed; some of it fails."""
    story = Story(ip=None, user_agent=None)
    for user in range(500):
        whom: dict[str, Any] = {
            "subject": f"1234:{user}",
            "user_id": user,
            "category": Category.PROVISIONING,
        }
        story.happens(Kind.PROVISIONING, 50, **whom)
        if user % 5 == 0:
            for _ in range(3):
                story.happens(Kind.PROVISIONING_FAILURE, 50, **whom)
    assert story.levels <= {"no", "low"}


def test_a_mapping_run_is_quiet() -> None:
    """Mappings give roles and privileges to many users at once, as a system."""
    story = Story(ip=None, user_agent=None)
    system: dict[str, Any] = {"subject": "1234:system:Mapping", "subject_type": "system"}
    for user in range(1000):
        story.happens(Kind.MAPPING, 5, user_id=user, **system)
        story.happens(
            Kind.ACCESS_CHANGE, 5, user_id=user, sensitivity=Sensitivity.ORDINARY, **system
        )
        if user % 10 == 0:
            story.acts(Kind.PRIVILEGE_CHANGE, 5, user_id=user, **system)
    assert story.levels <= {"no", "low"}


def test_a_new_employees_first_week_is_never_high() -> None:
    """Mistyped passwords and codes, three devices, three places, and helpdesk work from day two."""
    story = Story()
    phone, tablet = "Mail/3.2 (Phone)", "Browser/17 (Tablet)"
    places = [(story.ip, story.user_agent), ("203.0.113.20", phone), ("192.0.2.44", tablet)]
    for day in range(7):
        for ip, agent in places[: 1 + day % 3]:
            story.ip, story.user_agent = ip, agent
            for _ in range(4):
                story.happens(Kind.LOGIN_FAILURE, 10_000)
            story.happens(Kind.MFA_FAILURE, 10_000)
            story.happens(Kind.MFA_SUCCESS, 10_000)
            story.happens(Kind.LOGIN_SUCCESS, 5_000)
            story.happens(Kind.APP_ACCESS, MINUTE)
            story.wait(2 * HOUR)
            if day == 0:
                story.acts(Kind.CREDENTIAL_CHANGE, change=Change.RESET)
                story.acts(Kind.FACTOR_CHANGE, event_type_id=14)
        for user in range(12 if day else 0):
            whom: dict[str, Any] = {"user_id": 100 + user, "actor_user_id": 7}
            story.acts(Kind.CREDENTIAL_CHANGE, 20_000, **whom)
            story.acts(Kind.FACTOR_CHANGE, 20_000, event_type_id=24, **whom)
        story.wait(DAY)
    assert "high" not in story.levels


def test_helpdesk_work_on_the_move_is_never_high() -> None:
    """First sensitive actions, many of them, from an address not seen before."""
    story = Story()
    story.habits()
    story.ip, story.user_agent = ELSEWHERE, STRANGE
    for user in range(30):
        story.acts(Kind.CREDENTIAL_CHANGE, 10_000, user_id=100 + user, actor_user_id=7)
    assert "high" not in story.levels


def test_mistyped_codes_on_a_known_device_are_at_most_medium() -> None:
    """Ten wrong one-time codes, then the right one, then in."""
    story = Story()
    story.habits()
    for _ in range(10):
        story.happens(Kind.MFA_FAILURE, 15_000)
    story.happens(Kind.MFA_SUCCESS, 15_000)
    story.happens(Kind.LOGIN_SUCCESS, 5_000)
    assert "high" not in story.levels


def test_failing_alone_is_never_high() -> None:
    """However many, of both kinds, with lockouts, from a new address: nobody got in."""
    story = Story()
    story.habits()
    story.ip, story.user_agent = ELSEWHERE, STRANGE
    for attempt in range(200):
        story.happens(Kind.LOGIN_FAILURE, 1000)
        story.happens(Kind.MFA_FAILURE, 1000)
        if attempt % 10 == 9:
            story.locks(after=1000)
    assert "high" not in story.levels


def test_nine_failures_from_a_new_address_then_success_from_it_is_high() -> None:
    """Password guessing that ends in success."""
    story = Story()
    story.habits()
    told = _guessed(story)
    assert told.level == "high"
    assert {"success_after_failures", "login_failures_5m", "new_network"} <= told.signals.keys()
    assert "success after 9 failures from the same address" in told.value["risk"]["reasons"]


def test_mfa_denied_four_times_then_accepted_is_high() -> None:
    """Push fatigue, even at the usual address; and so is the login that it lets in."""
    story = Story()
    story.habits()
    for _ in range(4):
        story.happens(Kind.MFA_DENIED, 3 * MINUTE)
    accepted = story.happens(Kind.MFA_SUCCESS)
    assert accepted.level == "high"
    assert accepted.signals["known_address"] < 0 < accepted.signals["success_after_mfa_denials"]
    assert story.happens(Kind.LOGIN_SUCCESS, 1000).level == "high"


def test_one_denial_by_accident_stays_low() -> None:
    """A wrong tap, then the right one."""
    story = Story()
    story.habits()
    story.happens(Kind.MFA_DENIED)
    assert story.happens(Kind.MFA_SUCCESS).level == "low"


def test_a_privilege_granted_right_after_a_risky_login_is_high() -> None:
    """By a subject never seen doing so, after a guessed password."""
    story = Story()
    story.habits()
    assert _guessed(story).level == "high"
    told = story.acts(Kind.PRIVILEGE_CHANGE, 5 * MINUTE, user_id=9, actor_user_id=7)
    assert told.level == "high"
    assert {"after_risky_login", "sensitive_first_seen"} <= told.signals.keys()


def test_a_privilege_granted_after_push_fatigue_at_a_known_address_is_high() -> None:
    """The same, where nothing else about the place is odd."""
    story = Story()
    story.habits()
    for _ in range(4):
        story.happens(Kind.MFA_DENIED)
    story.happens(Kind.MFA_SUCCESS)
    told = story.acts(Kind.PRIVILEGE_CHANGE, 5 * MINUTE, user_id=9, actor_user_id=7)
    assert told.level == "high"


def test_the_same_privilege_without_the_login_is_not_high() -> None:
    """What a subject was never seen doing is odd, and no more."""
    story = Story()
    story.habits()
    told = story.acts(Kind.PRIVILEGE_CHANGE, user_id=9, actor_user_id=7)
    assert told.level in {"low", "medium"}
    assert "sensitive_first_seen" in told.signals


def test_one_admin_deletes_ten_users() -> None:
    """One subject, a burst of ten that the signals show, and not No."""
    story = Story()
    story.habits()
    for user in range(10):
        told = story.acts(
            Kind.USER_LIFECYCLE, 20_000, user_id=100 + user, actor_user_id=7, subject="1234:7"
        )
    assert "sensitive_burst" in told.signals
    assert any(
        each["detail"] == "10 sensitive actions in 10 minutes"
        for each in told.value["risk"]["signals"]
    )
    assert told.level != "no"


def test_a_risky_place_is_not_learned() -> None:
    """Whoever guessed the password does not become usual by it."""
    story = Story()
    story.habits()
    assert _guessed(story).level == "high"
    later = story.happens(Kind.LOGIN_SUCCESS, 3 * HOUR)
    assert "new_network" in later.signals
    assert "known_address" not in later.signals


def test_a_login_while_suspended_is_at_least_medium() -> None:
    """At the usual desk a reinstatement may have been missed; from elsewhere it is High."""
    story = Story()
    story.habits()
    story.effect(Kind.USER_LIFECYCLE, Change.SUSPEND)
    told = story.happens(Kind.LOGIN_SUCCESS)
    assert "activity_while_locked" in told.signals
    assert told.value["windows"]["locked"]
    assert told.level == "medium"
    story.ip = ELSEWHERE
    assert story.happens(Kind.LOGIN_SUCCESS).level == "high"


def test_uncataloged_events_are_low() -> None:
    """An id in no list tells nothing, and must not be silent either."""
    story = Story()
    told = story.happens(Kind.UNKNOWN, outcome=EventOutcome.UNKNOWN, category=Category.UNCATALOGED)
    assert told.level == "low"
