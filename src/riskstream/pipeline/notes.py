"""Authentication details from the free text of ``notes``, the only place that has them.

Known forms: ``Authentication method: password (invalid password).``,
``Authentication method: OTP (Valid OTP). Factor name: Duo Security``, and
``Authentication method: Login App.`` before ``Transitions: …`` on a line of its own or not.
Only searches for fixed words, so the time is linear in the text whatever it holds.
"""

from functools import lru_cache
from typing import Final

from riskstream.events.event import Auth
from riskstream.events.text import clean

__all__ = ["read_auth"]

_METHOD: Final = "Authentication method:"
_FACTOR: Final = "Factor name:"
_ENDS: Final = ("\n", "\r", "Transitions:", "Correlation_id:", _FACTOR)
_MOST: Final = 256
_LOOKED_AT: Final = 2048
"""Characters of the notes that are looked at; real ones have less than 500."""


def read_auth(notes: str | None, factor: str | None, *, plain_reason: bool = False) -> Auth | None:
    """Method, reason and factor; None where there is none of them.

    Args:
        notes: As received.
        factor: What the event says itself of the factor; it beats the notes.
        plain_reason: The event is a refusal, so notes in no known form are its reason.
    """
    if not notes:
        return None if not factor else _read("", factor, plain_reason)
    if not factor and not plain_reason and _METHOD not in notes and _FACTOR not in notes:
        return None
    return _read(notes[:_LOOKED_AT], (factor or "")[:_MOST], plain_reason)


@lru_cache(maxsize=2048)
def _read(notes: str, factor_text: str, plain_reason: bool) -> Auth | None:
    """Cached, for the same few notes come again and again."""
    factor = clean(factor_text, _MOST) or _after(notes, _FACTOR)
    start = notes.find(_METHOD)
    method = reason = None
    if start >= 0:
        method, reason = _method(_until_end(notes[start + len(_METHOD) :]))
    elif plain_reason:
        reason = clean(_until_end(notes.lstrip()).strip(" ."), _MOST)
    if method is None and reason is None and factor is None:
        return None
    return Auth(method, reason, factor)


def _method(text: str) -> tuple[str | None, str | None]:
    """``password (invalid password).`` into its two parts."""
    method, _, rest = text.partition("(")
    reason, closed, _ = rest.rpartition(")")
    return (
        clean(method.strip(" ."), _MOST),
        clean(reason if closed else rest.strip(" ."), _MOST),
    )


def _until_end(text: str) -> str:
    text = text.lstrip(" \t")
    for end in _ENDS:
        position = text.find(end)
        if position >= 0:
            text = text[:position]
    return text


def _after(text: str, marker: str) -> str | None:
    start = text.find(marker)
    if start < 0:
        return None
    return clean(_until_end(text[start + len(marker) :]).strip(" ."), _MOST)
