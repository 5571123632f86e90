"""Fitting: what a feature says alone, the arithmetic of many, and the file that comes of it."""

import numpy as np
import pytest

from evaluation.contenders.riskstream import Riskstream, features_of
from evaluation.fit.model import evidence, loss, numbers_of, weights_of
from evaluation.fit.rows import Rows, collect, joined, probing
from evaluation.fit.search import fit, rewritten
from evaluation.happening import Attack, Happening, Unit
from evaluation.measure.observe import ATTACKS
from evaluation.stream import Scene, happenings
from riskstream.risk.loader import SHIPPED, load_policy, parse_policy
from riskstream.risk.policy import Family

SMALL = Scene(seed=4, people=12, days=30, learning_days=10, trials=3.0)
POLICY = load_policy()
CAPS = {
    family: float(getattr(POLICY.families, family.value).cap)
    for family in (Family.PLACE, Family.DEVICE, Family.HABIT)
}


@pytest.fixture(scope="module")
def rows() -> Rows:
    return collect(SMALL, POLICY)


def _made_up(address: list[float], attack: list[int]) -> Rows:
    features = ("address",)
    ratios = np.array(address)[:, None]
    return Rows(features, ratios, np.full(len(address), -1.2), np.array(attack, dtype=np.int64))


def test_rows_hold_logins_of_owners_and_attackers(rows: Rows) -> None:
    """A row per login, with a column per feature of the policy."""
    assert rows.features == features_of(POLICY)
    assert rows.ratios.shape == (len(rows.attack), len(rows.features))
    assert (rows.attack < 0).sum() > 100
    assert ATTACKS.index(Attack.NAIVE) in rows.attack
    assert len(joined([rows, rows]).attack) == 2 * len(rows.attack)


def test_the_arithmetic_is_the_scorers(rows: Rows) -> None:
    """With the policy's own numbers it gives the scorer's evidence, login by login."""
    ours = Riskstream()
    by_hand = evidence(rows, numbers_of(POLICY, rows.features), CAPS)
    owners = by_hand[rows.attack < 0].tolist()
    scored, seen = [], set()
    begin = None
    for each in happenings(SMALL):
        if isinstance(each, Happening):
            begin = each.event.at_ms if begin is None else begin
            [verdict] = ours.learn([each.event])
            label = each.label
            if label.unit is not Unit.LOGIN or label.unit_id in seen:
                continue
            seen.add(label.unit_id)
            if each.event.at_ms >= begin + 11 * 86_400_000 and label.attack is None:
                scored.append(verdict.evidence)
    # a probe's evidence comes in steps of 0.05, and so does that of each of the scorer's features
    off = np.abs(np.array(owners[-len(scored) :]) - np.array(scored))
    assert len(scored) > 50
    assert np.median(off) < 0.05
    assert off.max() < 0.2


def test_a_probe_hears_one_feature_alone() -> None:
    """No other feature, no signal, and no bound that matters."""
    probe = probing(POLICY, "address")
    assert features_of(probe) == ("address",)
    assert probe.usual.address is not None
    assert probe.usual.address.weight == 1.0
    assert all(getattr(probe.signals, name) is None for name in type(probe.signals).model_fields)


def test_the_loss_is_least_for_what_is_true() -> None:
    """Evidence that is ten times too sure, or says the opposite, costs more."""
    rng = np.random.default_rng(3)
    attack = np.array([-1] * 4000 + [0] * 4000)
    truth = np.where(attack < 0, rng.normal(-1.15, 1, 8000), rng.normal(1.15, 1, 8000))
    made = _made_up(truth.tolist(), attack.tolist())
    own, weights = made.attack < 0, weights_of(made)

    def cost(factor: float) -> float:
        return loss(factor * truth - 1.2, -1.2, own, weights)

    # normal with means 1.15 apart from 0 on each side: the log10 ratio is 2 * 1.15 * x / ln 10
    assert cost(1.0) < cost(4.0)
    assert cost(1.0) < cost(0.2)
    assert cost(1.0) < cost(-1.0)


def test_classes_of_attackers_weigh_the_same() -> None:
    """However many rows each has; owners together weigh one."""
    made = _made_up([0.0] * 7, [-1, -1, 0, 1, 1, 1, 1])
    weights = weights_of(made)
    assert weights.tolist() == [0.5, 0.5, 0.5, 0.125, 0.125, 0.125, 0.125]


def test_fitting_lowers_the_loss_and_keeps_the_file_valid(rows: Rows) -> None:
    """What it finds goes into the policy's file, and the file says it back."""
    told: list[str] = []
    found = fit(rows, POLICY, told.append)
    first, last = (float(line.split()[1]) for line in (told[0], told[-1]))
    assert last < first
    text = SHIPPED.read_text(encoding="utf-8")
    policy = parse_policy(rewritten(text, found), "fitted")
    for name, each in numbers_of(policy, rows.features).items():
        assert each.weight == pytest.approx(found[name].weight, abs=0.006)
        assert each.most == pytest.approx(found[name].most, abs=0.026)
    assert policy.signals == POLICY.signals
    assert policy.priors == POLICY.priors


def test_a_file_without_the_section_is_refused(rows: Rows) -> None:
    """Nothing is written by half."""
    numbers = numbers_of(POLICY, rows.features)
    text = SHIPPED.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"no section usual\.address"):
        rewritten(text.replace("[usual.address]", "[usual.addresses]"), numbers)
    with pytest.raises(ValueError, match="states weight 0 times"):
        rewritten(text.replace("weight = ", "weigh = "), numbers)
