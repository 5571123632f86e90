"""How results are written: dead letters, headers, and what is left of text that does not fit."""

import hashlib
from base64 import b64decode
from functools import lru_cache
from typing import Final

import msgspec

from riskstream.events.event import Classified, Facts, Origin
from riskstream.events.outcome import DeadLetter, Tally
from riskstream.events.record import Headers, InputRecord, Output, Record
from riskstream.events.text import clean
from riskstream.events.times import LAST_MS, format_time
from riskstream.events.topics import DEAD_LETTER
from riskstream.events.vocabulary import Category, Kind
from riskstream.pipeline.trace import trace_context

__all__ = [
    "ALERT_TYPE",
    "CE_TYPE_PREFIX",
    "CONNECT_DETAIL",
    "CONNECT_OFFSET",
    "CONNECT_PARTITION",
    "CONNECT_STAGE",
    "CONNECT_TOPIC",
    "DETAIL",
    "MAX_KEY_BYTES",
    "MEMBER",
    "RAW_TRUNCATED",
    "REASON",
    "STAGE",
    "TIMESTAMP",
    "alert_headers",
    "dead_letter_output",
    "origin_record",
    "raw_reference",
    "scored_headers",
    "shrink_raw",
]

CONNECT_TOPIC: Final = "__connect.errors.topic"
"""Topic of the raw record. Kafka Connect's names come first, for tools that know them."""
CONNECT_PARTITION: Final = "__connect.errors.partition"
CONNECT_OFFSET: Final = "__connect.errors.offset"
CONNECT_STAGE: Final = "__connect.errors.stage"
"""The same as ``STAGE``."""
CONNECT_DETAIL: Final = "__connect.errors.exception.message"
"""The same as ``DETAIL``."""
STAGE: Final = "x-riskstream-stage"
"""``events.outcome.Stage``."""
REASON: Final = "x-riskstream-reason"
"""``events.outcome.Reason``; consumers may switch on it."""
DETAIL: Final = "x-riskstream-detail"
"""For people, one line; names fields and positions, never values."""
MEMBER: Final = "x-riskstream-member"
"""Index of the event in its record; absent where the value is the whole record."""
TIMESTAMP: Final = "x-riskstream-timestamp"
"""Timestamp of the raw record in epoch milliseconds; absent where it had none."""
RAW_TRUNCATED: Final = "raw_truncated"
"""``true`` where the value is a reference (``raw_reference``) because the bytes did not fit."""

ALERT_TYPE: Final = "riskstream.alert"
"""``ce_type`` of an alert."""
CE_TYPE_PREFIX: Final = "com.onelogin.event."
"""``ce_type`` is this and the kind of the event, ``com.onelogin.event.login_failure``: a closed
set of names that stays when OneLogin adds an event type."""
MAX_KEY_BYTES: Final = 1024
"""A longer key is not carried along: one record of 10,000 members would repeat it 10,000 times."""
_DETAIL_CHARACTERS: Final = 500


def dead_letter_output(letter: DeadLetter, record: Record, limit: int, tally: Tally) -> Output:
    """The record for the dead-letter topic; counts it in ``tally``.

    Args:
        letter: What is wrong.
        record: The raw record it is wrong with, or ``origin_record`` of a classified one.
        limit: ``Limits.max_message_bytes``; a larger payload becomes its reference.
        tally: Gets one more dead letter, and one more truncated output where it applies.
    """
    tally.dead_lettered[letter.stage.value, letter.reason.value] += 1
    position = f"{record.topic}-{record.partition}-{record.offset}"
    stage, detail = letter.stage.value.encode(), _header_text(letter.detail)
    headers: Headers = (
        (CONNECT_TOPIC, record.topic.encode()),
        (CONNECT_PARTITION, b"%d" % record.partition),
        (CONNECT_OFFSET, b"%d" % record.offset),
        (CONNECT_STAGE, stage),
        (CONNECT_DETAIL, detail),
        (STAGE, stage),
        (REASON, letter.reason.value.encode()),
        (DETAIL, detail),
    )
    if letter.member is not None:
        headers += ((MEMBER, b"%d" % letter.member),)
    stamp = record.timestamp
    if stamp is not None and not 0 <= stamp <= LAST_MS:
        stamp = None  # Kafka says -1 for none, and refuses what is too far away
    if stamp is not None:
        headers += ((TIMESTAMP, b"%d" % stamp),)
    value = letter.payload
    if len(value) > limit:
        tally.truncated += 1
        value = _reference(value, position, letter.member).encode()
        headers += ((RAW_TRUNCATED, b"true"),)
    if record.headers:
        headers += trace_context(record.headers)
    key = record.key
    if not key or len(key) > MAX_KEY_BYTES:
        key = position.encode()
    return Output(DEAD_LETTER, key, value, headers, stamp)


def origin_record(classified: Classified) -> InputRecord:
    """The raw record that a classified one came from, as far as it is known: without value."""
    origin = classified.origin
    try:
        key = None if classified.key is None else b64decode(classified.key)
    except ValueError:  # not written by us
        key = None
    return InputRecord(
        origin.topic, origin.partition, origin.offset, classified.received_ms, key, None
    )


def raw_reference(text: bytes, origin: Origin) -> str:
    """What stands for a text that does not fit: hash and size of its UTF-8 bytes, and origin."""
    position = f"{origin.topic}-{origin.partition}-{origin.offset}"
    return _reference(text, position, origin.member)


def shrink_raw(literal: bytes, origin: Origin) -> bytes:
    """The same for a text that is already a JSON string literal; gives a literal back."""
    text = msgspec.json.decode(literal, type=str)
    return msgspec.json.encode(raw_reference(text.encode(), origin))


def scored_headers(facts: Facts, score: int, level: str) -> Headers:
    """CloudEvents 1.0 in binary mode, and what a consumer filters by without parsing."""
    return (
        ("ce_id", facts.id.encode()),
        _source(facts.account_id),
        _SPECVERSION,
        _type(facts.kind),
        ("ce_time", format_time(facts.time_ms).encode()),
        ("ce_subject", facts.subject.encode()),
        *_told(score, level, facts.category),
    )


def alert_headers(alert_id: str, facts: Facts, time_ms: int, score: int, level: str) -> Headers:
    """The same for an alert, which has no category: it is of a subject, and not of one event."""
    return (
        ("ce_id", alert_id.encode()),
        _source(facts.account_id),
        _SPECVERSION,
        ("ce_type", ALERT_TYPE.encode()),
        ("ce_time", format_time(time_ms).encode()),
        ("ce_subject", facts.subject.encode()),
        _CONTENT_TYPE,
        ("risk_score", b"%d" % score),
        ("risk_level", level.encode()),
    )


_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")


@lru_cache(maxsize=1024)
def _source(account_id: int) -> tuple[str, bytes]:
    return "ce_source", b"/riskstream/onelogin/%d" % account_id


@lru_cache(maxsize=256)
def _type(kind: Kind) -> tuple[str, bytes]:
    return "ce_type", (CE_TYPE_PREFIX + kind.value).encode()


@lru_cache(maxsize=4096)
def _told(score: int, level: str, category: Category) -> Headers:
    return (
        _CONTENT_TYPE,
        ("risk_score", b"%d" % score),
        ("risk_level", level.encode()),
        ("category", category.value.encode()),
    )


def _reference(text: bytes, position: str, member: int | None) -> str:
    place = position if member is None else f"{position}#{member}"
    return f"sha256={hashlib.sha256(text).hexdigest()} bytes={len(text)} origin={place}"


def _header_text(detail: str) -> bytes:
    one_line = clean(" ".join(detail.split()), _DETAIL_CHARACTERS) or ""
    return one_line.encode()
