"""From a valid event to its record of the classified topic, and its effect on another user."""

from binascii import b2a_base64
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct

from riskstream.catalog.catalog import Catalog
from riskstream.events.event import NO_RAW, SCHEMA_VERSION, Classified, Event, Facts, Origin
from riskstream.events.keys import user_key
from riskstream.events.outcome import Reason
from riskstream.events.record import Headers, Output, Record
from riskstream.events.times import LAST_MS, format_time
from riskstream.events.topics import CLASSIFIED
from riskstream.events.vendor import VendorEvent
from riskstream.events.vocabulary import Change
from riskstream.pipeline.decode import Found
from riskstream.pipeline.envelope import public_part, usable_address, vendor_risk_of
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.mask import Mask, masked_reference
from riskstream.pipeline.meaning import Meaning, meaning_of
from riskstream.pipeline.outputs import MAX_KEY_BYTES, raw_reference
from riskstream.pipeline.subject import Subject, subject_of
from riskstream.pipeline.surroundings import Surroundings, surrounded
from riskstream.pipeline.trace import trace_context
from riskstream.pipeline.validate import Fault, Valid

__all__ = ["REPLAYED", "WARMING", "Classifier", "Placed", "Provenance", "provenance"]

REPLAYED: Final = "x-riskstream-replayed"
"""Header of a replayed raw record: how many times its bytes were sent back, 1 at first."""
WARMING: Final = "x-riskstream-warm-up"
"""Header of a raw record that holds history."""
_encode = msgspec.json.Encoder().encode


class Provenance(Struct, frozen=True, gc=False):
    """What all events of one raw record share."""

    topic: str
    partition: int
    offset: int
    key: str | None
    timestamp: int | None
    received_time: str | None
    replayed: bool
    warming: bool
    trace: Headers
    """Headers that the records of its events carry on."""


class Placed(Struct, frozen=True, gc=False):
    """The record of one event, and that of its effect."""

    own: Output
    effect: Output | None
    truncated: bool


def provenance(record: Record) -> Provenance:
    """Origin and time of a raw record; a key too long to be carried along is left behind."""
    key, stamp, headers = record.key, record.timestamp, record.headers
    if key is not None and len(key) > MAX_KEY_BYTES:
        key = None
    if stamp is not None and not 0 <= stamp <= LAST_MS:
        stamp = None
    return Provenance(
        record.topic,
        record.partition,
        record.offset,
        None if key is None else b2a_base64(key, newline=False).decode(),
        stamp,
        None if stamp is None else format_time(stamp),
        any(name == REPLAYED for name, _ in headers),
        any(name == WARMING for name, _ in headers),
        trace_context(headers) if headers else (),
    )


class Classifier:
    """Classifies events by one catalog, masked where there is a mask.

    Args:
        catalog: What event types mean.
        limits: For the classified record.
        mask: For names and addresses.
        around: Knows places and devices; without it none are known.
    """

    def __init__(
        self,
        catalog: Catalog,
        limits: Limits,
        mask: Mask | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self._limit = limits.max_classified_bytes
        self._mask = mask
        self._around = around
        self._meaning = lru_cache(maxsize=4096)(
            lambda event_type_id: meaning_of(event_type_id, catalog.lookup(event_type_id))
        )

    def __call__(self, found: Found, valid: Valid, source: Provenance) -> Placed | Fault:
        """The records of one event, or why there can be none."""
        event, mask = found.event, self._mask
        meaning = self._meaning(valid.event_type_id)
        subject = subject_of(event, valid, meaning.entry.subject)
        if mask is not None:
            event = mask.event(event)
            valid = msgspec.structs.replace(valid, id=mask.ident(valid.id))
        public = public_part(event, valid, meaning, subject, source.received_time)
        facts = _facts(event, valid, meaning, subject, public)
        if mask is not None and found.event.ipaddr:
            facts = msgspec.structs.replace(facts, ip=usable_address(found.event.ipaddr))
        if self._around is not None and public.source is not None:
            public, facts = surrounded(public, facts, self._around)
        origin = Origin(source.topic, source.partition, source.offset, found.member or 0)
        value, truncated = self._written(found, public, facts, origin, source)
        if value is None:
            return Fault(Reason.RECORD_TOO_LARGE, "too large even without its text")
        own = Output(CLASSIFIED, subject.key.encode(), value, source.trace, source.timestamp)
        change = meaning.entry.change
        if change is None or facts.change is not None or valid.user_id is None:
            return Placed(own, None, truncated)
        return Placed(own, _effect(facts, change, valid.user_id, origin, source), truncated)

    def _written(
        self, found: Found, public: Event, facts: Facts, origin: Origin, source: Provenance
    ) -> tuple[bytes | None, bool]:
        """Encoded, without the event's text where it would not fit; None where nothing helps."""
        masked = self._mask is not None
        text = masked_reference(origin) if masked else found.text
        classified = Classified(
            schema_version=SCHEMA_VERSION,
            facts=facts,
            origin=origin,
            event=msgspec.Raw(_encode(public)),
            raw=msgspec.Raw(_encode(text)),
            raw_truncated=masked,
            key=source.key,
            received_ms=source.timestamp,
            replayed=source.replayed,
            warming=source.warming,
        )
        value = _encode(classified)
        if len(value) <= self._limit:
            return value, False
        reference = msgspec.Raw(_encode(raw_reference(found.data, origin)))
        value = _encode(msgspec.structs.replace(classified, raw=reference, raw_truncated=True))
        return (value if len(value) <= self._limit and not masked else None), True


def _facts(
    event: VendorEvent, valid: Valid, meaning: Meaning, subject: Subject, public: Event
) -> Facts:
    entry, where, app = meaning.entry, public.source, public.app
    change = entry.change
    if change is not None and (
        valid.user_id is None or subject.key != user_key(valid.account_id, valid.user_id)
    ):
        change = None
    return Facts(
        id=valid.id,
        time_ms=valid.time_ms,
        account_id=valid.account_id,
        subject=subject.key,
        profiled=subject.profiled,
        subject_type=subject.type,
        event_type_id=valid.event_type_id,
        category=entry.category,
        kind=entry.kind,
        outcome=entry.outcome,
        sensitivity=entry.sensitivity,
        change=change,
        scope=entry.scope,
        user_id=valid.user_id,
        actor_user_id=valid.actor_user_id,
        ip=None if where is None else where.ip,
        user_agent=None if where is None else where.user_agent,
        app_id=None if app is None else app.id,
        vendor=vendor_risk_of(event),
        assumed=public.assumed_by is not None,
    )


def _effect(
    facts: Facts, change: Change, user_id: int, origin: Origin, source: Provenance
) -> Output:
    """The record that tells the rows of the user acted upon, who is not the subject."""
    key = user_key(facts.account_id, user_id)
    affected = msgspec.structs.replace(
        facts, subject=key, profiled=True, subject_type="user", change=change
    )
    value = _encode(
        Classified(
            schema_version=SCHEMA_VERSION,
            facts=affected,
            origin=origin,
            event=NO_RAW,
            raw=NO_RAW,
            key=source.key,
            received_ms=source.timestamp,
        )
    )
    return Output(CLASSIFIED, key.encode(), value, (), source.timestamp)
