"""Lists of networks: one address or CIDR block per line, ``#`` begins a comment."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Final

from riskstream.errors import ConfigError

__all__ = ["Networks", "parse_networks"]

_SHOWN: Final = 5
"""Faulty lines named in a message."""


class Networks:
    """A set of networks that is asked for single addresses."""

    def __init__(self, blocks: Iterable[tuple[int, int, int]] = ()) -> None:
        self._by_length: dict[tuple[int, int], set[int]] = {}
        for version, length, network in blocks:
            self._by_length.setdefault((version, length), set()).add(network)

    def __len__(self) -> int:
        return sum(map(len, self._by_length.values()))

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        bits, number, version = parsed.max_prefixlen, int(parsed), parsed.version
        return any(
            number >> (bits - length) in networks
            for (family, length), networks in self._by_length.items()
            if family == version
        )


def parse_networks(text: str, name: str) -> Networks:
    """The networks of a file's text.

    Raises:
        ConfigError: Lines are neither an address nor a block; the first ones are named.
    """
    blocks, faults = [], []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            faults.append(f"line {number}: {entry[:60]}")
            continue
        length, bits = network.prefixlen, network.max_prefixlen
        first = int(network.network_address) >> (bits - length)
        blocks.append((network.version, length, first))
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise ConfigError(
            f"{name} is no list of networks: {'; '.join(faults[:_SHOWN])}{more}. "
            "Each line has one address or block, such as 203.0.113.0/24; # begins a comment."
        )
    return Networks(blocks)
