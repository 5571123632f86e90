"""Change an input so that it stays nearly JSON, nearly OneLogin's, or nearly ours.

Works on the text, so it changes broken documents as well as sound ones.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

from riskstream.catalog.loader import load_catalog
from riskstream.events.event import Classified, Facts, Origin
from riskstream.events.vendor import STRICT_FIELDS, VendorEvent
from tests.fuzz.inputs import GS, RS, US

__all__ = ["Mutator", "dictionary"]

FIELDS: Final = (
    *VendorEvent.__struct_fields__,
    *Facts.__struct_fields__,
    *Classified.__struct_fields__,
    *Origin.__struct_fields__,
)
_TIMES: Final = (
    "2026-11-23T13:00:00.847Z",
    "2026-11-23 13:00:00 UTC",
    "2026-11-23T13:04:59+14:00",
    "2026-11-23T13:59:00-00:01",
    "2026-11-24T13:00:01Z",
    "2026-11-30T13:00:00",
    "2026-12-08T13:00:00Z",
    "2027-03-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "1970-01-01T00:00:00.0009Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-W48-1T13:00:00",
    "20261123T130000Z",
    "2026-11-23T24:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-11-23",
    " 2026-11-23T13:00 ",
    "2026-11-23T13:00:00+00:00:00.000001",
)
_TEXTS: Final = (
    "",
    " ",
    "7",
    " 7 ",
    "-7",
    "+7",
    "1_000",
    "0007",
    "x",
    "User Seven",
    "9" * 19,
    "9223372036854775807",
    "9223372036854775808",
    "9" * 400,
    "x" * 129,
    "x" * 1100,
    "\u00fc" * 600,
    "\U0001f600" * 300,
    "\uff17",
    "\u0663",
    "\u00b2",
    "\u0130\u00df\ufb01",
    "\u202eabc\u2066",
    "\u00a0\u3000",
    "203.0.113.9",
    "::ffff:203.0.113.9",
    "2001:DB8::1",
    "fe80::1%eth0",
    "203.0.113.009",
    "203.0.113.9, 198.51.100.7",
    "Mozilla/5.0 (example)",
    "Authentication method: password (invalid password).",
    "Authentication method: OTP (Valid OTP). Factor name: Duo Security",
    "Authentication method: (((",
    "Factor name:",
    "Transitions: a",
    "one reason\\ntwo reasons\\r\\n\\t",
)
_LITERALS: Final = (
    b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"5", b"6", b"7", b"8", b"19", b"48",
    b"100", b"101", b"531", b"1.0", b"0.5", b"1e2", b"1e400", b"-1e-400", b"2147483648",
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551616",
    b"9" * 400, b"9" * 5000, b"{}", b"[]", b'{"a":[{}]}', b"[null]", b"NaN", b"Infinity",
    b'"\\u0000"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\udc00\\ud800"', b'"\\u2028"', b'"\xff"',
    b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"a\nb"', b'"\\x"', b"'7'", b"01", b"1.", b".5", b"[" * 70,
    b"{" * 7, b'{"a":' * 80,
)  # fmt: skip
VALUES: Final = (
    *_LITERALS,
    *(f'"{text}"'.encode() for text in _TEXTS + _TIMES),
)
BYTES: Final = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xfe\xff", b"\xed\xa0\x80", b"\\", b'"', b"'", b"{", b"}",
    b"[", b"]", b",", b":", b"\n", b"\r\n", b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\t", b" ",
    b"\xe2\x80\xa8", b"//", b"/*", b"\\u", b"\\ud800", b"}\n{", b"][", b"}{", b"},{", b"]]", b"}}",
)  # fmt: skip
_WRAPS: Final = (
    (b"[", b"]"),
    (b"[{},", b",null]"),
    (b'{"event":', b"}"),
    (b'{"detail":', b"}"),
    (b'{"version":"0","detail-type":"event","detail":', b"}"),
    (b'{"status":{"error":false},"pagination":{},"data":', b"}"),
    (b'{"data":[', b"]}"),
    (b'{"status":{"error":true},"data":', b"}"),
    (b'{"event":{"detail":', b"}}"),
    (b'"', b'"'),
)
_TOKEN: Final = re.compile(
    rb'"(?:[^"\\\r\n]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[\[\]{},:]|[\x1d-\x1f].?', re.DOTALL
)
_LONGEST_COPY: Final = 4096


def dictionary() -> bytes:
    """The words in the form that libFuzzer reads."""
    words = [b'"%s":' % field.encode() for field in FIELDS]
    words += [value for value in (*VALUES, *BYTES) if len(value) <= _MAX_WORD]
    words += [GS + bytes([bits]) for bits in range(16)] + [RS, US]
    lines = ("".join(f"\\x{byte:02X}" for byte in word) for word in dict.fromkeys(words))
    return "".join(f'"{line}"\n' for line in lines).encode()


_MAX_WORD: Final = 60


class Mutator:
    """Mutations drawn from one generator.

    Args:
        rng: Decides everything.
        pool: Other inputs, of which parts are taken over.
    """

    def __init__(self, rng: random.Random, pool: Sequence[bytes]) -> None:
        self._rng = rng
        self._pool = pool
        self._type_ids = [
            str(entry.id).encode() for entry in load_catalog().entries if entry.id is not None
        ]
        self._changes: tuple[Callable[[bytes], bytes], ...] = (
            self._value, self._value, self._value, self._value, self._member, self._member,
            self._member, self._strict, self._strict, self._type, self._type, self._time,
            self._rename, self._wrap, self._double, self._drop, self._bytes, self._cut,
            self._splice, self._record, self._options, self._stamp,
        )  # fmt: skip

    def mutate(self, data: bytes, max_bytes: int) -> bytes:
        """Another input, never longer than ``max_bytes``."""
        for _ in range(self._rng.choice((1, 1, 1, 2, 2, 3, 5))):
            data = self._rng.choice(self._changes)(data)
        return data[:max_bytes]

    def _pick(self, data: bytes, opens: bytes | None = None) -> tuple[int, int] | None:
        """One token, or one that is among these."""
        found = [
            match.span()
            for match in _TOKEN.finditer(data)
            if (match.group() in opens if opens else match.group()[:1] not in b"[]{},:\x1d\x1e\x1f")
        ]
        return self._rng.choice(found) if found else None

    def _span(self, data: bytes) -> tuple[int, int]:
        """One value in brackets where there is one, else anything."""
        place = self._pick(data, b"[{")
        if place is None:
            start = self._rng.randint(0, len(data))
            return start, self._rng.randint(start, len(data))
        level = 0
        for match in _TOKEN.finditer(data, place[0]):
            level += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(match.group(), 0)
            if level <= 0:
                return place[0], match.end()
        return place[0], len(data)

    def _value(self, data: bytes) -> bytes:
        place = self._pick(data)
        if place is None:
            return data + self._rng.choice(VALUES)
        return data[: place[0]] + self._rng.choice(VALUES) + data[place[1] :]

    def _insert(self, data: bytes, field: str, value: bytes) -> bytes:
        place = self._pick(data, b"{")
        if place is None:
            return data
        return data[: place[1]] + b'"%s":%s,' % (field.encode(), value) + data[place[1] :]

    def _member(self, data: bytes) -> bytes:
        return self._insert(data, self._rng.choice(FIELDS), self._rng.choice(VALUES))

    def _strict(self, data: bytes) -> bytes:
        """One of the fields that decide something, in place of its value where it has one."""
        field = self._rng.choice(_STRICT)
        return self._set(data, field, self._rng.choice(VALUES))

    def _type(self, data: bytes) -> bytes:
        return self._set(data, "event_type_id", self._rng.choice(self._type_ids))

    def _time(self, data: bytes) -> bytes:
        name = self._rng.choice(("created_at", "event_timestamp"))
        return self._set(data, name, b'"%s"' % self._rng.choice(_TIMES).encode())

    def _set(self, data: bytes, field: str, value: bytes) -> bytes:
        found = list(re.finditer(rb'"%s"\s*:\s*("[^"\r\n]*"|[^,}\]\s]+)' % field.encode(), data))
        if not found:
            return self._insert(data, field, value)
        start, end = self._rng.choice(found).span(1)
        return data[:start] + value + data[end:]

    def _rename(self, data: bytes) -> bytes:
        found = list(re.finditer(rb'"[a-z_]+"(?=\s*:)', data))
        if not found:
            return data
        start, end = self._rng.choice(found).span()
        return data[:start] + b'"%s"' % self._rng.choice(FIELDS).encode() + data[end:]

    def _wrap(self, data: bytes) -> bytes:
        start, end = self._span(data)
        before, after = self._rng.choice(_WRAPS)
        return data[:start] + before + data[start:end] + after + data[end:]

    def _double(self, data: bytes) -> bytes:
        start, end = self._span(data)
        part = data[start : min(end, start + _LONGEST_COPY)]
        between = self._rng.choice((b",", b"\n", b"", b" ", b"\r\n", RS, RS))
        return data[:end] + (between + part) * self._rng.choice((1, 1, 2, 7)) + data[end:]

    def _drop(self, data: bytes) -> bytes:
        start, end = self._span(data) if self._rng.random() < 0.5 else self._pick(data) or (0, 1)
        return data[:start] + data[end:]

    def _bytes(self, data: bytes) -> bytes:
        place = self._rng.randint(0, len(data))
        return data[:place] + self._rng.choice(BYTES) + data[place + self._rng.randint(0, 1) :]

    def _cut(self, data: bytes) -> bytes:
        start = self._rng.randint(0, len(data))
        if self._rng.random() < 0.5:
            return data[:start]
        return data[:start] + data[start + self._rng.randint(0, 40) :]

    def _splice(self, data: bytes) -> bytes:
        other = self._rng.choice(self._pool)
        start, end = self._span(other)
        place, until = self._span(data)
        part = other[start : min(end, start + _LONGEST_COPY)]
        return data[:place] + part + data[until if self._rng.random() < 0.5 else place :]

    def _record(self, data: bytes) -> bytes:
        """One more record, from this input or from another."""
        records = (data if self._rng.random() < 0.5 else self._rng.choice(self._pool)).split(RS)
        more = self._rng.choice(records)[:_LONGEST_COPY]
        more = more[2:] if more[:1] == GS else more
        return data + RS + more if self._rng.random() < 0.7 else data + RS + self._value(more)

    def _options(self, data: bytes) -> bytes:
        bits = self._rng.choice((0, 1, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 28))
        if data[:1] == GS:
            return GS + bytes([bits | data[1] & 2 if len(data) > 1 else bits]) + data[2:]
        return GS + bytes([bits]) + data

    def _stamp(self, data: bytes) -> bytes:
        """Options of one record."""
        records = data.split(RS)
        place = self._rng.randrange(len(records))
        part, head = records[place], b""
        if part[:1] == GS:
            head, part = part[:2], part[2:]
        part = part[2:] if part[:1] == US else part
        bits = self._rng.randrange(64) if self._rng.random() < 0.95 else self._rng.randrange(256)
        records[place] = head + US + bytes([bits]) + part
        return RS.join(records)


_STRICT: Final = sorted(STRICT_FIELDS)
