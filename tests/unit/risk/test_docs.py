"""docs/risk.md says what the policy says."""

import re
from pathlib import Path

from riskstream.risk.hours import BINS
from riskstream.risk.policy import Family, Listed, Steps, VendorMode, WhileLocked
from riskstream.risk.signals.registry import SIGNAL_IDS
from riskstream.risk.signals.usual import USUAL_IDS
from riskstream.risk.usual_rules import FeatureRule, UsualRule
from tests.support.risk import policy

PAGE = (Path(__file__).parents[3] / "docs" / "risk.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("<!-- signals -->")[2].partition("<!-- /signals -->")[0]
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]] for line in TABLE.splitlines() if "`" in line
]


def _evidence(id_: str) -> str:
    rule = getattr(policy().signals, id_)
    if isinstance(rule, Steps):
        return ", ".join(f"{step.at}: {step.evidence}" for step in rule.steps)
    if isinstance(rule, Listed):
        return ", ".join(f"{name}: {evidence}" for name, evidence in rule.lists.items())
    if isinstance(rule, WhileLocked):
        return f"locked: {rule.locked}, suspended: {rule.suspended}"
    return str(getattr(rule, "evidence", "what is missing to it"))


def test_the_table_names_every_signal_with_family_and_evidence() -> None:
    """In the policy's order."""
    named = [id_ for id_ in SIGNAL_IDS if id_ not in USUAL_IDS]
    assert [(row[0], row[1], row[2]) for row in ROWS] == [
        (f"`{id_}`", getattr(policy().signals, id_).family.value, _evidence(id_)) for id_ in named
    ]


def test_the_table_of_features_is_the_policys() -> None:
    """One line per feature, and the hour."""
    table = PAGE.partition("<!-- features -->")[2].partition("<!-- /features -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    said = {row[0].strip("`"): row[2:] for row in rows if row and row[0].startswith("`")}
    usual = policy().usual
    for name in ("hour", *UsualRule.model_fields):
        rule = getattr(usual, name)
        if isinstance(rule, FeatureRule):
            numbers = (rule.attack, rule.unseen, rule.weight, rule.most, rule.least, rule.keep)
            assert said.pop(name) == [str(each) for each in numbers]
    assert said == {"hour": ["even", "", *map(str, _hour())]}


def _hour() -> tuple[float, float, float, int]:
    rule = policy().usual.hour
    assert rule is not None
    return rule.weight, rule.most, rule.least, BINS


def test_the_times_in_the_table_are_the_policys() -> None:
    """Minutes and logins."""
    said = {row[0].strip("`"): row[3] for row in ROWS}
    for id_ in ("success_after_failures", "success_after_mfa_denials", "after_risky_login"):
        assert f"{getattr(policy().signals, id_).within_minutes} minutes" in said[id_]
    new = policy().signals.new_user
    assert new is not None
    assert f"fewer than {new.until_logins} logins" in said["new_user"]


def test_the_caps_are_the_policys() -> None:
    """One line per family."""
    caps = dict(re.findall(r"^\| ([a-z]+) \| ([\d.]+|none) \|", PAGE, flags=re.MULTILINE))
    assert caps.keys() == {each.value for each in Family}
    for family in Family:
        cap = getattr(policy().families, family.value, None)
        assert caps[family.value] == ("none" if cap is None else str(cap.cap))


def test_the_numbers_in_the_prose_are_the_policys() -> None:
    """Of what is learned."""
    usual, text = policy().usual, " ".join(PAGE.split())
    for said in (
        f"halve in {usual.half_life_days} days",
        f"on {('one', 'two', 'three')[usual.confirm_days - 1]} different days",
        f"on {usual.unverified_days} different days",
        f"{usual.colleagues} users of the tenant",
        f"strength ({usual.strength})",
        f"tenant_strength ({usual.tenant_strength})",
        f"{usual.outside_login} of it",
    ):
        assert said in text, said
    assert all(f"`{mode.value}`" in PAGE for mode in VendorMode)
