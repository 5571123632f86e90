"""Text from outside, made fit to be shown."""

import re
from typing import Final

__all__ = ["MAX_CHARACTERS", "clean"]

MAX_CHARACTERS: Final = 1024
"""Of any string in the public part of an event; the raw text keeps the whole."""

_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"  # controls, line ends, lone surrogates
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # marks that turn the direction of writing
)


def clean(text: str | None, limit: int = MAX_CHARACTERS) -> str | None:
    """The text on one line, without control characters and blanks around it, cut to ``limit``.

    None where nothing is left.
    """
    if not text:
        return None
    if len(text) > limit:
        text = text[:limit]
    if not text.isprintable():
        text = _HOSTILE.sub(" ", text)
    return text.strip() or None
