"""W3C Trace Context in record headers: what is valid is passed on as it is, all else is left out.

riskstream makes no spans of its own. A consumer that continues a trace finds the context of the
raw record on each scored event and each dead letter that came of it.
"""

import re
from collections.abc import Sequence
from typing import Final

from riskstream.events.record import Headers

__all__ = ["TRACEPARENT", "TRACESTATE", "trace_context"]

TRACEPARENT: Final = "traceparent"
"""Version, trace id, parent id and flags of the sender's span."""
TRACESTATE: Final = "tracestate"
"""What the tracing systems add for themselves; means nothing without ``traceparent``."""
MAX_TRACESTATE_BYTES: Final = 512
"""What W3C asks to be passed on; a longer one is left out."""

_PARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_STATE: Final = re.compile(
    rb"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x21-\x2b\x2d-\x3c\x3e-\x7e][\x20-\x2b\x2d-\x3c\x3e-\x7e]*"
)
_VERSION_ZERO: Final = b"00"
_LENGTH: Final = 55
_MOST: Final = 256
"""Later versions may be longer than the first, but not without bound."""


def trace_context(headers: Sequence[tuple[str, bytes | None]]) -> Headers:
    """The valid trace context among these headers, as headers; empty where there is none.

    Two ``traceparent`` contradict each other, so they count as none. Several ``tracestate`` are
    one list, as in HTTP.
    """
    parents = [value or b"" for name, value in headers if name == TRACEPARENT]
    if len(parents) != 1 or not _is_parent(parents[0]):
        return ()
    context = ((TRACEPARENT, parents[0]),)
    states = [value for name, value in headers if name == TRACESTATE and value]
    state = b",".join(states)
    return (*context, (TRACESTATE, state)) if state and _is_state(state) else context


def _is_parent(value: bytes) -> bool:
    if not _PARENT.match(value):
        return False
    if len(value) == _LENGTH:
        return True
    later = not value.startswith(_VERSION_ZERO) and value[_LENGTH : _LENGTH + 1] == b"-"
    return later and len(value) <= _MOST and value.isascii() and value.decode().isprintable()


def _is_state(value: bytes) -> bool:
    if len(value) > MAX_TRACESTATE_BYTES:
        return False
    members = [member.strip(b" \t") for member in value.split(b",")]
    return any(members) and all(not member or _STATE.fullmatch(member) for member in members)
