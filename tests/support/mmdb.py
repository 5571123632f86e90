"""Writes tiny MMDB files, by MaxMind's published format (version 2.0): a tree of 32-bit records."""

import struct
from ipaddress import ip_network
from pathlib import Path
from typing import Any

__all__ = ["write_mmdb"]

_KINDS = {
    "binary_format_major_version": 5,
    "binary_format_minor_version": 5,
    "build_epoch": 9,
    "ip_version": 5,
    "record_size": 5,
}
"""Unsigned integers of 16 and 64 bits; all others have 32."""
_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, records: dict[str, dict[str, Any]], kind: str = "Test") -> Path:
    """A file with one record per network; IPv4 lies in IPv6's last 32 bits."""
    nodes: list[list[int | tuple[str, int]]] = [[0, 0]]
    data, offsets = b"", {}
    for network, record in records.items():
        offsets[network] = len(data)
        data += _encoded(record)
    for network in records:
        parsed = ip_network(network)
        length = parsed.prefixlen + (96 if parsed.version == 4 else 0)
        address = int(parsed.network_address)
        place = 0
        for bit in range(length):
            side = address >> (127 - bit) & 1
            if bit == length - 1:
                nodes[place][side] = ("data", offsets[network])
                break
            following = nodes[place][side]
            if not isinstance(following, int) or not following:
                nodes.append([0, 0])
                following = nodes[place][side] = len(nodes) - 1
            place = following
    count = len(nodes)

    def record_of(value: int | tuple[str, int]) -> bytes:
        number = count + 16 + value[1] if isinstance(value, tuple) else value or count
        return number.to_bytes(4, "big")

    tree = b"".join(record_of(value) for node in nodes for value in node)
    metadata = _encoded(
        {
            "binary_format_major_version": 2,
            "binary_format_minor_version": 0,
            "build_epoch": 1_795_435_200,
            "database_type": kind,
            "description": {"en": "made by a test"},
            "ip_version": 6,
            "languages": ["en"],
            "node_count": count,
            "record_size": 32,
        }
    )
    path.write_bytes(tree + bytes(16) + data + _MARKER + metadata)
    return path


def _encoded(value: Any, integer: int = 6) -> bytes:
    if isinstance(value, dict):
        parts = b"".join(
            _encoded(key) + _encoded(each, _KINDS.get(key, 6)) for key, each in value.items()
        )
        return _control(7, len(value)) + parts
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, str):
        text = value.encode()
        return _control(2, len(text)) + text
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    number = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(integer, len(number)) + number


def _control(kind: int, size: int) -> bytes:
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind > 7:
        return bytes([low, kind - 7]) + more
    return bytes([kind << 5 | low]) + more
