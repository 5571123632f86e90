"""The policy of a running worker."""

import json
import os
from pathlib import Path

import pytest

from riskstream.errors import PolicyError
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.risk.loader import SHIPPED, load_policy
from riskstream.streaming.live_policy import LivePolicy
from tests.support.risk import facts, records

TEXT = SHIPPED.read_text(encoding="utf-8")
SHIPPED_VERSION = load_policy().version
FRESH = TEXT.replace(f'version = "{SHIPPED_VERSION}"', 'version = "mine-2"').replace(
    "run_gap_minutes = 60", "run_gap_minutes = 61"
)


def _write(path: Path, text: str) -> None:
    """As an operator should: another file, renamed into place, with a later time."""
    other = path.with_suffix(".new")
    other.write_text(text, encoding="utf-8")
    if path.exists():
        newer = path.stat().st_mtime_ns + 1_000_000_000
        os.utime(other, ns=(newer, newer))
    other.replace(path)


@pytest.fixture
def live(tmp_path: Path) -> LivePolicy:
    path = tmp_path / "policy.toml"
    _write(path, TEXT)
    return LivePolicy(path)


def test_a_new_version_is_taken_and_told(live: LivePolicy, tmp_path: Path) -> None:
    """Once."""
    told: list[str] = []
    live.taken.append(lambda policy: told.append(policy.version))
    live.look()
    assert told == []
    _write(tmp_path / "policy.toml", FRESH)
    live.look()
    live.look()
    assert told == [live.policy.version] == ["mine-2"]
    assert live.refusals() == {"policy": 0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FRESH.replace("[profile]", "[profil]"), "profil"),
        (FRESH.replace('"mine-2"', f'"{SHIPPED_VERSION}"'), "another version"),
        (FRESH.replace('expect = { at_most = "low" }', 'expect = { at_least = "high" }'), "hold"),
        ("version = ", "not valid TOML"),
        (None, "cannot be read"),
    ],
)
def test_what_does_not_hold_is_refused(
    live: LivePolicy, tmp_path: Path, text: str | None, says: str
) -> None:
    """The policy before it stays, until the file is mended."""
    path = tmp_path / "policy.toml"
    if text is None:
        path.unlink()
    else:
        _write(path, text)
    live.look()
    assert live.policy.version == SHIPPED_VERSION
    assert says in str(live.refused)
    assert live.refusals() == {"policy": 1}
    _write(path, FRESH)
    os.utime(path, ns=(1, 2_000_000_000_000_000_000))
    live.look()
    assert live.policy.version == "mine-2"
    assert live.refused is None


def test_the_shipped_policy_does_not_change() -> None:
    """There is nothing to look at."""
    shipped = LivePolicy(None)
    shipped.look()
    shipped.refresh()
    assert shipped.refused is None


def test_a_file_with_faults_ends_the_start(tmp_path: Path) -> None:
    """Nothing runs by half a policy."""
    path = tmp_path / "policy.toml"
    _write(path, "version = 7")
    with pytest.raises(PolicyError):
        LivePolicy(path)


def test_rows_of_one_policy_are_read_by_the_next(live: LivePolicy, tmp_path: Path) -> None:
    """Each score names the version that made it; nothing is lost in between."""
    state, versions = PartitionState(), []
    source = records([facts(id=f"1234:{number}") for number in range(4)])
    for number, record in enumerate(source):
        if number == 2:
            _write(tmp_path / "policy.toml", FRESH)
            live.look()
        result = Assess(live.policy, Limits())([record], state)
        state.apply(result.changes)
        (output,) = result.outputs
        versions.append(json.loads(output.value or b"")["risk"]["policy"])
    assert versions == [SHIPPED_VERSION, SHIPPED_VERSION, "mine-2", "mine-2"]
    assert state.profiles["1234:7"].logins == 4
