"""The internal form of profiles, and the JSON form before it."""

from hashlib import blake2b

import msgspec
import pytest

from riskstream.risk.bulk import Bulk
from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    device_levels,
    hashed_agent_key,
    key_of,
    levels_of_place,
    place_levels,
)
from riskstream.risk.habits import UNIT, count_of, first_pane
from riskstream.risk.hours import more_at
from riskstream.risk.packed import pack_profile, repack_profile, unpack_profile
from riskstream.risk.profile import VERSION, Profile, Run, is_known
from riskstream.windows.lockouts import Register
from riskstream.windows.packed import header, packed_as_of
from tests.support.risk import HOME, LAPTOP, NOON, done, facts, usual

PROFILE = Profile(
    VERSION,
    NOON,
    41,
    3,
    9000,
    usual(facts(ip=HOME, user_agent=LAPTOP, country="NL", asn=64500)),
    done(72),
    more_at(b"", 12),
    Register(NOON, "1234:1", 5),
    Run(2, 0, 1, NOON - 9, NOON, HOME, NOON),
    (NOON, 77),
    ((NOON // 60_000, 2),),
    NOON - 5,
    ((NOON // 60_000, 2),),
    9,
    (NOON, 5237, 490),
    Bulk(12, NOON, True, 3000, NOON - 9),
)
"""One with everything in it."""
OLD_LOGIN = Register(NOON, "1234:1", 5)
OLD_RUN = Run(2, 0, 1, NOON - 9, NOON, HOME, NOON)
VERSION_1 = header(NOON) + msgspec.msgpack.encode(
    (
        1,
        NOON,
        41,
        3,
        {HOME: (3, NOON), "2001:db8::7": (1, NOON - 5)},
        {"0123456789abcdef": (3, NOON)},
        {72: (1, NOON)},
        OLD_LOGIN,
        OLD_RUN,
        (NOON, 77),
        ((NOON // 60_000, 2),),
    )
)
JSON = (
    b'[1,1795435200000,41,3,{"198.51.100.7":[3,1795435200000],"2001:db8::7":[1,1795435199995]},'
    b'{"0123456789abcdef":[3,1795435200000]},{"72":[1,1795435200000]},'
    b'{"time_ms":1795435200000,"event_id":"1234:1","event_type_id":5},'
    b'[2,0,1,1795435199991,1795435200000,"198.51.100.7",1795435200000],[1795435200000,77],'
    b"[[29923920,2]]]"
)


def test_a_profile_comes_back_as_it_was() -> None:
    """Its time can be told without decoding it."""
    packed = pack_profile(PROFILE)
    assert unpack_profile("1234:7", packed) == PROFILE
    assert packed_as_of(packed) == NOON
    assert len(packed) < 450


@pytest.mark.parametrize("value", [JSON, VERSION_1])
def test_the_former_forms_are_read(value: bytes) -> None:
    """What was known in them is usual, and not for a short while only."""
    profile = unpack_profile("1234:7", value)
    assert (profile.version, profile.as_of_ms, profile.offset) == (VERSION, NOON, 41)
    assert (profile.logins, profile.last_login, profile.run) == (3, OLD_LOGIN, OLD_RUN)
    assert (profile.risky_login, profile.sensitive) == ((NOON, 77), ((NOON // 60_000, 2),))
    assert is_known(profile, place_levels(facts(ip=HOME)))
    assert is_known(profile, place_levels(facts(ip="2001:db8::7")))
    home = levels_of_place(HOME, None, None, None).levels
    assert [count_of(profile.usual[each.key]) for each in home] == [3 * UNIT, 3 * UNIT]
    assert count_of(profile.usual[CHAINS[Chain.PLACES]]) == 4 * UNIT
    assert count_of(profile.usual[hashed_agent_key("0123456789abcdef")]) == 3 * UNIT
    assert profile.doings.keys() == {key_of(Feature.ACTION, 72), CHAINS[Chain.ACTIONS]}
    assert not any(first_pane(held) for held in profile.usual.values())


def test_a_user_agent_is_known_again_after_the_change_of_forms() -> None:
    """The hash is the one that former versions took."""
    was = blake2b(LAPTOP.encode(), digest_size=8).hexdigest()
    assert hashed_agent_key(was) == device_levels(facts(user_agent=LAPTOP)).levels[-1].key


def test_what_is_read_from_the_changelog_is_stored_in_the_present_form() -> None:
    """The old forms are turned into it, the present one is taken as it is."""
    packed = pack_profile(PROFILE)
    assert repack_profile(packed) is packed
    again = repack_profile(VERSION_1)
    assert repack_profile(again) is again
    assert unpack_profile("", again) == unpack_profile("", VERSION_1)


@pytest.mark.parametrize(
    "value", [b"[1]", b"{}", b"", b"[", b"\x01\0\0\0\0\0\0\x93", b"\x02\0\0\0\0\0\0\x93"]
)
def test_anything_else_is_refused(value: bytes) -> None:
    """With the fault that recovery turns into a message."""
    with pytest.raises(ValueError, match=r".") as raised:
        unpack_profile("1234:7", value)
    assert isinstance(raised.value, ValueError | msgspec.MsgspecError)
