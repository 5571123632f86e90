"""The internal form of profiles: on their changelog topic and in every store.

``windows.packed`` has the header; the profile's fields follow as one MessagePack array. The form
before it, a JSON array, is read as well.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.risk.profile import Profile, Run, Seen
from riskstream.windows.lockouts import Register
from riskstream.windows.packed import body, header, is_packed
from riskstream.windows.panes import Panes

__all__ = ["pack_profile", "repack_profile", "unpack_profile"]

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Profile).decode


def pack_profile(profile: Profile) -> bytes:
    """The profile without its subject."""
    return header(profile.as_of_ms) + _ENCODE(profile)


def unpack_profile(_subject: str, value: bytes) -> Profile:
    """The profile that ``pack_profile`` packed, in this form or in JSON.

    Raises:
        ValueError: It did not pack this.
    """
    if value[:1] == b"[":
        return _from_json(value)
    return _DECODE(body(value))


def repack_profile(value: bytes) -> bytes:
    """The value of a changelog record in the present form; as it is where it has that form.

    Raises:
        ValueError: It is in neither form.
    """
    return value if is_packed(value) else pack_profile(unpack_profile("", value))


class _JsonRegister(Struct):
    time_ms: int
    event_id: str
    event_type_id: int
    until_ms: int | None = None


class _JsonProfile(Struct, array_like=True):
    version: int
    as_of_ms: int
    offset: int
    logins: int = 0
    addresses: dict[str, Seen] = {}
    agents: dict[str, Seen] = {}
    actions: dict[int, Seen] = {}
    last_login: _JsonRegister | None = None
    run: Run | None = None
    risky_login: tuple[int, int] | None = None
    sensitive: Panes = ()


_DECODE_JSON: Final = msgspec.json.Decoder(_JsonProfile).decode


def _from_json(value: bytes) -> Profile:
    old = _DECODE_JSON(value)
    login = old.last_login
    return Profile(
        old.version,
        old.as_of_ms,
        old.offset,
        old.logins,
        old.addresses,
        old.agents,
        old.actions,
        None if login is None else Register(*msgspec.structs.astuple(login)),
        old.run,
        old.risky_login,
        old.sensitive,
    )
