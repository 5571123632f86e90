"""Profiles as former versions wrote them, read into the present form.

They counted addresses, user agents and actions without decay; what they knew is taken for what is
usual, as of when it was seen last.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.risk.features import (
    CHAINS,
    Chain,
    Feature,
    hashed_agent_key,
    key_of,
    levels_of_place,
)
from riskstream.risk.habits import UNIT, Habits, count_of, entry, pane_of
from riskstream.risk.profile import VERSION, Profile, Run
from riskstream.windows.lockouts import Register
from riskstream.windows.panes import Panes

__all__ = ["profile_of_json", "profile_of_version_1"]

_Seen = tuple[int, int]
"""How often, and when last in epoch milliseconds."""
_MOST: Final = 16
"""Values of a feature taken over: those seen most often."""

_LONG_AGO: Final = 0
"""When it was met first is not known; it is not new."""


class _JsonRegister(Struct):
    time_ms: int
    event_id: str
    event_type_id: int
    until_ms: int | None = None


class _Former(Struct, array_like=True):
    version: int
    as_of_ms: int
    offset: int
    logins: int = 0
    addresses: dict[str, _Seen] = {}
    agents: dict[str, _Seen] = {}
    actions: dict[int, _Seen] = {}
    last_login: Register | None = None
    run: Run | None = None
    risky_login: tuple[int, int] | None = None
    sensitive: Panes = ()


class _FormerJson(Struct, array_like=True):
    version: int
    as_of_ms: int
    offset: int
    logins: int = 0
    addresses: dict[str, _Seen] = {}
    agents: dict[str, _Seen] = {}
    actions: dict[int, _Seen] = {}
    last_login: _JsonRegister | None = None
    run: Run | None = None
    risky_login: tuple[int, int] | None = None
    sensitive: Panes = ()


_DECODE: Final = msgspec.msgpack.Decoder(_Former).decode
_DECODE_JSON: Final = msgspec.json.Decoder(_FormerJson).decode


def profile_of_version_1(packed: memoryview) -> Profile:
    """A profile from the body of a row with version 1 in its header.

    Raises:
        ValueError: It is none.
    """
    return _profile(_DECODE(packed))


def profile_of_json(value: bytes) -> Profile:
    """A profile from the JSON array that it was at first.

    Raises:
        ValueError: It is none.
    """
    old = _DECODE_JSON(value)
    login = old.last_login
    register = None if login is None else Register(*msgspec.structs.astuple(login))
    fields = msgspec.structs.asdict(old) | {"last_login": register}
    return _profile(_Former(**fields))


def _profile(old: _Former) -> Profile:
    usual: Habits = {}
    for address, seen in _most(old.addresses):
        for level in levels_of_place(address, None, None, None).levels:
            _add(usual, level.key, seen)
        _add(usual, CHAINS[Chain.PLACES], seen)
    for agent, seen in _most(old.agents):
        _add(usual, hashed_agent_key(agent), seen)
        _add(usual, CHAINS[Chain.AGENTS], seen)
    doings: Habits = {}
    for action, seen in old.actions.items():
        _add(doings, key_of(Feature.ACTION, action), seen)
        _add(doings, CHAINS[Chain.ACTIONS], seen)
    return Profile(
        VERSION,
        old.as_of_ms,
        old.offset,
        old.logins,
        usual=usual,
        doings=doings,
        last_login=old.last_login,
        run=old.run,
        risky_login=old.risky_login,
        sensitive=old.sensitive,
    )


def _most(seen: dict[str, _Seen]) -> list[tuple[str, _Seen]]:
    return sorted(seen.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))[:_MOST]


def _add(habits: Habits, key: int, seen: _Seen) -> None:
    times, last_ms = seen
    before = count_of(habits.get(key, 0))
    habits[key] = entry(before + times * UNIT, pane_of(last_ms), _LONG_AGO)
