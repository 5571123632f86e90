"""The internal form of profiles, and the JSON form before it."""

import msgspec
import pytest

from riskstream.risk.packed import pack_profile, repack_profile, unpack_profile
from riskstream.risk.profile import Profile, Run
from riskstream.windows.lockouts import Register
from riskstream.windows.packed import packed_as_of
from tests.support.risk import HOME, NOON

PROFILE = Profile(
    1,
    NOON,
    41,
    3,
    {HOME: (3, NOON), "2001:db8::7": (1, NOON - 5)},
    {"0123456789abcdef": (3, NOON)},
    {72: (1, NOON)},
    Register(NOON, "1234:1", 5),
    Run(2, 0, 1, NOON - 9, NOON, HOME, NOON),
    (NOON, 77),
    ((NOON // 60_000, 2),),
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
    assert len(packed) < len(JSON) * 0.65


def test_the_json_form_is_read() -> None:
    """As the first version wrote it."""
    assert unpack_profile("1234:7", JSON) == PROFILE


def test_what_is_read_from_the_changelog_is_stored_in_the_present_form() -> None:
    """The old form is turned into it, the present one is taken as it is."""
    packed = pack_profile(PROFILE)
    assert repack_profile(JSON) == packed
    assert repack_profile(packed) is packed


@pytest.mark.parametrize("value", [b"[1]", b"{}", b"", b"[", b"\x01\0\0\0\0\0\0\x93"])
def test_anything_else_is_refused(value: bytes) -> None:
    """With the fault that recovery turns into a message."""
    with pytest.raises(ValueError, match=r".") as raised:
        unpack_profile("1234:7", value)
    assert isinstance(raised.value, ValueError | msgspec.MsgspecError)
