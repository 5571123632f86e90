"""Figures from scores: cuts with ties, recall, precision, levels, curves."""

from collections import Counter

import numpy as np
import pytest

from evaluation.happening import Attack, Unit
from evaluation.measure.levels import calibration, new_things_low
from evaluation.measure.observe import ATTACKS, Observations
from evaluation.measure.pool import LOYAL, Pool, attacks_of, pool
from evaluation.measure.reauth import curve
from evaluation.measure.recall import Cut, average_precision, cut_at, recalls, share_caught
from evaluation.stream import Scene
from riskstream.risk.levels import Level

NAIVE = ATTACKS.index(Attack.NAIVE)


def _pool(
    ordinary: list[float], attacks: list[float], history: int = 20, resamples: int = 50
) -> Pool:
    """Logins of as many people as there are scores, and an attack on each of the first of them."""
    rows = len(ordinary) + len(attacks)
    people = [*range(1, len(ordinary) + 1), *range(1, len(attacks) + 1)]
    found = Observations(
        scene=Scene(1),
        names=("riskstream",),
        unit=np.zeros(rows, dtype=np.int64),
        attack=np.array([-1] * len(ordinary) + [NAIVE] * len(attacks)),
        group=np.array([-1] * len(ordinary) + list(range(len(attacks)))),
        owner=np.array(people),
        history=np.full(rows, history),
        day=np.zeros(rows, dtype=np.int64),
        since_new=np.full(rows, np.nan, dtype=np.float32),
        level_score=np.full(rows, 10),
        scores=np.array([[each] for each in (*ordinary, *attacks)], dtype=np.float32),
        stories=[],
        ordinary_events=Counter({(1, Level.LOW): 900, (2, Level.MEDIUM): 90, (3, Level.HIGH): 10}),
        attack_events=Counter({(1, Level.LOW, Attack.NAIVE): 1, (2, Level.HIGH, Attack.NAIVE): 3}),
        logins=len(ordinary),
        cpu_us={},
    )
    return pool([found], resamples)


def test_a_cut_challenges_the_wanted_share() -> None:
    """Of a hundred scores one in twenty lies above it, or on it as far as needed."""
    units = _pool([float(each) for each in range(100)], [97.0, 10.0])
    cut = cut_at(units, "riskstream", Unit.LOGIN, 0.05)
    above = sum(each > cut.score for each in range(100))
    assert above + cut.share == pytest.approx(5.0)
    assert share_caught(cut, np.array([97.0, 10.0]), np.ones(2)) == pytest.approx(0.5)


def test_ties_are_challenged_in_part() -> None:
    """A rule that says yes or no is compared at the same challenge rate as a score."""
    units = _pool([1.0] * 20 + [0.0] * 80, [1.0, 1.0, 0.0, 0.0])
    [five] = [
        each for each in recalls(units, ("riskstream",)) if each.rate == 0.05 and not each.history
    ]
    # 5 of the 20 yes are challenged: a quarter of the attackers that it says yes to
    assert five.caught.value == pytest.approx(0.25 * 0.5)
    assert five.attacks == 4


def test_recall_goes_by_length_of_history() -> None:
    """Attacks count in the span of their victim's past logins alone."""
    units = _pool([float(each) for each in range(100)], [99.5] * 10, history=12)
    spans = {each.history: each for each in recalls(units, ("riskstream",)) if each.rate == 0.01}
    assert spans[12, 38].attacks == 10
    assert spans[12, 38].caught.value == pytest.approx(1.0)
    assert spans[LOYAL].attacks == 10
    assert spans[1, 3].attacks == 0
    assert spans[1, 3].caught.text() == "-"


def test_intervals_hold_the_value_and_shrink_with_people() -> None:
    """Resamples of few people differ more than those of many."""
    rng = np.random.default_rng(1)

    def width(people: int) -> float:
        ordinary = rng.normal(0, 1, people).tolist()
        units = _pool(ordinary, rng.normal(1.5, 1, people // 2).tolist(), resamples=100)
        [found] = [
            each
            for each in recalls(units, ("riskstream",))
            if each.rate == 0.1 and not each.history
        ]
        assert found.caught.low <= found.caught.value <= found.caught.high
        return found.caught.high - found.caught.low

    assert width(2000) < width(60)


def test_an_attack_counts_by_its_highest_unit() -> None:
    """Two logins of one attacker are one attack."""
    units = _pool([0.0] * 10, [1.0, 3.0])
    units.group[-2:] = 7
    found = attacks_of(units, Attack.NAIVE)
    assert found.scores.tolist() == [[3.0]]


def test_average_precision() -> None:
    """One for who tells all apart, the share of attacks for who tells nothing."""
    assert average_precision(_pool([0.0] * 50, [1.0] * 5), "riskstream", 1e-4) == pytest.approx(1.0)
    nothing = average_precision(_pool([0.5] * 50, [0.5] * 5), "riskstream", 1e-4)
    assert nothing == pytest.approx(1e-4, rel=0.01)


def test_levels_are_shares_at_one_in_ten_thousand() -> None:
    """A quarter of the attacks is Low, three quarters are High; of the rest nine tenths and 1 %."""
    by_level = {each.level: each for each in calibration(_pool([0.0] * 5, [1.0]))}
    low = 1e-4 * 0.25 / (1e-4 * 0.25 + (1 - 1e-4) * 0.9)
    high = 1e-4 * 0.75 / (1e-4 * 0.75 + (1 - 1e-4) * 0.01)
    assert by_level[Level.LOW].share.value == pytest.approx(low)
    assert by_level[Level.HIGH].share.value == pytest.approx(high)
    assert by_level[Level.MEDIUM].share.value == 0.0
    assert by_level[Level.HIGH].ordinary == 10


def test_new_things_are_followed_from_the_third_day_on() -> None:
    """Of logins with a new device three days on or more, the share below Medium."""
    units = _pool([0.0] * 4, [1.0])
    units.since_new[:4] = [1.0, 3.0, 5.0, np.nan]
    units.level_score[:4] = [60, 60, 10, 60]
    many, low = new_things_low(units)
    assert many == 2
    assert low.value == 0.5


def test_a_curve_counts_those_who_were_seen_from_the_start() -> None:
    """One newcomer with two logins after the first, one of them above the cut."""
    units = _pool([0.0, 9.0, 1.0], [5.0, 6.0, 7.0], history=2)
    units.people[:3] = 0
    units.history[:3] = [0, 1, 2]
    found = curve(units, "riskstream", Attack.NAIVE, 1.0, (2, 3, 50))
    assert found.rates[:2] == (1.0, 0.5)
    assert found.people == (1, 1, 0)
    assert np.isnan(found.rates[2])


def test_nothing_caught_of_nothing_is_no_figure() -> None:
    """Not zero, and not all."""
    assert np.isnan(share_caught(Cut(0.5, 1.0), np.array([]), np.array([])))
