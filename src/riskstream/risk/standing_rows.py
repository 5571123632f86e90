"""The forms of standings: public JSON on their topic and in alerts, packed in the stores.

The public form says what the standing comes to at ``as_of``, until when that level stands though
no event comes, and its causes; ``decay`` has the numbers by which a reader takes it further.
"""

from typing import Final

import msgspec
from msgspec import Struct

from riskstream.events.event import SCHEMA_VERSION
from riskstream.events.times import LAST_MS, format_time, parse_time
from riskstream.risk.levels import Level
from riskstream.risk.standing import (
    Cause,
    Decay,
    Measure,
    Standing,
    Told,
    holds_until,
    measure,
    points_at,
)
from riskstream.windows.packed import body, header, packed_as_of
from riskstream.windows.panes import HOUR_MS

__all__ = [
    "ShownCause",
    "ShownMeasure",
    "decode_standing",
    "encode_standing",
    "pack_standing",
    "shown_causes",
    "shown_measure",
    "unpack_standing",
]


class ShownMeasure(Struct, frozen=True, omit_defaults=True):
    """``standing`` of a row and of an alert."""

    score: int
    level: Level
    peak: float
    accumulated: float
    valid_until: str | None = None


class ShownCause(Struct, frozen=True):
    """One of ``causes``."""

    family: str
    points: float
    """What is left of ``score``."""
    score: int
    time: str
    event_id: str
    event_type_id: int
    signal: str
    detail: str


class _Decay(Struct, frozen=True):
    policy: str
    half_life_hours: int
    halfway: int


class _Alert(Struct, frozen=True):
    id: str
    time: str


class _Users(Struct, frozen=True, kw_only=True, omit_defaults=True):
    schema_version: int
    subject: str
    as_of: str
    offset: int
    standing: ShownMeasure
    decay: _Decay
    causes: tuple[ShownCause, ...]
    alert: _Alert | None = None
    armed: bool
    repeats: int


class _KeptUsers(Struct, frozen=True, kw_only=True):
    """What restores a row; its ``standing`` is for readers and is skipped."""

    subject: str
    as_of: str
    offset: int
    decay: _Decay
    causes: tuple[ShownCause, ...]
    alert: _Alert | None = None
    armed: bool
    repeats: int


_ENCODER: Final = msgspec.json.Encoder()
_USERS: Final = msgspec.json.Decoder(_KeptUsers)
_PACK: Final = msgspec.msgpack.Encoder().encode
_UNPACK: Final = msgspec.msgpack.Decoder(
    tuple[int, Decay, tuple[Cause, ...], Told | None, bool, int]
).decode
_SHOWN_DIGITS: Final = 1


def encode_standing(row: Standing) -> bytes:
    """The row as the users topic carries it."""
    decay, told = row.decay, row.told
    value = _Users(
        schema_version=SCHEMA_VERSION,
        subject=row.subject,
        as_of=format_time(row.as_of_ms),
        offset=row.offset,
        standing=shown_measure(measure(row, row.as_of_ms), holds_until(row)),
        decay=_Decay(decay.policy, decay.half_life_ms // HOUR_MS, decay.halfway),
        causes=shown_causes(row),
        alert=None if told is None else _Alert(told.alert_id, format_time(told.time_ms)),
        armed=row.armed,
        repeats=row.repeats,
    )
    return _ENCODER.encode(value)


def decode_standing(value: bytes) -> Standing:
    """The row that ``encode_standing`` wrote.

    Raises:
        ValueError: It did not write this (``msgspec.ValidationError`` is one).
    """
    row = _USERS.decode(value)
    causes = tuple(
        Cause(
            each.family,
            each.score,
            parse_time(each.time),
            each.event_id,
            each.event_type_id,
            each.signal,
            each.detail,
        )
        for each in row.causes
    )
    if row.decay.half_life_hours < 1 or row.decay.halfway < 1:
        raise ValueError("decay must be positive")
    told = None if row.alert is None else Told(row.alert.id, parse_time(row.alert.time))
    return Standing(
        row.subject,
        parse_time(row.as_of),
        row.offset,
        Decay(row.decay.policy, row.decay.half_life_hours * HOUR_MS, row.decay.halfway),
        tuple(sorted(causes, key=lambda each: each.family)),
        told,
        row.armed,
        row.repeats,
    )


def shown_measure(found: Measure, until_ms: int | None = None) -> ShownMeasure:
    """What a standing comes to, for readers."""
    return ShownMeasure(
        found.score,
        found.level,
        round(found.peak, _SHOWN_DIGITS),
        round(found.accumulated, _SHOWN_DIGITS),
        None if until_ms is None else format_time(min(until_ms, LAST_MS)),
    )


def shown_causes(row: Standing) -> tuple[ShownCause, ...]:
    """The causes with their points at ``as_of``, strongest first."""
    half_life = row.decay.half_life_ms
    shown = [(points_at(each, half_life, row.as_of_ms), each) for each in row.causes]
    shown.sort(key=lambda pair: (-pair[0], pair[1].family))
    return tuple(
        ShownCause(
            each.family,
            round(points, _SHOWN_DIGITS),
            each.score,
            format_time(each.time_ms),
            each.event_id,
            each.event_type_id,
            each.signal,
            each.detail,
        )
        for points, each in shown
    )


def pack_standing(row: Standing) -> bytes:
    """The row without its subject."""
    body_of = (row.offset, row.decay, row.causes, row.told, row.armed, row.repeats)
    return header(row.as_of_ms) + _PACK(body_of)


def unpack_standing(subject: str, value: bytes) -> Standing:
    """The row that ``pack_standing`` packed.

    Raises:
        ValueError: It did not pack this.
    """
    return Standing(subject, packed_as_of(value), *_UNPACK(body(value)))
