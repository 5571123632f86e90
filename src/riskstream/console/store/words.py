"""Free text as words: the same for what is stored and for what is asked.

A word is a run of letters and digits, without case and accents; an address or a constant such as
``USER_LOCKED`` is several words, all of which must occur.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["TextQuery", "parse_text", "words"]

MOST_WORDS = 400
"""Of one event: a hostile text must not fill the index."""
MOST_ASKED = 12
"""Of one query; the rest is left out."""
_WORD = re.compile(r"[^\W_]{1,64}")
_TERM = re.compile(r"(-?)([^\s*]+)(\*?)")


def words(text: str) -> list[str]:
    """The words of a text, in order; of an overlong one its pieces."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, slots=True)
class TextQuery:
    """Words that must occur, beginnings of words that must occur, words that must not."""

    whole: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.whole or self.beginnings)

    def match(self, found: Iterable[str]) -> bool:
        """Whether a text with these words is one of those asked for."""
        have = frozenset(found)
        return (
            have.issuperset(self.whole)
            and have.isdisjoint(self.without)
            and all(any(word.startswith(part) for word in have) for part in self.beginnings)
        )

    def expression(self) -> str:
        """For FTS5; every word is quoted, so nothing a person types is syntax."""
        wanted = [f'"{word}"' for word in self.whole]
        wanted += [f'"{word}"*' for word in self.beginnings]
        both = " AND ".join(wanted)
        if not self.without:
            return both
        unwanted = " OR ".join(f'"{word}"' for word in self.without)
        return f"({both}) NOT ({unwanted})"


def parse_text(text: str) -> TextQuery:
    """``wrong passw* -otp``: words, a ``*`` for any ending, a ``-`` for words that must not occur.

    Total: what holds no word asks for nothing.
    """
    whole: dict[str, None] = {}
    beginnings: dict[str, None] = {}
    without: dict[str, None] = {}
    for sign, term, star in _TERM.findall(text):
        parts = words(term)
        if not parts:
            continue
        if sign:
            without.update(dict.fromkeys(parts))
        elif star:
            whole.update(dict.fromkeys(parts[:-1]))
            beginnings[parts[-1]] = None
        else:
            whole.update(dict.fromkeys(parts))
    return TextQuery(
        tuple(whole)[:MOST_ASKED], tuple(beginnings)[:MOST_ASKED], tuple(without)[:MOST_ASKED]
    )
