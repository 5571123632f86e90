"""The scored record: risk, windows and raw spliced onto the event's own bytes.

The event is never taken apart again: ingest encoded it, and here its closing brace is cut off and
the rest is appended.
"""

from typing import Final, NamedTuple

import msgspec

from riskstream.events.event import Classified
from riskstream.events.record import Output
from riskstream.events.topics import SCORED
from riskstream.pipeline.outputs import scored_headers, shrink_raw
from riskstream.risk.scorer import Risk
from riskstream.risk.situation import QUIET, Counts

__all__ = ["Incoming", "scored_output"]


class Incoming(NamedTuple):
    """A classified record whose two embedded parts were found to be what they should."""

    classified: Classified
    event: bytes
    """A JSON object with at least one member; empty for an effect."""
    raw: bytes
    """A JSON string, or empty."""


_ENCODE: Final = msgspec.json.Encoder().encode
_QUIET_JSON: Final = _ENCODE(QUIET)


def scored_output(
    incoming: Incoming, risk: Risk, counts: Counts, flags: bytes, limit: int
) -> tuple[Output, bool]:
    """The record for the topic of the event's category, and whether its raw text was left out.

    Args:
        incoming: What it is about; its ``event`` must not be empty.
        risk: The explained score.
        counts: ``windows`` of the wire.
        flags: ``,"late":true`` and the like, ready to be put in.
        limit: ``Limits.max_message_bytes``; a larger value loses its raw text.
    """
    classified = incoming.classified
    facts = classified.facts
    windows = _QUIET_JSON if counts is QUIET else _ENCODE(counts)
    raw = incoming.raw
    parts = [incoming.event[:-1], b',"risk":', _encoded(risk), b',"windows":', windows, flags]
    shrunk = classified.raw_truncated
    if not shrunk and raw and sum(map(len, parts)) + len(raw) + _FRAME > limit:
        shrunk, raw = True, shrink_raw(raw, classified.origin)
    if shrunk:
        parts.append(b',"raw_truncated":true')
    parts += (b',"raw":', raw, b"}") if raw else (b"}",)
    value = b"".join(parts)
    headers = scored_headers(facts, risk.score, risk.level)
    topic, key = SCORED[facts.category], facts.subject.encode()
    return Output(topic, key, value, headers, classified.received_ms), (
        shrunk and not classified.raw_truncated
    )


_FRAME: Final = len(b',"raw":}')
_REMEMBERED: Final = 8192
"""Encoded risks kept."""
_known: dict[int, tuple[Risk, bytes]] = {}
"""By identity: the scorer gives the same object again and again. Holding it keeps its identity."""


def _encoded(risk: Risk) -> bytes:
    known = _known.get(id(risk))
    if known is not None:
        return known[1]
    if len(_known) >= _REMEMBERED:
        _known.clear()
    value = _ENCODE(risk)
    _known[id(risk)] = risk, value
    return value
