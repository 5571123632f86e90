"""The likenesses of vendors' rules do what the vendors' pages say."""

from dataclasses import replace
from random import Random

import pytest

from evaluation.contenders.rules import EntraLike, NewAddress, OktaLike
from evaluation.contenders.sighting import Sighting, sighting
from evaluation.happening import DAY_MS, FIRST_MS, HOUR_MS
from evaluation.world.browsers import SCRIPTS, Device, parse_agent
from evaluation.world.geography import CITIES_BY_COUNTRY, distance_km
from evaluation.world.internet import NetKind, host_in, locate, providers
from riskstream.demo.tenant import Tenant
from riskstream.demo.tenant_event import Place, by_system, by_user, from_place

AGENT = Device("windows", "chrome", 0).agent(0)


def _seen(user: int, at_ms: int, country: str = "XA", *, host: int = 1, city: int = 0) -> Sighting:
    where = CITIES_BY_COUNTRY[country][city]
    network = providers(NetKind.BROADBAND, country)[0].networks_in(where)[0]
    address = f"2001:db8:{network:x}:1::{host:x}"
    location = locate(address)
    assert location is not None
    return Sighting(user, at_ms, True, False, address, location, parse_agent(AGENT))


def test_new_address() -> None:
    """Known after one success; without any login there is nothing to say."""
    contender = NewAddress()
    first = _seen(1, FIRST_MS)
    assert contender.score(first) is None
    contender.learn(first)
    assert contender.score(first) == 0.0
    assert contender.score(_seen(1, FIRST_MS, host=2)) == 1.0


def test_okta_compares_with_the_last_sign_ins() -> None:
    """A city is forgotten after twenty sign-ins elsewhere; speed counts as a behaviour."""
    contender = OktaLike()
    contender.learn(_seen(1, FIRST_MS, city=1))
    for day in range(1, 21):
        contender.learn(_seen(1, FIRST_MS + day * DAY_MS))
    later = FIRST_MS + 30 * DAY_MS
    assert contender.score(_seen(1, later)) == 0.0
    assert contender.score(_seen(1, later, host=9)) == 1.0
    assert contender.score(_seen(1, later, city=1)) == 1.0
    contender.learn(_seen(1, later))
    # city, country, address are new, and nobody travels so fast
    assert contender.score(_seen(1, later + HOUR_MS, "XP")) == 6.0


def test_entra_is_silent_while_it_learns() -> None:
    """Ten logins or fourteen days; then every unfamiliar feature counts."""
    contender = EntraLike()
    for number in range(9):
        contender.learn(_seen(1, FIRST_MS + number * HOUR_MS))
    strange = _seen(1, FIRST_MS + 9 * HOUR_MS, "XP")
    assert contender.score(strange) == 0.0
    contender.learn(_seen(1, FIRST_MS + 9 * HOUR_MS))
    # address, AS, city, country (twice more), and travel
    assert contender.score(strange) == 4.0 + 2.0 + 3.0


def test_entra_knows_where_colleagues_are() -> None:
    """Travel to where three colleagues were lately is no finding."""
    contender = EntraLike()
    for number in range(10):
        contender.learn(_seen(1, FIRST_MS + number * HOUR_MS))
    for colleague in (2, 3, 4):
        contender.learn(_seen(colleague, FIRST_MS, "XP"))
    assert contender.score(_seen(1, FIRST_MS + 10 * HOUR_MS, "XP")) == 6.0


def test_entra_sees_a_spray() -> None:
    """From an address that was refused for five users within the hour."""
    contender = EntraLike()
    for number in range(10):
        contender.learn(_seen(1, FIRST_MS + number * HOUR_MS))
    at_ms = FIRST_MS + 10 * HOUR_MS
    for user in range(2, 7):
        contender.learn(replace(_seen(user, at_ms), success=False, failure=True))
    assert contender.score(_seen(1, at_ms)) == 4.0
    assert contender.score(_seen(1, at_ms + 2 * HOUR_MS)) == 0.0


def test_a_sighting_is_of_a_person_at_a_place() -> None:
    """The user of an authentication, the actor of an action; nobody where a system acts."""
    person = Tenant(1, 10).person(3)
    place = from_place(Place("192.0.2.9", AGENT))
    other: dict[str, str | int | None] = {"user_id": 77}
    login = sighting(by_user(FIRST_MS, "USER_LOGGED_INTO_ONELOGIN", person, place))
    action = sighting(by_user(FIRST_MS, "PRIVILEGE_GRANTED_TO_USER", person, place, other))
    assert login is not None
    assert action is not None
    assert (login.user, action.user) == (person.id, person.id)
    assert (login.success, action.success) == (True, False)
    assert sighting(by_system(FIRST_MS, "USER_LOCKED", "", 3, {"user_id": person.id})) is None


@pytest.mark.parametrize(
    ("device", "parts"),
    [
        (Device("windows", "edge", 0), ("Edge 132", "Windows NT 10.0 Win64", "desktop")),
        (
            Device("mac", "safari", 0),
            ("Safari 18.0", "Macintosh Intel Mac OS X 10_15_7", "desktop"),
        ),
        (Device("linux", "firefox", 0), ("Firefox 132", "X11 Linux x86_64", "desktop")),
        (Device("android", "phone", 0), ("Chrome 132", "Linux Android 10", "mobile")),
    ],
)
def test_user_agents_come_apart(device: Device, parts: tuple[str, str, str]) -> None:
    """Browser, system and device, and a script is none of them."""
    agent = parse_agent(device.agent(3))
    assert (agent.browser, agent.system, agent.device) == parts
    assert parse_agent(device.agent(40)).browser != parts[0] or device.browser == "safari"
    assert parse_agent(SCRIPTS[0]).device == "script"


def test_distances_are_those_of_a_globe() -> None:
    """A quarter of the way round, and no way at all."""
    one = CITIES_BY_COUNTRY["XA"][0]
    pole = replace(one, latitude=90.0)
    equator = replace(one, latitude=0.0)
    assert distance_km(pole, equator) == pytest.approx(10_007.5, rel=1e-3)
    assert distance_km(one, one) == 0.0
    assert locate(host_in(65_535, Random(1))) is None
