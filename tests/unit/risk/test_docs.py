"""docs/risk.md says what the policy says."""

import re
from pathlib import Path

from riskstream.risk.policy import Family, Steps, VendorMode, WhileLocked
from riskstream.risk.signals.registry import SIGNAL_IDS
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
    if isinstance(rule, WhileLocked):
        return f"locked: {rule.locked}, suspended: {rule.suspended}"
    return str(getattr(rule, "evidence", "what is missing to it"))


def test_the_table_names_every_signal_with_family_and_evidence() -> None:
    """In the policy's order."""
    assert [(row[0], row[1], row[2]) for row in ROWS] == [
        (f"`{id_}`", getattr(policy().signals, id_).family.value, _evidence(id_))
        for id_ in SIGNAL_IDS
    ]


def test_the_times_in_the_table_are_the_policys() -> None:
    """Minutes and logins."""
    said = {row[0].strip("`"): row[3] for row in ROWS}
    for id_ in ("success_after_failures", "success_after_mfa_denials", "after_risky_login"):
        assert f"{getattr(policy().signals, id_).within_minutes} minutes" in said[id_]
    for id_ in ("new_address", "new_user_agent"):
        assert f"at least {getattr(policy().signals, id_).min_logins} logins" in said[id_]


def test_the_caps_are_the_policys() -> None:
    """One line per family."""
    caps = dict(re.findall(r"^\| ([a-z]+) \| ([\d.]+|none) \|", PAGE, flags=re.MULTILINE))
    assert caps.keys() == {each.value for each in Family}
    for family in Family:
        cap = getattr(policy().families, family.value, None)
        assert caps[family.value] == ("none" if cap is None else str(cap.cap))


def test_the_bounds_and_modes_are_the_policys() -> None:
    """What the prose names."""
    profile = policy().profile
    assert (
        f"({profile.addresses} addresses, {profile.user_agents} user agents, "
        f"{profile.actions} actions)" in PAGE
    )
    assert all(f"`{mode.value}`" in PAGE for mode in VendorMode)
