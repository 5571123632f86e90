"""What is new and what is usual, as evidence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.vocabulary import Kind
from riskstream.risk.familiar import GRAIN, Familiarity
from riskstream.risk.features import (
    Feature,
    device_levels,
    levels_of_device,
    levels_of_place,
    network_of,
    place_levels,
)
from riskstream.risk.habits import UNIT, pane_of
from riskstream.risk.hours import bin_of, more_at, total_of
from riskstream.risk.profile import Profile
from riskstream.risk.signals.usual import usual_signals
from riskstream.risk.situation import QUIET, Situation
from riskstream.risk.tenant import NOBODY, TenantCounts, TenantView
from tests.support.risk import DAY, HOME, HOUR, LAPTOP, NOON, facts, policy, profile_of, usual

ELSEWHERE = "203.0.113.9"
FAMILIAR = Familiarity(policy().usual, 20)
AT_HOME: dict[str, Any] = {
    "ip": HOME,
    "country": "NL",
    "city": "Delft",
    "asn": 64500,
    "user_agent": LAPTOP,
    "device": "desktop",
    "system": "Linux",
    "browser": "Firefox",
}
ABROAD = AT_HOME | {"ip": ELSEWHERE, "country": "PT", "city": "Porto", "asn": 64501}


def _said(
    profile: Profile | None = None,
    tenant: TenantView = NOBODY,
    kind: Kind = Kind.LOGIN_SUCCESS,
    **changes: Any,
) -> dict[str, tuple[int, str]]:
    of = facts(kind, **changes)
    situation = Situation(of, of.time_ms, QUIET, None, False, profile, tenant)
    return {id_: (evidence, line) for id_, evidence, line in usual_signals(situation, FAMILIAR)}


def _tenant(users: int, **where: Any) -> TenantView:
    """A tenant in which so many users know a place."""
    rows = [profile_of(usual=usual(facts(**where)))] * users
    return TenantView(TenantCounts(rows, NOON), NOON)


def test_the_usual_place_and_device_lower() -> None:
    """Each chain as one signal, named after the finest level."""
    said = _said(profile_of(facts(**AT_HOME)), **AT_HOME)
    assert said.keys() == {"known_address", "known_user_agent"}
    assert said["known_address"][1] == f"usual address {HOME}"
    assert said["known_address"][0] < said["known_user_agent"][0] < 0


def test_a_new_country_is_charged_once() -> None:
    """Its networks and addresses are new for the same reason and add nothing."""
    said = _said(profile_of(facts(**AT_HOME)), **ABROAD)
    assert said["new_country"][1] == "first seen from PT"
    assert not {"new_city", "new_asn", "new_network", "new_address"} & said.keys()
    assert said["known_user_agent"][0] < 0


def test_a_new_address_in_the_usual_network_is_little() -> None:
    """What is usual about it stands beside it."""
    near = AT_HOME | {"ip": "198.51.100.200"}
    said = _said(profile_of(facts(**AT_HOME)), **near)
    assert said["new_address"][1] == "first seen from 198.51.100.200"
    assert said["known_network"][1] == "usual network 198.51.100.0/24"
    assert said["new_address"][0] + said["known_network"][0] < 0


def test_without_geography_the_network_takes_its_place() -> None:
    """And says in which one."""
    said = _said(profile_of(), ip=ELSEWHERE, user_agent="curl")
    assert said["new_network"] == (650, "first seen from 203.0.113.0/24")
    assert said["new_user_agent"][1] == "first seen with this user agent"


def test_a_longer_history_makes_what_is_new_weigh_more() -> None:
    """The ratio is bounded by what is known of the user."""
    weights = [
        _said(profile_of(usual=usual(facts(ip=HOME), times)), ip=ELSEWHERE)["new_network"][0]
        for times in (1, 5, 20)
    ]
    assert weights == sorted(weights)
    assert weights[0] < weights[-1] <= 1350


def test_where_half_the_tenant_works_is_hardly_new() -> None:
    """A colleague's first day in the office."""
    office = {"ip": ELSEWHERE, "country": "PT", "city": "Porto", "asn": 64501}
    alone = _said(profile_of(facts(**AT_HOME)), _tenant(100, **AT_HOME), **office)
    among = _said(profile_of(facts(**AT_HOME)), _tenant(100, **office), **office)
    assert alone["new_country"][0] >= 1000
    assert sum(evidence for evidence, _ in among.values()) < 300


def test_a_new_user_is_measured_against_the_tenant() -> None:
    """Where colleagues are is usual, where none is, is not."""
    tenant = _tenant(200, **AT_HOME)
    assert _said(None, tenant, **AT_HOME)["known_address"][0] < 0
    assert _said(None, tenant, **ABROAD)["new_country"][0] > 300
    assert not _said(None, NOBODY, **ABROAD)


def test_what_twenty_colleagues_took_up_within_a_day_is_no_novelty() -> None:
    """A new VPN, a new browser; nineteen are not enough."""
    me, vpn = profile_of(facts(**AT_HOME)), AT_HOME | {"ip": ELSEWHERE, "asn": 64502}
    today = usual(facts(**vpn), at=NOON - HOUR)

    def tenant(moved: int) -> TenantView:
        rows = [profile_of(usual=usual(facts(**AT_HOME)))] * 980 + [profile_of(usual=today)] * moved
        return TenantView(TenantCounts(rows, NOON), NOON)

    assert "new_asn" in _said(me, tenant(19), **vpn)
    found = _said(me, tenant(20), **vpn)
    assert not [id_ for id_ in found if id_.startswith("new_")]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Kind.LOGIN_SUCCESS, {"ip": None, "user_agent": None}),
        (Kind.LOGIN_SUCCESS, {"actor_user_id": 99}),
        (Kind.LOGIN_SUCCESS, {"subject_type": "system"}),
        (Kind.PROVISIONING, {}),
    ],
)
def test_nothing_is_said_where_nothing_can_be_compared(kind: Kind, changes: dict[str, Any]) -> None:
    """No place, or not the subject's own, or nobody at a keyboard."""
    assert not _said(profile_of(), kind=kind, **({"ip": ELSEWHERE, "user_agent": "x"} | changes))


def test_of_an_api_credential_the_place_alone_is_looked_at() -> None:
    """It keeps no hours, and its user agent is its own business."""
    busy = profile_of(hours=more_at(b"", bin_of(NOON + 12 * HOUR)) * 1)
    said = _said(busy, kind=Kind.API_ACCESS, subject_type="client", ip=ELSEWHERE, user_agent="x")
    assert said.keys() == {"new_network"}


def test_hours_of_the_week() -> None:
    """Working days are apart from weekends, and one hour blurs into the next."""
    hours = b""
    for day in range(20):
        if bin_of(NOON + day * DAY) < 24:
            for hour in (-3, -2, 0, 1, 3):
                hours = more_at(hours, bin_of(NOON + day * DAY + hour * HOUR))
    profile = profile_of(hours=hours)
    assert _said(profile)["usual_hour"][0] < 0
    assert _said(profile, time_ms=NOON + 12 * HOUR)["unusual_hour"][0] >= 300
    saturday = next(NOON + day * DAY for day in range(7) if bin_of(NOON + day * DAY) >= 24)
    assert _said(profile, time_ms=saturday)["unusual_hour"][0] >= 200
    assert "unusual_hour" not in _said(profile_of())


def test_apps() -> None:
    """The usual ones lower, another one hardly raises."""
    familiar: dict[str, Any] = {"kind": Kind.APP_ACCESS}
    habits = {0 | 4 << 4: 30 * UNIT, Feature.APP | 9 << 4: 30 * UNIT}
    profile = profile_of(usual={}, doings=habits, age=pane_of(NOON))
    assert _said(profile, app_id=9, **familiar)["known_app"][0] < 0
    assert _said(profile, app_id=8, **familiar)["new_app"][1] == "first seen in this app"


def test_levels_lie_inside_each_other() -> None:
    """Coarsest first; the first one's parent is a total."""
    for chain in (place_levels(facts(**AT_HOME)), device_levels(facts(**AT_HOME))):
        levels = chain.levels
        known = {level.key for level in levels}
        assert levels[0].parent not in known
        assert all(level.parent in known for level in levels[1:])
    assert network_of("2001:db8:1:2::7") == "2001:db8:1::/48"


@given(
    st.text(max_size=50),
    st.none() | st.text(max_size=9),
    st.none() | st.text(max_size=9),
    st.none() | st.integers(0, 2**63 - 1),
)
def test_keys_fit_what_a_profile_can_store(
    text: str, country: str | None, city: str | None, asn: int | None
) -> None:
    """Whatever an event says."""
    keys = levels_of_place(text, country, city, asn).keys
    keys += levels_of_device(text, country, city, None).keys
    assert all(0 <= key < 2**60 for key in keys)


@given(
    st.sampled_from([AT_HOME, ABROAD, {"ip": HOME}, {"ip": "192.0.2.77", "user_agent": "x"}]),
    st.integers(0, 60),
    st.integers(0, 300),
)
def test_evidence_is_bounded_and_round(where: dict[str, Any], times: int, users: int) -> None:
    """Per feature, by the policy."""
    profile = profile_of(usual=usual(facts(**AT_HOME), times) if times else {})
    rules = policy().usual.rules()
    for levels, _ in (place_levels(facts(**where)), device_levels(facts(**where))):
        tenant = _tenant(users % 7, **where)
        for feature, evidence, _ in FAMILIAR.levels(levels, profile.usual, tenant, NOON):
            assert evidence
            assert evidence % GRAIN == 0
            assert rules[feature].least * 1000 <= evidence <= rules[feature].most * 1000


def test_the_histogram_forgets_and_is_never_full() -> None:
    """One byte per hour."""
    hours = b""
    for _ in range(1000):
        hours = more_at(hours, 9)
    assert 128 <= hours[9] <= 255
    assert total_of(hours) == hours[9]
