"""A small evaluation from the simulated tenant to the page."""

import io
import re
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from rich.console import Console

from evaluation import cli
from evaluation.contenders.riskstream import Riskstream, signal_ids, without
from evaluation.happening import Attack, Happening, Trial
from evaluation.measure.observe import Observations, observe
from evaluation.report import publish
from evaluation.report.aims import aims
from evaluation.report.figures import Figures
from evaluation.stream import Scene, happenings
from riskstream.risk.loader import SHIPPED, load_policy

ROOT = Path(__file__).resolve().parents[3]
SMALL = Scene(seed=4, people=12, days=30, learning_days=12, trials=3.0)


@pytest.fixture(scope="module")
def figures() -> Figures:
    size = cli.Size(seeds=(7,), storm_seeds=(7,), people=16, days=45, learning_days=20, resamples=5)
    return cli.evaluate(size, load_policy(), 1, Console(file=io.StringIO()))


def test_the_report_says_everything(figures: Figures) -> None:
    """Each part is there, no figure is missing its value, and every aim is judged."""
    report = publish.text(figures)
    titles = re.findall(r"^### (.*)$", report, re.MULTILINE)
    assert len(titles) == 11
    assert f"Policy {load_policy().version}" in report
    assert all(f"`{signal}`" in report for signal in signal_ids(load_policy()))
    assert len(aims(figures)) == 14


def test_publish_fills_the_page_and_draws_the_plots(figures: Figures, tmp_path: Path) -> None:
    """What stands around the markers stays; the plots are well-formed."""
    (tmp_path / publish.PAGE).write_text(f"Before\n{publish.BEGIN}old{publish.END}\nAfter\n")
    publish.publish(figures, tmp_path)
    page = (tmp_path / publish.PAGE).read_text()
    assert page.startswith("Before")
    assert page.endswith("After\n")
    assert "old" not in page
    for name in re.findall(r"\((risk-evaluation-[a-z]+\.svg)\)", page):
        drawn = ET.fromstring((tmp_path / name).read_text())  # noqa: S314  (our own text)
        assert drawn.tag.endswith("svg")


def test_a_page_without_markers_is_left_alone(figures: Figures, tmp_path: Path) -> None:
    """Nothing of somebody's text is overwritten."""
    (tmp_path / publish.PAGE).write_text("mine")
    with pytest.raises(ValueError, match="lost its markers"):
        publish.publish(figures, tmp_path)
    assert (tmp_path / publish.PAGE).read_text() == "mine"


def test_the_page_has_figures_of_every_part(figures: Figures) -> None:
    """What is published has the parts that the report has today."""
    page = (ROOT / "docs" / publish.PAGE).read_text(encoding="utf-8")
    published = page.partition(publish.BEGIN)[2].partition(publish.END)[0]
    parts = re.compile(r"^### (.*)$", re.MULTILINE)
    assert parts.findall(published) == parts.findall(publish.text(figures))


def test_the_same_scene_gives_the_same_figures() -> None:
    """Every score and every count, but for the time it took."""
    one, other = observe(SMALL, leave_out=True), observe(SMALL, leave_out=True)
    for field in fields(Observations):
        if field.name != "cpu_us":
            assert repr(getattr(one, field.name)) == repr(getattr(other, field.name)), field.name
    assert np.array_equal(one.scores, other.scores, equal_nan=True)


def test_attempts_leave_no_trace() -> None:
    """The owners' events score the same, whether attacks are tried in between or not."""
    tried, calm = Riskstream(), Riskstream()
    attacks = 0
    for each in happenings(SMALL):
        if isinstance(each, Trial):
            tried.attempt([inner.event for inner in each.events])
            attacks += 1
        else:
            [one], [other] = tried.learn([each.event]), calm.learn([each.event])
            assert (one.score, one.signals) == (other.score, other.signals)
    assert attacks > 20


def test_chunks_do_not_matter() -> None:
    """The same events one by one and all at once."""
    events = [each.event for each in happenings(SMALL) if isinstance(each, Happening)][:800]
    single = Riskstream()
    assert Riskstream().learn(events) == [single.learn([event])[0] for event in events]


@pytest.mark.parametrize("left", ["user_agent", "new_user"])
def test_leaving_a_signal_out_is_scoring_without_it(left: str) -> None:
    """The same evidence as from a policy that has it off, as long as nothing was learned yet."""
    events = [each.event for each in happenings(SMALL) if isinstance(each, Happening)][:300]
    policy = load_policy()
    full = Riskstream(policy, leave_out=True).learn(events)
    less = Riskstream(without(policy, left)).learn(events)
    spoke = 0
    for one, other in zip(full, less, strict=True):
        assert dict(one.without).get(left, one.evidence) == pytest.approx(other.evidence)
        spoke += dict(one.without).get(left, one.evidence) != one.evidence
    assert spoke > 5


def test_the_command_refuses_a_policy_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is simulated, with the file's name."""
    faulty = tmp_path / "policy.toml"
    faulty.write_text(SHIPPED.read_text(encoding="utf-8").replace("version", "edition", 1))
    assert cli.main(["report", "--short", "--policy", str(faulty)]) == cli.WRONG_USE
    assert "policy.toml" in capsys.readouterr().err.replace("\n", "")


def test_seeds_of_fitting_and_judging_are_apart() -> None:
    """Nothing is judged on what it was fitted to."""
    assert not set(cli.FITTING_SEEDS) & set(cli.JUDGING_SEEDS)
    assert len(Attack) == 12
