"""What a message says: the names that templates may use, and what makes two messages one."""

from hashlib import sha256
from typing import Any
from urllib.parse import quote

__all__ = ["NAMES", "alert_key", "alert_values", "dedup_key", "message_key", "message_values"]

LONGEST = 800
"""Characters of one value; receivers refuse messages that are too long."""
UNKNOWN = "unknown"
SEVERITIES = {"no": "info", "low": "info", "medium": "warning", "high": "critical"}
"""PagerDuty's words for our levels."""

NAMES = (
    "account",
    "actor",
    "address",
    "category",
    "dedup_key",
    "event",
    "events",
    "id",
    "kind",
    "level",
    "link",
    "message",
    "previous",
    "previous_level",
    "reason",
    "reasons",
    "repeats",
    "routing_key",
    "score",
    "severity",
    "subject",
    "summary",
    "time",
    "title",
    "user",
)
"""What a template may say, each as ``$name``."""


def message_key(event: dict[str, Any]) -> str:
    """Subject and reason: messages with the same key are one within the window."""
    return f"{event.get('subject', UNKNOWN)}|{_reason(event)}"


def dedup_key(key: str) -> str:
    """The key as receivers get it, short and without a name in it."""
    return f"riskstream-{sha256(key.encode()).hexdigest()[:32]}"


def message_values(
    event: dict[str, Any], routing_key: str = "", console_url: str = ""
) -> dict[str, str]:
    """A text for each of ``NAMES``; what the event does not tell is ``unknown``.

    Args:
        event: A scored event.
        routing_key: Handed through to the receiver.
        console_url: Of the console; without it ``link`` is empty.
    """
    risk, kind = event["risk"], _part(event, "event_type")
    level, score = str(risk.get("level", UNKNOWN)), str(risk.get("score", UNKNOWN))
    title, subject = _text(kind, "title"), str(event.get("subject", UNKNOWN))
    values = {
        "account": _text(event, "account_id"),
        "actor": _who(_part(event, "actor")),
        "address": _text(_part(event, "source"), "ip"),
        "category": _text(event, "category"),
        "dedup_key": dedup_key(message_key(event)),
        "event": _text(kind, "name"),
        "events": _text(event, "id"),
        "id": _text(event, "id"),
        "kind": _text(kind, "kind"),
        "level": level,
        "link": _link(console_url, "events", _text(event, "id")),
        "message": _text(event, "message"),
        "previous": UNKNOWN,
        "previous_level": UNKNOWN,
        "reason": _reason(event),
        "reasons": _text(risk, "reasons"),
        "repeats": "0",
        "routing_key": routing_key,
        "score": score,
        "severity": SEVERITIES.get(level, "warning"),
        "subject": subject,
        "summary": f"Risk {score} ({level}): {title}, {_who(_part(event, 'user'))} ({subject})",
        "time": _text(event, "time"),
        "title": title,
        "user": _who(_part(event, "user")),
    }
    return {name: _cut(text) for name, text in values.items()}


def alert_key(alert: dict[str, Any]) -> str:
    """Its id: an alert is told once."""
    return f"alert|{alert['id']}"


def alert_values(
    alert: dict[str, Any], routing_key: str = "", console_url: str = ""
) -> dict[str, str]:
    """The same texts for an alert; what is of one event alone is ``unknown``.

    Its ``dedup_key`` is of the subject: a second alert of a subject belongs to the first one's
    incident, as long as nobody has closed that.

    Args:
        alert: A value of the alerts topic.
        routing_key: Handed through to the receiver.
        console_url: Of the console; without it ``link`` is empty.
    """
    before, after = _part(alert, "previous"), _part(alert, "standing")
    score, level = _text(after, "score"), _text(after, "level")
    subject, causes = str(alert["subject"]), _dicts(alert.get("causes"))
    details = dict.fromkeys(str(cause["detail"]) for cause in causes if cause.get("detail"))
    reasons = "; ".join(details) or UNKNOWN
    rise = f"from {_text(before, 'score')} ({_text(before, 'level')}) to {score} ({level})"
    values = dict.fromkeys(NAMES, UNKNOWN) | {
        "account": _text(alert, "account_id"),
        "category": "alerts",
        "dedup_key": dedup_key(f"standing|{subject}"),
        "event": "ALERT",
        "events": ", ".join(_text(cause, "event_id") for cause in causes) or UNKNOWN,
        "id": str(alert["id"]),
        "kind": "alert",
        "level": level,
        "link": _link(console_url, "alerts", str(alert["id"])),
        "message": f"The standing of {subject} rose {rise}",
        "previous": _text(before, "score"),
        "previous_level": _text(before, "level"),
        "reason": _text(causes[0], "signal") if causes else UNKNOWN,
        "reasons": reasons,
        "repeats": _text(alert, "repeats"),
        "routing_key": routing_key,
        "score": score,
        "severity": SEVERITIES.get(level, "warning"),
        "subject": subject,
        "summary": f"Alert: {subject} rose to {score} ({level}): {reasons}",
        "time": _text(alert, "time"),
        "title": "Standing rose to High",
        "user": subject,
    }
    return {name: _cut(text) for name, text in values.items()}


def _link(console_url: str, page: str, id_: str) -> str:
    return f"{console_url.rstrip('/')}/{page}/{quote(id_, safe=':')}" if console_url else ""


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _reason(event: dict[str, Any]) -> str:
    """The signal that carries most of the score; without one the kind of event."""
    signals = [
        signal
        for signal in event["risk"].get("signals", ())
        if isinstance(signal, dict) and signal.get("points", 0) > 0
    ]
    if signals:
        return str(max(signals, key=lambda signal: int(signal["points"])).get("id", UNKNOWN))
    return _text(_part(event, "event_type"), "kind")


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    part = event.get(name)
    return part if isinstance(part, dict) else {}


def _text(part: dict[str, Any], name: str) -> str:
    found = part.get(name)
    return UNKNOWN if found is None or found == "" else str(found)


def _who(part: dict[str, Any]) -> str:
    for name in ("name", "system", "id"):
        if part.get(name) not in {None, ""}:
            return str(part[name])
    return UNKNOWN


def _cut(text: str) -> str:
    """Without what could steer a screen, and not too long."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
