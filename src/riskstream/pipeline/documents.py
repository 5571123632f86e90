"""Find the JSON documents in text that holds several, or that is broken in places.

Brackets are counted outside strings, and a string ends with its line, as JSON has it. So one
broken line cannot change how the next is read. Nothing recurses, and each line is looked at once.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

__all__ = ["array_members", "concatenated", "iter_documents", "nesting", "split_documents"]

_STRING = rb'"(?:[^"\\\r\n]++|\\[^\r\n])*+"?'
_STRINGS = re.compile(_STRING)
_TOKENS = re.compile(_STRING + rb"|[\[\]{},]")
_BRACKETS = re.compile(_STRING + rb"|[\[\]{}]")
_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_SEPARATORS = b" \t\r\n,"
_WHOLE = msgspec.json.Decoder(msgspec.Raw)


def iter_documents(text: bytes) -> Iterator[bytes]:
    """The documents of a text held in memory; see ``split_documents``."""
    return split_documents(text.splitlines(keepends=True), len(text))


def split_documents(lines: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The documents in a run of lines, without the blanks around them; blank lines are none.

    A line that is balanced by itself is a document. One that leaves brackets open is joined
    with the lines up to where they close. Where they never do, or only after ``max_bytes``, it
    is a document alone, and the next line is looked at afresh.

    Args:
        lines: With their line ends.
        max_bytes: Most bytes held back while looking for the end of a document; a line that is
            longer is not cut.
    """
    pending: deque[bytes] = deque()
    waiting: deque[tuple[int, int]] = deque()  # lines still open, with the level they began at
    ends: dict[int, int] = {}
    first = count = level = held = 0
    for line in lines:
        low, change = _profile(line)
        while waiting and level + low <= waiting[-1][1]:
            ends[waiting.pop()[0]] = count
        if low == 0 and change > 0:
            waiting.append((count, level))
        level += change
        pending.append(line)
        count += 1
        held += len(line)
        while pending:
            if waiting and waiting[0][0] == first:
                if held <= max_bytes:
                    break
                waiting.popleft()
            document = _take(pending, first, ends)
            first = count - len(pending)
            held -= len(document)
            if stripped := document.strip():
                yield stripped
    while pending:
        document = _take(pending, first, ends)
        first = count - len(pending)
        if stripped := document.strip():
            yield stripped


def _take(pending: deque[bytes], first: int, ends: dict[int, int]) -> bytes:
    """Remove the first document from the pending lines."""
    last = ends.pop(first, first)
    document = b"".join(islice(pending, last - first + 1))
    for index in range(first, last + 1):
        pending.popleft()
        ends.pop(index, None)
    return document


def _profile(line: bytes) -> tuple[int, int]:
    """Lowest level reached (0 or less) and net change of level over one line."""
    try:
        _WHOLE.decode(line)
    except (msgspec.DecodeError, RecursionError):
        pass
    else:
        return 0, 0
    low = level = 0
    for bracket in _brackets(line):
        if bracket in b"[{":
            level += 1
        else:
            level -= 1
            if level < low:  # noqa: PLR1730  (a call for every bracket is what costs here)
                low = level
    return low, level


def _brackets(text: bytes) -> bytes:
    return _STRINGS.sub(b"", text).translate(None, _NOT_BRACKETS)


def nesting(text: bytes) -> int:
    """How deep arrays and objects are nested at most."""
    deepest = level = 0
    for bracket in _brackets(text):
        if bracket in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif level:
            level -= 1
    return deepest


def concatenated(text: bytes) -> list[bytes]:
    """The values in brackets behind each other in a text, with or without commas between.

    The text alone where anything else stands between them. Only a bracket of its own kind ends
    a value, and what never ends is the last one.
    """
    pieces: list[bytes] = []
    start = level = 0
    closing = b""
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in b"[{":
            if not level:
                if text[start : match.start()].strip(_SEPARATORS):
                    return [text]
                start = match.start()
                closing = b"]" if token == b"[" else b"}"
            level += 1
        elif level > 1 and token in b"]}":
            level -= 1
        elif level and token == closing:
            level = 0
            pieces.append(text[start : match.end()])
            start = match.end()
    if rest := text[start:].strip(_SEPARATORS):
        if not level:
            return [text]
        pieces.append(rest)
    return pieces or [text]


def array_members(text: bytes, key: bytes) -> list[bytes]:
    """The members of a broken array, or of the array under ``key`` in a broken object.

    Empty when there is no such array. An array that is cut off ends with the text; what follows
    the end of a bare array is a piece of its own.
    """
    start = 1 if text[:1] == b"[" else _array_start(text, b'"' + key + b'"')
    members: list[bytes] = []
    if start is None:
        return members
    level = 0
    for match in _TOKENS.finditer(text, start):
        token = match.group()
        if token in b"[{":
            level += 1
        elif token in b"]}" and level:
            level -= 1
        elif token == b"]" or (token == b"," and not level):
            _add(members, text[start : match.start()])
            start = match.end()
            if token == b"]":
                break
    else:
        _add(members, text[start:])
        return members
    if text[:1] == b"[":
        _add(members, text[start:])
    return members


def _add(members: list[bytes], member: bytes) -> None:
    if stripped := member.strip(_SEPARATORS):
        members.append(stripped)


def _array_start(text: bytes, quoted_key: bytes) -> int | None:
    """Where the first member may begin of the array under a key of the outermost object."""
    level = name_end = 0
    name = b""
    for match in _TOKENS.finditer(text):
        token = match.group()
        if token in b"[{":
            if (
                level == 1
                and token == b"["
                and name == quoted_key
                and text[name_end : match.start()].strip() == b":"
            ):
                return match.end()
            name = b""  # only the first bracket behind a name can be its value
            level += 1
        elif token in b"]}":
            level -= 1
        elif level == 1 and token != b",":
            name, name_end = token, match.end()
    return None
