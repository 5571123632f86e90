"""Payloads: JSON documents in whose texts ``$name`` stands for what a message says.

Names are replaced in texts of the parsed document, so no value can break out of its place.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Literal

import orjson

from riskstream.errors import ConfigError
from riskstream.notify.message import NAMES

__all__ = ["PayloadTemplate", "Style", "load_templates"]

Style = Literal["slack", "pagerduty", "json"]
FILE_BYTES = 1_048_576


class PayloadTemplate:
    """Makes payloads.

    Args:
        document: JSON, parsed.
        escape: What the receiver wants done to values.

    Raises:
        ConfigError: A text has a name that there is not; each is told.
    """

    def __init__(self, document: Any, escape: Callable[[str], str] = str) -> None:
        self._document = document
        self._escape = escape
        unknown = {name for text in _texts(document) for name in _names(text)} - set(NAMES)
        if unknown:
            raise ConfigError(
                f"The template has {', '.join(f'${name}' for name in sorted(unknown))}; there are "
                f"{', '.join(f'${name}' for name in NAMES)}. A dollar sign itself is $$."
            )

    def render(self, values: Mapping[str, str]) -> bytes:
        """The payload that says this."""
        escaped = {name: self._escape(text) for name, text in values.items()}
        return orjson.dumps(_filled(self._document, escaped))


def load_templates(
    style: Style, file: Path | None = None, alert_file: Path | None = None
) -> tuple[PayloadTemplate, PayloadTemplate]:
    """Templates of messages about events and about alerts: a style's, or the operator's own.

    Own ones get their values escaped for the style; one for events serves alerts as well.

    Raises:
        ConfigError: The file cannot be read, is no JSON, or uses a name that there is not.
    """
    escape = _escape_slack if style == "slack" else str
    return (
        _load(file, f"{style}.json", escape),
        _load(alert_file or file, f"{style}_alert.json", escape),
    )


def _load(file: Path | None, shipped_name: str, escape: Callable[[str], str]) -> PayloadTemplate:
    if file is None:
        shipped = files("riskstream.notify") / "templates" / shipped_name
        return PayloadTemplate(orjson.loads(shipped.read_bytes()), escape)
    try:
        with file.open("rb") as opened:
            held = opened.read(FILE_BYTES + 1)
        if len(held) > FILE_BYTES:
            raise ConfigError(f"The template {file} is larger than a megabyte.")
        return PayloadTemplate(orjson.loads(held), escape)
    except OSError as fault:
        raise ConfigError(f"The template {file} cannot be read: {fault.strerror}.") from fault
    except orjson.JSONDecodeError as fault:
        raise ConfigError(f"The template {file} is not JSON: {fault}.") from fault


def _escape_slack(text: str) -> str:
    """As Slack asks for it; an event's text could mention a whole channel otherwise."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _texts(document: Any) -> list[str]:
    if isinstance(document, str):
        return [document]
    if isinstance(document, dict):
        return [text for part in document.values() for text in _texts(part)]
    if isinstance(document, list):
        return [text for part in document for text in _texts(part)]
    return []


def _names(text: str) -> list[str]:
    try:
        Template(text).substitute(dict.fromkeys(Template(text).get_identifiers(), ""))
    except ValueError as fault:
        raise ConfigError(
            f"The template's text {text!r} has a $ without a name; write $$."
        ) from fault
    return Template(text).get_identifiers()


def _filled(document: Any, values: Mapping[str, str]) -> Any:
    if isinstance(document, str):
        return Template(document).substitute(values)
    if isinstance(document, dict):
        return {key: _filled(part, values) for key, part in document.items()}
    if isinstance(document, list):
        return [_filled(part, values) for part in document]
    return document
