"""CEF, the Common Event Format of syslog receivers: one line of text, version 0.

The received text is left out: collectors cut lines long before it ends.
"""

import re
from collections.abc import Iterator
from typing import Final

from riskstream.risk.levels import Level
from riskstream.views.scored import ScoredEvent

__all__ = ["cef"]

_SEVERITIES: Final = {Level.NO: 1, Level.LOW: 3, Level.MEDIUM: 6, Level.HIGH: 8}
_VERY_HIGH: Final = 10
"""CEF's words: 0-3 Low, 4-6 Medium, 7-8 High, 9-10 Very-High."""
_VERY_HIGH_SCORE: Final = 90
_MOST: Final = 1023
"""Characters of one value: what the dictionary allows ``msg`` and custom strings at least."""

_HEADER_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_BARE_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def cef(event: ScoredEvent) -> str:
    """The event as a line, without its end."""
    severity = _SEVERITIES[event.risk.level]
    if event.risk.score >= _VERY_HIGH_SCORE:
        severity = _VERY_HIGH
    head = ("riskstream", "riskstream", "1", str(event.event_type.id), event.event_type.title)
    fields = "|".join(_header(text) for text in head)
    extension = " ".join(f"{key}={_value(text)}" for key, text in _fields(event) if text)
    return f"CEF:0|{fields}|{severity}|{extension}"


def _fields(event: ScoredEvent) -> Iterator[tuple[str, str | None]]:
    """Keys of CEF's dictionary with what they hold; nothing is left out later."""
    actor, user, source, risk = event.actor, event.user, event.source, event.risk
    yield "rt", str(event.time_ms)
    yield "externalId", event.id
    yield "cat", event.category.value
    yield "act", event.event_type.name
    yield "outcome", event.outcome.value
    yield "reason", event.why
    yield "msg", event.message
    if actor is not None:
        yield "suid", _text(actor.id)
        yield "suser", actor.name or actor.system
    if user is not None:
        yield "duid", _text(user.id)
        yield "duser", user.name
    if source is not None:
        yield from _address(source.ip)
        yield "requestClientApplication", source.user_agent
    if event.app is not None:
        yield "destinationServiceName", event.app.name
    yield "deviceExternalId", str(event.account_id)
    yield from _labelled("cn1", "riskScore", str(risk.score))
    yield from _labelled("cs1", "riskLevel", risk.level.value)
    yield from _labelled("cs2", "riskReasons", risk.reasons)
    yield from _labelled("cs3", "subject", event.subject)
    yield from _labelled("cs4", "kind", event.event_type.kind)
    yield from _labelled("cs5", "signals", ",".join(risk.signal_ids))
    yield from _labelled("cs6", "targets", ", ".join(_target(event)))


def _address(ip: str | None) -> Iterator[tuple[str, str]]:
    """``src`` is for IPv4 alone."""
    if ip is None:
        return
    if ":" in ip:
        yield from _labelled("c6a2", "Source IPv6 Address", ip)
    else:
        yield "src", ip


def _labelled(key: str, label: str, text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield key, text
        yield f"{key}Label", label


def _target(event: ScoredEvent) -> Iterator[str]:
    for each in event.targets:
        yield f"{each.type} {each.name or each.id}"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _header(text: str) -> str:
    """Backslash and pipe escaped; on one line."""
    return _HEADER_BREAKS.sub(" ", text[:_MOST]).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    """Backslash, equals sign and line ends escaped; other controls become blanks."""
    plain = _BARE_CONTROLS.sub(" ", text[:_MOST])
    plain = plain.replace("\\", "\\\\").replace("=", "\\=")
    return plain.replace("\r", "\\r").replace("\n", "\\n")
