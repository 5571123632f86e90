"""Scored events on a terminal."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from riskstream.cli.output import LEVEL_STYLES, printable, styled, table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["events_table", "full_event", "one_line"]

COLUMNS = ("time", "level", "#score", "user", "type", "outcome", "message", "reasons")
OUTCOME_STYLES = {"success": "green", "failure": "red", "unknown": "dim"}
SHOWN_APART = ("risk", "windows", "raw")


def events_table(events: Iterable[dict[str, Any]]) -> "Table":
    """One row per event, in the given order."""
    return table(COLUMNS, [_row(event) for event in events])


def one_line(event: dict[str, Any]) -> "Text":
    """An event as one line, for ``--follow``."""
    from rich.text import Text

    time, level, score, who, kind, outcome, message, reasons = _row(event)
    line = Text(f"{time} ")
    line.append_text(_padded(level, 6)).append(f" {score:>3}  ")
    line.append(f"{printable(who):<24} ").append_text(_padded(outcome, 7))
    line.append(f" {printable(kind)}  {printable(message)}")
    if reasons:
        line.append(f"  [{printable(reasons)}]", style="dim")
    return line


def full_event(event: dict[str, Any]) -> Iterator[Any]:
    """Everything that is known of one event: its parts, its signals, its raw text."""
    risk = event.get("risk", {})
    yield table(["part", "value"], _parts(event))
    level = str(risk.get("level", ""))
    yield styled(
        f"Risk {risk.get('score')} of 100: {level}, by policy {risk.get('policy')}",
        LEVEL_STYLES.get(level, ""),
    )
    yield table(["signal", "#evidence", "#points", "detail"], _signals(risk))
    if vendor := risk.get("vendor"):
        reasons = "; ".join(vendor.get("reasons", []))
        yield f"OneLogin's own score: {vendor.get('score')} ({vendor.get('level')}) {reasons}"
    yield table(["window", "#after this event"], list(event.get("windows", {}).items()))
    yield "Received text"
    yield _pretty(str(event.get("raw", "")))


def _row(event: dict[str, Any]) -> tuple[Any, ...]:
    risk = event.get("risk", {})
    level, outcome = str(risk.get("level", "")), str(event.get("outcome", ""))
    return (
        event.get("time", ""),
        styled(level, LEVEL_STYLES.get(level, "")),
        risk.get("score", ""),
        _who(event),
        str(event.get("event_type", {}).get("name", "")),
        styled(outcome, OUTCOME_STYLES.get(outcome, "")),
        str(event.get("message", "")),
        str(risk.get("reasons", "")),
    )


def _who(event: dict[str, Any]) -> str:
    """The user acted upon, else who acted, else the subject's key."""
    for part in (event.get("user", {}), event.get("actor", {}), event.get("client", {})):
        for name in ("name", "system", "id"):
            if part.get(name):
                return str(part[name])
    return str(event.get("subject", ""))


def _parts(event: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in event.items():
        if not prefix and name in SHOWN_APART:
            continue
        if isinstance(value, dict):
            yield from _parts(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from (
                row
                for place, item in enumerate(value)
                for row in _parts({f"{name}[{place}]": item}, prefix)
            )
        else:
            yield f"{prefix}{name}", orjson.dumps(value).decode() if value is None else str(value)


def _signals(risk: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    prior = risk.get("prior", {})
    yield ("prior", prior.get("evidence"), prior.get("points"), "what events of this kind start at")
    for signal in risk.get("signals", []):
        yield (signal.get("id"), signal.get("evidence"), signal.get("points"), signal.get("detail"))
    yield ("sum", "", risk.get("score"), "")


def _pretty(raw: str) -> str:
    """JSON indented where the text is JSON, else the text as it is."""
    try:
        return orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return raw


def _padded(text: "Text", width: int) -> "Text":
    padded = text.copy()
    padded.pad_right(max(0, width - len(padded)))
    return padded
