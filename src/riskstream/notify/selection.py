"""Which scored events are worth a message: by headers first, so that few values are parsed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from riskstream.config import NotifySettings

__all__ = ["Selection", "read_alert"]

KIND_PREFIX = "com.onelogin.event."
"""Of the header ``ce_type``."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; an empty one lets everything pass, several must all agree."""

    levels: frozenset[str] = frozenset({"high"})
    kinds: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    @classmethod
    def of(cls, chosen: NotifySettings) -> Self:
        """What the settings ask for."""
        return cls(frozenset(chosen.levels), frozenset(chosen.kinds), frozenset(chosen.categories))

    def select(
        self, headers: Sequence[tuple[str, bytes]], value: bytes | None
    ) -> dict[str, Any] | None:
        """The event, when it is one of those wanted.

        Records that riskstream did not write (without its headers, or not JSON) are none.
        """
        told = {name: text.decode("utf-8", "replace") for name, text in headers}
        if value is None or "ce_id" not in told:
            return None
        wanted = (
            _within(told.get("risk_level"), self.levels)
            and _within(told.get("category"), self.categories)
            and _within(told.get("ce_type", "").removeprefix(KIND_PREFIX), self.kinds)
        )
        if not wanted:
            return None
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
        return event if isinstance(event, dict) and isinstance(event.get("risk"), dict) else None


def read_alert(value: bytes | None) -> dict[str, Any] | None:
    """The alert in a record of the alerts topic; None where riskstream did not write it."""
    try:
        alert = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    told = isinstance(alert, dict) and all(
        isinstance(alert.get(name), kind)
        for name, kind in (("id", str), ("subject", str), ("standing", dict))
    )
    return alert if told else None


def _within(found: str | None, wanted: frozenset[str]) -> bool:
    return not wanted or found in wanted
