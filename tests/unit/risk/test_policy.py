"""The policy file: complete, bounded, and refused with every fault at once."""

import re
from pathlib import Path
from typing import Any

import pytest

from riskstream import risk
from riskstream.errors import PolicyError
from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.pipeline.examples import failing_examples
from riskstream.risk.loader import SHIPPED, load_policy, parse_policy
from riskstream.risk.policy import MAX_PRIOR, Signals
from riskstream.risk.score import score_of
from riskstream.risk.scorer import Scorer
from riskstream.risk.signals.registry import SIGNAL_IDS
from riskstream.risk.signals.usual import USUAL_IDS
from riskstream.risk.situation import QUIET, Situation
from tests.support.risk import DAY, facts

SEPTEMBER = 1_788_220_800_000
"""2026-09-01T00:00:00Z."""
TEXT = SHIPPED.read_text(encoding="utf-8")


def test_the_shipped_policy_has_every_signal_and_its_version() -> None:
    """Nothing is off unless an operator turns it off."""
    policy = load_policy()
    assert policy.version == "2026-11-25.5"
    named = tuple(Signals.model_fields)
    assert named == tuple(each for each in SIGNAL_IDS if each not in USUAL_IDS)
    assert all(getattr(policy.signals, each) is not None for each in named)
    assert len(policy.usual.rules()) * 2 + 2 == len(USUAL_IDS)
    assert policy.usual.hour is not None


@pytest.mark.parametrize(
    ("kind", "sensitivity", "score"),
    [
        (Kind.READ, Sensitivity.NONE, 3),
        (Kind.DIRECTORY, Sensitivity.NONE, 3),
        (Kind.MAPPING, Sensitivity.ORDINARY, 3),
        (Kind.LOGIN_SUCCESS, Sensitivity.NONE, 9),
        (Kind.CONFIG_CHANGE, Sensitivity.ORDINARY, 11),
        (Kind.UNKNOWN, Sensitivity.NONE, 11),
        (Kind.LOGIN_FAILURE, Sensitivity.NONE, 13),
        (Kind.PRIVILEGE_CHANGE, Sensitivity.SENSITIVE, 17),
        (Kind.USER_LIFECYCLE, Sensitivity.SENSITIVE, 17),
    ],
)
def test_priors_by_kind_then_by_sensitivity(
    kind: Kind, sensitivity: Sensitivity, score: int
) -> None:
    """What the architecture names."""
    assert score_of(load_policy().priors.of(kind, sensitivity)) == score


def test_no_prior_is_suspicious_for_itself() -> None:
    """Every kind and sensitivity stays at or below the bound."""
    priors = load_policy().priors
    assert all(
        priors.of(kind, sensitivity) <= MAX_PRIOR * 1000
        for kind in Kind
        for sensitivity in Sensitivity
    )


def test_every_fault_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    """An operator mends a file once, not once per fault."""
    text = TEXT.replace("login_success = -1.2", "login_success = -0.4\nwished = -1.0")
    text = text.replace("[signals.new_user]", "[signals.new_usr]")
    text = text.replace("{ at = 5, evidence = 0.6 }", "{ at = 2, evidence = 0.6 }", 1)
    text = text.replace("evidence = 1.5\n", "evidence = 1.50001\n")
    text = text.replace('mode = "max"', 'mode = "sometimes"')
    text = text.replace("none = -2.2\n", "")
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as fault:
        load_policy(path)
    message = str(fault.value)
    assert str(path) in message
    for place in (
        "priors.kind.login_success",
        "priors.kind.wished",
        "priors.sensitivity",
        "signals.new_usr",
        "signals.login_failures_5m.steps",
        "signals.after_risky_login.evidence",
        "vendor.mode",
    ):
        assert place in message, place


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('version = "2026-11-25.5"', 'version = ""', "version"),
        ("{ at = 8, evidence = 1.0 }", "{ at = 8, evidence = 0.1 }", "weighs less"),
        ("{ at = 3, evidence = 0.3 }", "{ at = 3, evidence = -0.3 }", "all be positive"),
        ("evidence = 0.3", "evidence = nan", "evidence"),
        ("cap = 1.0", "cap = 0", "families.failures.cap"),
        ("account = 30", "account = 0", "lockouts.assumed_minutes.account"),
        ("[profile]", "[profil]", "profile"),
        ("until_logins = 5", "until_logins = 0", "signals.new_user.until_logins"),
        ("attack = 0.05", "attack = 0", "usual.country.attack"),
        ("least = -0.05", "least = 0.05", "usual.country.least"),
        ("confirm_days = 3", "confirm_days = 4", "usual.confirm_days"),
        ("[usual.hour]", "[usual.hours]", "usual.hours"),
        ("sensitive = -0.5", "sensitive = -0.4", "priors.sensitivity.sensitive"),
    ],
)
def test_what_makes_no_sense_is_refused(before: str, after: str, says: str) -> None:
    """Each with a text that names the place or the rule."""
    assert before in TEXT
    with pytest.raises(PolicyError, match=re.escape(says)):
        parse_policy(TEXT.replace(before, after, 1), "test")


def test_a_file_that_is_not_there_or_no_toml_is_one_message(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="not valid TOML"):
        parse_policy("version = ", "test")


def test_a_signal_that_is_left_out_is_off() -> None:
    """How an operator turns one off."""
    start = TEXT.index("[signals.sensitive_first_seen]")
    end = TEXT.index("[signals.sensitive_burst]")
    assert parse_policy(TEXT[:start] + TEXT[end:], "test").signals.sensitive_first_seen is None


def test_the_code_of_the_signals_holds_no_weights() -> None:
    """Numbers with a fraction live in the policy alone."""
    room = Path(risk.__file__).parent
    curve = {"score.py", "numbers.py"}
    sources = [path for path in room.rglob("*.py") if path.name not in curve]
    assert len(sources) > 10
    for path in sources:
        assert not re.search(r"\d\.\d", path.read_text(encoding="utf-8")), path


def test_the_shipped_examples_hold() -> None:
    """What the policy promises in its own file."""
    policy = load_policy()
    assert len(policy.examples) >= 9
    assert list(failing_examples(policy)) == []


def test_an_example_that_does_not_hold_is_told_with_its_score() -> None:
    """And with the signals that were missed."""
    text = TEXT.replace(
        'expect = { at_most = "low" }', 'expect = { at_least = "high", signals = ["new_asn"] }', 1
    )
    level, signals = failing_examples(parse_policy(text, "test"))
    assert level.startswith("an ordinary morning: at least high expected, scores ")
    assert signals.startswith("an ordinary morning: no new_asn, ")


EXCEPTION = """
[[exceptions]]
signals = ["listed_address"]
networks = ["203.0.113.0/24"]
until = 2026-09-30
reason = "a partner behind a listed address"
"""


def _silenced(more: str, **changes: Any) -> bool:
    policy = parse_policy(TEXT + EXCEPTION + more, "test")
    values = {"ip": "203.0.113.9", "lists": ("blocked",), "time_ms": SEPTEMBER} | changes
    of = facts(Kind.LOGIN_SUCCESS, **values)
    risk = Scorer(policy)(Situation(of, of.time_ms, QUIET, None, False, None))
    return "listed_address" not in risk.signal_ids


def test_an_exception_silences_its_signals_where_all_it_names_applies() -> None:
    """Until the end of its last day, by the event's own time."""
    assert _silenced("")
    assert _silenced("", time_ms=SEPTEMBER + 30 * DAY - 1)
    assert not _silenced("", time_ms=SEPTEMBER + 30 * DAY)
    assert not _silenced("", ip="198.51.100.9")
    assert not _silenced("", ip=None)
    assert _silenced('users = ["1234:7"]')
    assert not _silenced('users = ["1234:8"]')
    assert _silenced("apps = [17]", app_id=17)
    assert not _silenced("apps = [17]")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"listed_address"]', '"listed_adress"]', "there is no signal listed_adress"),
        ('networks = ["203.0.113.0/24"]\n', "", "names users, groups, networks or apps"),
        ("203.0.113.0/24", "203.0.113.7/24", "no CIDR block"),
        ('reason = "a partner behind a listed address"', "", "reason"),
        ("until = 2026-09-30", "", "until"),
    ],
)
def test_exceptions_that_make_no_sense_are_refused(before: str, after: str, says: str) -> None:
    """Nothing is silenced by a slip of the pen."""
    assert before in EXCEPTION
    with pytest.raises(PolicyError, match=re.escape(says)):
        parse_policy(TEXT + EXCEPTION.replace(before, after), "test")
