"""The yardstick gives what is published, and what its formula gives by hand."""

from collections import Counter
from math import log10

import pytest

from evaluation.contenders.freeman import (
    ADDRESS_WEIGHTS,
    AGENT_WEIGHTS,
    UNSEEN_FACTOR,
    Freeman,
    Values,
)
from evaluation.rba import PUBLISHED_SCORES
from riskstream.risk.levels import level_of
from riskstream.risk.score import score_of

HOME: Values = ("192.0.2.1", 64_500, "XA")
DESK: Values = ("Chrome 140 on Windows", "Chrome 140", "Windows 10", "desktop")


def test_by_hand() -> None:
    """Two logins of one user and one of another: every step of the formula on paper."""
    freeman = Freeman(weights=(ADDRESS_WEIGHTS,))
    freeman.add("one", [HOME])
    freeman.add("one", [HOME])
    freeman.add("two", [("192.0.2.2", 64_500, "XA")])

    # unseen 1 + 1 AS + 1 country = 3; 2/3 * (1 - 3/6) = 1/3; within the address 1 + 1 + 1 = 3,
    # so 2/5 of that; p(x) = 0.6 * 2/15 + 0.3 + 0.1; p(x|u) = 1; times 3 logins / (2 * 2 users)
    assert freeman.score("one", [HOME]) == pytest.approx((0.6 * 2 / 15 + 0.4) * 3 / 4)
    # the country alone is known: p(x|u) = 0.1; the address is in nobody's history: 0.6 * 1/(3 + 3)
    abroad: Values = ("192.0.2.9", 64_501, "XA")
    assert freeman.score("one", [abroad]) == pytest.approx((0.6 / 6 + 0.1) / 0.1 * 3 / 4)


@pytest.mark.parametrize("logins", [1, 3, 8, 20, 100])
def test_nothing_known_gives_sixteen_times_the_rarity_of_the_user(logins: int) -> None:
    """Two features never seen weigh 4 each, however rare they are: S = 16 N / (n |U|)."""
    freeman = Freeman()
    for _ in range(logins):
        freeman.add("one", (HOME, DESK))
    for other in range(6):
        for _ in range(5):
            freeman.add(other, (("192.0.2.2", 64_502, "XB"), ("Safari", "Safari", "mac", "tablet")))

    strange = (("203.0.113.7", 64_511, "XC"), ("curl", "curl", "none", "script"))
    score = freeman.score("one", strange)
    assert score == pytest.approx(UNSEEN_FACTOR**2 * freeman.logins / (logins * 7))


@pytest.mark.parametrize(("logins", "score"), [(1, 63), (3, 50), (8, 39), (20, 29), (100, 16)])
def test_a_loyal_user_scores_lower_for_the_same_novelty(logins: int, score: int) -> None:
    """The published weakness, on our scale: at 1.75 logins per user, by the user's own logins."""
    assert score_of(round(log10(16 * 1.75 / logins) * 1000)) == score


@pytest.mark.parametrize(
    ("likelihood", "score"),
    [(0.02, 5), (0.1, 11), (0.5, 20), (1, 26), (10, 51), (100, 76), (1000, 90)],
)
def test_a_likelihood_ratio_has_its_place_on_our_scale(likelihood: float, score: int) -> None:
    """S = 1, attacker as likely as owner, is the first Medium; S = 10 the first High."""
    assert score_of(round(log10(likelihood) * 1000)) == score


def test_the_published_logins_are_no_alarm() -> None:
    """The 24 scores that are published for owners' logins, on our scale: none is High."""
    levels = Counter(
        level_of(score_of(round(log10(each) * 1000))).value for each in PUBLISHED_SCORES
    )
    assert levels == {"no": 16, "low": 7, "medium": 1}


def test_a_first_login_is_not_scored() -> None:
    """There is no history to compare it with."""
    freeman = Freeman()
    assert freeman.score("one", (HOME, DESK)) is None
    freeman.add("two", (HOME, DESK))
    assert freeman.score("one", (HOME, DESK)) is None


def test_the_usual_is_far_below_the_strange() -> None:
    """The same place and device again, against another place with the same device."""
    freeman = Freeman()
    for user in range(20):
        for _ in range(10):
            freeman.add(user, ((f"192.0.2.{user}", 64_500 + user % 4, "XA"), DESK))
    usual = freeman.score(3, (("192.0.2.3", 64_503, "XA"), DESK))
    moved = freeman.score(3, (("192.0.2.200", 64_503, "XA"), DESK))
    abroad = freeman.score(3, (("203.0.113.4", 64_511, "XB"), DESK))
    assert usual is not None
    assert moved is not None
    assert abroad is not None
    assert usual < moved < abroad
    assert sum(AGENT_WEIGHTS) == pytest.approx(1.0)
