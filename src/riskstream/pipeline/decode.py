"""From the bytes of one record to the events in it, whatever the shape of their delivery."""

from collections.abc import Iterable
from itertools import chain, islice

import msgspec
from msgspec import UNSET, Struct

from riskstream.events.outcome import DeadLetter, Reason, Stage
from riskstream.events.vendor import (
    ABSENT,
    DATA_KEY,
    TIME_FIELDS,
    BadField,
    VendorEvent,
    is_error_page,
    read_event,
)
from riskstream.pipeline.documents import array_members, concatenated, iter_documents, nesting
from riskstream.pipeline.limits import Limits

__all__ = ["Found", "decode"]

_BOM = b"\xef\xbb\xbf"
_MEMBERS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)
_MOST_WRAPPERS = 2
"""The broadcaster's line inside an EventBridge envelope; nothing wraps more."""


class Found(Struct, frozen=True, gc=False):
    """An event found in a record."""

    event: VendorEvent
    data: bytes
    """Its text as received, without an envelope and the blanks around it."""
    text: str
    """The same, decoded."""
    payload: bytes
    """What to dead-letter: the member as received, or the whole record where it is the only one."""
    member: int | None
    """Index in the record; None where the record is this event."""


def decode(value: bytes, limits: Limits) -> list[Found | DeadLetter]:
    """The events of a record in order, each found or dead; none where the record is empty.

    A record over a limit is one dead letter. Never raises on any bytes.
    """
    if value[:1] == b"{" and (found := _single(value, limits)) is not None:
        return [found]
    reader = _Reader(limits)
    try:
        reader.read(value.removeprefix(_BOM).strip())
    except _OverLimitError as over:
        return [DeadLetter(Stage.DECODE, over.reason, over.detail, value)]
    except RecursionError:
        return [DeadLetter(Stage.DECODE, Reason.TOO_DEEP, _too_deep(limits), value)]
    items = reader.items
    if len(items) == 1 and not reader.plural:
        return [_as_record(items[0], value)]
    return items


def _single(value: bytes, limits: Limits) -> Found | None:
    """The short way for a record that is one plain event; None sends it the long way."""
    if _brackets(value) > limits.max_depth:
        return None
    try:
        event = read_event(value)
        text = value.decode()
    except (*_NOT_JSON, RecursionError):
        return None
    if not isinstance(event, VendorEvent) or event.event_type_id is UNSET:
        return None
    data = value.rstrip()
    if len(data) != len(value):
        text = data.decode()
    return Found(event, data, text, value, None)


def _as_record(item: Found | DeadLetter, value: bytes) -> Found | DeadLetter:
    if isinstance(item, Found):
        return msgspec.structs.replace(item, payload=value, member=None)
    return DeadLetter(item.stage, item.reason, item.detail, value)


class _OverLimitError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Reader:
    """Collects the events of one record."""

    def __init__(self, limits: Limits) -> None:
        self.items: list[Found | DeadLetter] = []
        self.plural = False
        """The record is an array, a page, or several documents."""
        self._limits = limits

    def read(self, body: bytes) -> None:
        if not body or self._document(body):
            return
        documents = iter_documents(body)
        start = list(islice(documents, 2))
        self.plural = len(start) > 1
        for document in chain(start, documents):
            if not self.plural or not self._document(document.removeprefix(_BOM).strip()):
                self._broken(document)

    def _document(self, text: bytes) -> bool:
        """Read one document; False where it is not JSON."""
        try:
            if text[:1] == b"[":
                members = _MEMBERS.decode(text)
                self._check_depth(text, members)
                self._members(members)
                return True
            if text[:1] == b"{":
                event = read_event(text)
            else:
                _ANY.decode(text)
                event = None
        except _NOT_JSON:
            return False
        if isinstance(event, VendorEvent) and _is_page(event):
            self._page(event, text)
        else:
            self._check_depth(text)
            self._event(event, text)
        return True

    def _broken(self, text: bytes) -> None:
        """Read what can be read of a document that is not JSON."""
        self._check_depth(text)
        pieces = concatenated(text)
        self.plural = self.plural or len(pieces) > 1
        for piece in pieces:
            if piece != text and self._document(piece):
                continue
            members = array_members(piece, DATA_KEY)
            if members:
                self._members(members)
            else:
                self._bad(piece)

    def _page(self, page: VendorEvent, text: bytes) -> None:
        data = bytes(page.data)
        if data[:1] == b"[":
            members = _MEMBERS.decode(data)
        elif data == b"null":
            members = []
        else:
            self._check_depth(text)
            self._strange(text, "data of the page is no array")
            return
        self._check_depth(text, members)
        if members or not is_error_page(page):
            self._members(members)
        else:
            self._strange(text, "an error page of the API, without events")

    def _members(self, members: Iterable[bytes | msgspec.Raw]) -> None:
        self.plural = True
        for member in members:
            text = bytes(member)
            try:
                event = read_event(text)
            except _NOT_JSON:
                self._bad(text)
            else:
                self._event(event, text)

    def _event(self, event: VendorEvent | BadField | None, payload: bytes) -> None:
        """Add an event, taken out of its envelope."""
        text = payload
        for _ in range(_MOST_WRAPPERS):
            inner = _wrapped(event)
            if inner is None:
                break
            text = inner
            try:
                event = read_event(text)
            except _NOT_JSON:
                self._bad(payload)
                return
        if isinstance(event, BadField):
            invalid = Reason.INVALID_TIME if event.name in TIME_FIELDS else Reason.INVALID_FIELD
            self._dead(invalid, event.name, payload, Stage.VALIDATE)
        elif event is None or _is_nothing(event):
            self._strange(payload, "neither an event nor a known envelope")
        else:
            self._found(event, text, payload)

    def _found(self, event: VendorEvent, data: bytes, payload: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError as fault:
            self._dead(Reason.INVALID_UTF8, f"at byte {fault.start}", payload)
        else:
            self._add(Found(event, data, text, payload, len(self.items)))

    def _bad(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError as fault:
            self._dead(Reason.INVALID_UTF8, f"at byte {fault.start}", text)
        else:
            self._dead(Reason.MALFORMED_JSON, _fault_of(text), text)

    def _strange(self, text: bytes, detail: str) -> None:
        self._dead(Reason.UNEXPECTED_SHAPE, detail, text)

    def _dead(
        self, reason: Reason, detail: str, payload: bytes, stage: Stage = Stage.DECODE
    ) -> None:
        self._add(DeadLetter(stage, reason, detail, payload, len(self.items)))

    def _add(self, item: Found | DeadLetter) -> None:
        most = self._limits.max_events_per_record
        if len(self.items) >= most:
            raise _OverLimitError(Reason.TOO_MANY_EVENTS, f"more than {most} events in one record")
        self.items.append(item)

    def _check_depth(self, text: bytes, members: Iterable[msgspec.Raw] = ()) -> None:
        """Counting brackets settles nearly every case without looking for strings."""
        most = self._limits.max_depth
        outside = _brackets(text)
        if outside <= most:
            return
        counts = [_brackets(bytes(member)) for member in members]
        if counts and outside - sum(counts) + max(counts) <= most:
            return
        if nesting(text) > most:
            raise _OverLimitError(Reason.TOO_DEEP, _too_deep(self._limits))


def _brackets(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")


def _is_page(event: VendorEvent) -> bool:
    return event.data is not ABSENT and event.event_type_id is UNSET and _wrapped(event) is None


def _wrapped(event: VendorEvent | BadField | None) -> bytes | None:
    """Text of the event inside an envelope; None where this is no envelope."""
    if not isinstance(event, VendorEvent) or event.event_type_id is not UNSET:
        return None
    for part in (event.event, event.detail):
        if part is not ABSENT:
            text = bytes(part)
            if text[:1] == b"{":
                return text
    return None


def _is_nothing(event: VendorEvent) -> bool:
    return (
        event.event_type_id is UNSET
        and event.account_id is UNSET
        and event.created_at is None
        and event.event_timestamp is None
    )


def _fault_of(text: bytes) -> str:
    """What the parser says: a fault and a position, never a value."""
    try:
        _ANY.decode(text)
    except msgspec.DecodeError as fault:
        return str(fault)
    return "a lone surrogate in a string"


def _too_deep(limits: Limits) -> str:
    return f"nested deeper than {limits.max_depth} levels"
