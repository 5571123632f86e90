"""The scored record: risk, windows and raw spliced onto the event's own bytes.

The event is never taken apart again: ingest encoded it, and here its closing brace is cut off and
the rest is appended.
"""

from typing import Final

import msgspec

from riskstream.events.event import Classified
from riskstream.events.record import Output
from riskstream.events.topics import SCORED
from riskstream.pipeline.fold import QUIET
from riskstream.pipeline.outputs import scored_headers, shrink_raw
from riskstream.risk.scorer import Risk
from riskstream.risk.situation import Counts

__all__ = ["scored_output"]

_ENCODE: Final = msgspec.json.Encoder().encode
_QUIET_JSON: Final = _ENCODE(QUIET)


def scored_output(
    classified: Classified, risk: Risk, counts: Counts, flags: bytes, limit: int
) -> tuple[Output, bool]:
    """The record for the topic of the event's category, and whether its raw text was left out.

    Args:
        classified: What it is about; its ``event`` must not be empty.
        risk: The explained score.
        counts: ``windows`` of the wire.
        flags: ``,"late":true`` and the like, ready to be put in.
        limit: ``Limits.max_message_bytes``; a larger value loses its raw text.
    """
    facts = classified.facts
    windows = _QUIET_JSON if counts is QUIET else _ENCODE(counts)
    head = b'%b,"risk":%b,"windows":%b%b' % (
        bytes(classified.event)[:-1],
        _ENCODE(risk),
        windows,
        flags,
    )
    raw = bytes(classified.raw)
    shrunk = len(head) + len(raw) + _FRAME > limit and not classified.raw_truncated
    if shrunk:
        raw = shrink_raw(raw, classified.origin)
    if shrunk or classified.raw_truncated:
        head += b',"raw_truncated":true'
    value = b'%b,"raw":%b}' % (head, raw) if raw else head + b"}"
    headers = scored_headers(facts, risk.score, risk.level)
    topic, key = SCORED[facts.category], facts.subject.encode()
    return Output(topic, key, value, headers, classified.received_ms), shrunk


_FRAME: Final = len(b',"raw":}')
