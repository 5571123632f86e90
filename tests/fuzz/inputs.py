"""One input of the fuzzer: a few bytes that stand for records and how they are taken through.

An input is a record's value, and most files of a corpus are nothing else. Three control bytes,
which no JSON holds, say more:

* ``GS`` and an option byte in front: which limits, which cuts, and at which door;
* ``RS`` between records;
* ``US`` and an option byte in front of a record: its timestamp, key and headers.
"""

from dataclasses import dataclass
from typing import Final

from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.pipeline.classify import REPLAYED
from riskstream.pipeline.limits import Limits
from tests.support.events import TIME_MS

__all__ = [
    "DIRECT",
    "GS",
    "MAX_RECORDS",
    "RS",
    "SMALL",
    "TIGHT",
    "UNFILTERED",
    "US",
    "Case",
    "read_case",
]

GS: Final = b"\x1d"
RS: Final = b"\x1e"
US: Final = b"\x1f"

SMALL: Final = 1
"""Bit of the first option byte: ``TIGHT`` limits, so that short inputs reach them."""
DIRECT: Final = 2
"""The records come from the classified topic, whoever wrote them."""
UNFILTERED: Final = 16
"""No duplicate filter: an event that comes again is folded again."""
_CUT_BITS: Final = 0b1100
_CUT_SHIFT: Final = 2

TIGHT: Final = Limits(
    max_record_bytes=6_000,
    max_events_per_record=6,
    max_depth=6,
    max_message_bytes=1_500,
    max_classified_bytes=2_500,
)
MAX_RECORDS: Final = 64
"""What follows belongs to the last record."""

_LAST_MS: Final = 253_402_300_799_999
_DAY_MS: Final = 86_400_000
_STAMPS: Final = (
    TIME_MS + 2_000,
    None,
    TIME_MS - 400 * _DAY_MS,
    TIME_MS + 3 * _DAY_MS,
    0,
    _LAST_MS,
    -1,
    2**62,
)
_KEYS: Final = (b"sender", None, b"", b"\xff\x00" * 700)
_REPLAYED: Final = 0x20
_TOMBSTONE: Final = 0x40


@dataclass(frozen=True, slots=True)
class Case:
    """An input, read."""

    records: list[InputRecord]
    tight: bool
    direct: bool
    """``records`` are of the classified topic and not of the raw one."""
    filtered: bool
    """Duplicates are."""
    chunk: int
    """Records of one chunk."""


def read_case(data: bytes) -> Case:
    """Every sequence of bytes is an input."""
    options = 0
    if data[:1] == GS:
        options, data = (data[1] if len(data) > 1 else 0), data[2:]
    direct = bool(options & DIRECT)
    parts = data.split(RS, MAX_RECORDS - 1)
    records = [_record(part, offset, direct=direct) for offset, part in enumerate(parts)]
    chunk = (len(records), 1, 2, 7)[(options & _CUT_BITS) >> _CUT_SHIFT]
    return Case(records, bool(options & SMALL), direct, not options & UNFILTERED, chunk)


def _record(part: bytes, offset: int, *, direct: bool) -> InputRecord:
    options = 0
    if part[:1] == US:
        options, part = (part[1] if len(part) > 1 else 0), part[2:]
    return InputRecord(
        CLASSIFIED if direct else RAW,
        0,
        offset,
        _STAMPS[options & 7],
        _KEYS[options >> 3 & 3],
        None if options & _TOMBSTONE else part,
        ((REPLAYED, b"1"),) if options & _REPLAYED else (),
    )
