"""The topics of a trial."""

import re

import pytest

from riskstream.errors import ConfigError
from riskstream.events.topics import ALERTS, ALL_TOPICS, DEAD_LETTER, SCORED, SCORED_PATTERN
from riskstream.streaming.trial import trial_specs


def test_a_trial_has_every_output_and_no_consumer_takes_it() -> None:
    """Settings as the real ones, but for how long they are kept."""
    specs = trial_specs("trial.")
    assert {spec.name for spec in specs} == {
        f"trial.{name}" for name in (*SCORED.values(), ALERTS, DEAD_LETTER)
    }
    assert not any(re.match(SCORED_PATTERN, spec.name) for spec in specs)
    real = {spec.name: spec for spec in ALL_TOPICS}
    for spec in specs:
        model = real[spec.name.removeprefix("trial.")].config
        assert {**model, "retention.ms": "604800000"} == spec.config


@pytest.mark.parametrize("prefix", ["", "iam.", "iam.trial.", "_trial."])
def test_a_prefix_that_consumers_could_take_is_refused(prefix: str) -> None:
    """Patterns such as ^iam. are common."""
    with pytest.raises(ConfigError, match="--prefix"):
        trial_specs(prefix)
