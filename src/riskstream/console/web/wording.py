"""How things are said to people."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from riskstream.events.times import format_time
from riskstream.pipeline.standings import Alert

__all__ = ["FILTERS", "ago", "brief", "grouped", "name_of", "pretty_json", "span_words", "when"]

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60))
CATEGORY_WORDS: Final = {
    "apps": "Apps",
    "users": "Users",
    "onelogin": "OneLogin",
    "provisioning": "Provisioning",
    "uncataloged": "Uncataloged",
}


def grouped(number: int) -> str:
    """``10,293``."""
    return f"{number:,}"


def when(moment: str | int) -> str:
    """``2026-11-23 13:00:00``, UTC."""
    text = moment if isinstance(moment, str) else format_time(max(moment, 0))
    return text[:19].replace("T", " ")


def brief(moment: str | int, now_ms: int) -> str:
    """``13:00`` of today, ``11-22 13:00`` of another day, UTC."""
    text, today = when(moment), when(now_ms)[:10]
    return text[11:16] if text.startswith(today) else text[5:16]


def ago(moment_ms: int, now_ms: int) -> str:
    """``3 min ago``."""
    seconds = max(now_ms - moment_ms, 0) // 1000
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def span_words(milliseconds: int) -> str:
    """``15 min``, ``6 h``, ``2 d``."""
    seconds = milliseconds // 1000
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def name_of(event: Mapping[str, Any]) -> str:
    """The user acted upon, else who acted, else the subject's key."""
    for part in ("user", "actor", "client"):
        who = event.get(part, {})
        for name in ("name", "system", "id"):
            if who.get(name):
                return str(who[name])
    return str(event.get("subject", ""))


def actor_of(event: Mapping[str, Any]) -> str:
    """Who acted."""
    for part in ("actor", "client"):
        who = event.get(part, {})
        for name in ("name", "system", "id"):
            if who.get(name):
                return str(who[name])
    return ""


def reasons_of(alert: Alert) -> str:
    """Each once: causes of two families may say the same."""
    return "; ".join(dict.fromkeys(cause.detail for cause in alert.causes))


def pretty_json(text: str | Mapping[str, Any]) -> str:
    """JSON indented where it is JSON, else the text as it is."""
    try:
        found = orjson.loads(text) if isinstance(text, str) else text
        return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return str(text)


def safe_bytes(value: bytes) -> str:
    """Bytes as text: what is no printable UTF-8 as escapes, lines kept."""
    text = value.decode("utf-8", "backslashreplace")
    return "".join(
        mark if mark.isprintable() or mark in "\n\t" else mark.encode("unicode_escape").decode()
        for mark in text
    )


def hex_lines(value: bytes, most: int = 4096) -> str:
    """A hex dump of the beginning."""
    lines = []
    for start in range(0, min(len(value), most), 16):
        part = value[start : start + 16]
        shown = "".join(chr(each) if 32 <= each < 127 else "·" for each in part)  # noqa: PLR2004
        lines.append(f"{start:06x}  {part.hex(' '):<47}  {shown}")
    return "\n".join(lines)


def in_path(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe=":")


def signed(number: int) -> str:
    """``+3``, ``-2``."""
    return f"{number:+d}"


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "grouped": grouped,
    "when": when,
    "ago": ago,
    "brief": brief,
    "reasons_of": reasons_of,
    "span_words": span_words,
    "name_of": name_of,
    "actor_of": actor_of,
    "pretty_json": pretty_json,
    "safe_bytes": safe_bytes,
    "hex_lines": hex_lines,
    "in_path": in_path,
    "signed": signed,
    "rounded": lambda number: f"{number:.0f}",
    "category_word": lambda name: CATEGORY_WORDS.get(name, name),
    "words": lambda text: str(text).replace("_", " "),
}
"""For templates."""
