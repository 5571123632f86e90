"""The scorer: caps, the known device, order, the vendor's score."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.event import VendorRisk
from riskstream.events.vocabulary import Kind
from riskstream.risk.loader import SHIPPED, parse_policy
from riskstream.risk.profile import Profile
from riskstream.risk.score import score_of
from riskstream.risk.scorer import Risk, Scorer
from riskstream.risk.situation import QUIET, Counts, Situation
from tests.support.risk import HOME, LAPTOP, facts, policy, profile_of, usual, vendor

SCORER = Scorer(policy())
PROFILE = profile_of()


def _score(
    kind: Kind = Kind.LOGIN_SUCCESS,
    counts: Counts = QUIET,
    profile: Profile | None = None,
    scorer: Scorer = SCORER,
    **changes: Any,
) -> Risk:
    of = facts(kind, **changes)
    return scorer(Situation(of, of.time_ms, counts, None, False, profile))


def _by_mode(mode: str) -> Scorer:
    text = SHIPPED.read_text(encoding="utf-8")
    return Scorer(parse_policy(text.replace('mode = "max"', f'mode = "{mode}"'), "test"))


def test_a_family_adds_up_to_its_cap_at_most() -> None:
    """Three ways to say that logins fail are not three times as bad."""
    counts = Counts(login_failures_5m=50, login_failures_1h=50, lockouts_24h=9)
    risk = _score(Kind.LOGIN_FAILURE, counts)
    assert sum(each.evidence for each in risk.signals) == pytest.approx(1.0, abs=0.002)
    assert risk.signal_ids == ("login_failures_5m", "login_failures_1h", "lockouts_24h")
    assert [each.evidence for each in risk.signals] == [0.357, 0.357, 0.286]


def test_failures_weigh_half_on_a_known_device() -> None:
    """Known address, and a known user agent where there is one."""
    counts = Counts(login_failures_5m=8)

    def weight(**changes: Any) -> float:
        risk = _score(Kind.LOGIN_FAILURE, counts, PROFILE, **changes)
        return next(each.evidence for each in risk.signals if each.id == "login_failures_5m")

    assert weight(ip=HOME, user_agent=LAPTOP) == 0.5
    assert weight(ip=HOME) == 0.5
    assert weight(ip=HOME, user_agent="other") == 1.0
    assert weight(ip="203.0.113.9", user_agent=LAPTOP) == 1.0
    assert weight() == 1.0


def test_signals_stand_in_order_of_their_evidence() -> None:
    """Ids and reasons follow them."""
    risk = _score(Kind.LOGIN_FAILURE, Counts(login_failures_5m=8), PROFILE, ip="203.0.113.9")
    assert risk.signal_ids == ("login_failures_5m", "new_network")
    assert risk.reasons == "8 failed logins in 5 minutes; first seen from 203.0.113.0/24"
    risk = _score(Kind.LOGIN_FAILURE, Counts(login_failures_5m=8), PROFILE, ip=HOME)
    assert risk.signal_ids == ("login_failures_5m", "known_address")


def test_the_vendors_score_decides_where_it_is_larger() -> None:
    """As a signal with its own points; ours stand beside it."""
    risk = _score(profile=PROFILE, vendor=vendor(48))
    assert (risk.score, risk.level) == (48, "medium")
    (signal,) = risk.signals
    assert (signal.id, signal.points) == ("vendor_score", 39)
    assert score_of(round((risk.prior.evidence + signal.evidence) * 1000)) == 48
    assert risk.vendor is not None
    assert (risk.vendor.score, risk.vendor.level) == (48, "medium")
    assert risk.vendor.reasons == (f"Infrequent access from {HOME}",)


def test_the_vendors_score_is_shown_where_it_does_not_decide() -> None:
    """Smaller than ours, or ignored."""
    for theirs, mode in ((2, "max"), (90, "ignore")):
        risk = _score(profile=PROFILE, vendor=vendor(theirs), scorer=_by_mode(mode))
        assert risk.score == 9
        assert risk.signals == ()
        assert risk.vendor is not None


def test_the_vendors_score_may_be_preferred() -> None:
    """Then it lowers as well."""
    risk = _score(profile=PROFILE, vendor=vendor(2), scorer=_by_mode("prefer"))
    assert (risk.score, risk.level) == (2, "no")
    assert risk.signals[0].points == -7
    same = _score(profile=PROFILE, vendor=vendor(9), scorer=_by_mode("prefer"))
    assert same.signals == ()


def test_failures_and_novelty_of_one_event_saturate() -> None:
    """The weaker of the two counts half."""
    counts, abroad = Counts(login_failures_5m=8), {"ip": "203.0.113.9", "user_agent": "other"}
    weights = {
        each.id: each.evidence
        for each in _score(Kind.LOGIN_FAILURE, counts, PROFILE, **abroad).signals
    }
    alone = {
        each.id: each.evidence
        for each in _score(Kind.LOGIN_FAILURE, QUIET, PROFILE, **abroad).signals
    }
    assert weights["login_failures_5m"] == 1
    assert weights["new_network"] == pytest.approx(alone["new_network"] / 2, abs=0.001)


def test_a_failure_is_not_high_for_being_strange() -> None:
    """A program, another country, a wrong password; with the right one it is High."""
    home = {"ip": HOME, "country": "NL", "city": "Delft", "asn": 64500, "user_agent": LAPTOP}
    known = facts(**home, device="desktop", system="Linux", browser="Firefox")
    profile = profile_of(usual=usual(known, 40), logins=40)
    abroad = {"ip": "203.0.113.9", "country": "PT", "city": "Porto", "asn": 64501}
    strange = abroad | {"user_agent": "Other/1.0", "device": "automated", "browser": "Other"}
    refused = _score(Kind.LOGIN_FAILURE, profile=profile, **strange)
    assert _score(profile=profile, **strange).level == "high"
    assert refused.level == "medium"
    up = sum(each.evidence for each in refused.signals if each.evidence > 0)
    assert up == pytest.approx(policy().saturation.failed, abs=0.01)
    assert refused.prior.points + sum(each.points for each in refused.signals) == refused.score


def test_novelty_weighs_less_where_nobody_logs_in() -> None:
    """The login that began the session was judged before."""

    def weight(kind: Kind) -> float:
        risk = _score(kind, profile=PROFILE, ip="203.0.113.9")
        return next(each.evidence for each in risk.signals if each.id == "new_network")

    share = policy().usual.outside_login
    assert weight(Kind.APP_ACCESS) == pytest.approx(weight(Kind.LOGIN_SUCCESS) * share)


@given(
    st.sampled_from(Kind),
    st.builds(
        Counts,
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(0, 60),
        st.booleans(),
        st.integers(0, 9),
    ),
    st.sampled_from([None, PROFILE]),
    st.sampled_from([None, HOME, "203.0.113.9"]),
    st.none() | st.builds(VendorRisk, st.integers(0, 100)),
)
def test_points_add_up_and_readers_can_recompute(
    kind: Kind,
    counts: Counts,
    profile: Profile | None,
    ip: str | None,
    theirs: VendorRisk | None,
) -> None:
    """From the evidence as it is written, to three decimals."""
    risk = _score(kind, counts, profile, ip=ip, vendor=theirs)
    assert risk.prior.points + sum(each.points for each in risk.signals) == risk.score
    total = risk.prior.evidence + sum(each.evidence for each in risk.signals)
    assert score_of(round(total * 1000)) == risk.score
    written = msgspec.json.decode(msgspec.json.encode(risk))
    assert [each["evidence"] for each in written["signals"]] == [
        round(each.evidence, 3) for each in risk.signals
    ]
    assert 0 <= risk.score <= 100
