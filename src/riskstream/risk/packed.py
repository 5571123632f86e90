"""The internal form of profiles: on their changelog topic and in every store.

``windows.packed`` has the header; the profile's fields follow as one MessagePack array. The two
forms before it are read as well; ``former`` has them.
"""

from typing import Final

import msgspec

from riskstream.risk.former import profile_of_json, profile_of_version_1
from riskstream.risk.profile import VERSION, Profile
from riskstream.windows.packed import body, header, is_packed

__all__ = ["pack_profile", "repack_profile", "unpack_profile"]

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Profile).decode


def pack_profile(profile: Profile) -> bytes:
    """The profile without its subject."""
    return header(profile.as_of_ms, VERSION) + _ENCODE(profile)


def unpack_profile(_subject: str, value: bytes) -> Profile:
    """The profile that ``pack_profile`` packed, in this form or a former one.

    Raises:
        ValueError: It did not pack this.
    """
    if value[:1] == b"[":
        return profile_of_json(value)
    if is_packed(value):
        return profile_of_version_1(body(value))
    return _DECODE(body(value, VERSION))


def repack_profile(value: bytes) -> bytes:
    """The value of a changelog record in the present form; as it is where it has that form.

    Raises:
        ValueError: It is in none of them.
    """
    return value if is_packed(value, VERSION) else pack_profile(unpack_profile("", value))
