"""What is usual for a user: places, devices and hours of the latest events."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ORDINARY", "Portrait", "device_of", "portrait_of"]

ORDINARY: Final = ("no", "low")
"""Levels of events that say what is usual: else an intruder's address would soon look so."""

SHOWN: Final = 6
_BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[.\d]* (?:Mobile/\S+ )?Safari/"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X|Macintosh"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux|X11"),
)


@dataclass(slots=True)
class Portrait:
    """Counts over some events."""

    events: int = 0
    addresses: Counter[str] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)
    apps: Counter[str] = field(default_factory=Counter)
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Of the day, UTC."""

    def first(self, what: str) -> list[tuple[str, int, int]]:
        """The most frequent addresses, devices or apps: name, count, percent."""
        counts: Counter[str] = getattr(self, what)
        whole = max(counts.total(), 1)
        return [(name, count, 100 * count // whole) for name, count in counts.most_common(SHOWN)]


def portrait_of(events: Iterable[dict[str, Any]]) -> Portrait:
    """Count what the events of one user have."""
    portrait = Portrait()
    for event in events:
        portrait.events += 1
        source = event.get("source", {})
        if source.get("ip"):
            portrait.addresses[source["ip"]] += 1
        if source.get("user_agent"):
            portrait.devices[device_of(source["user_agent"])] += 1
        app = event.get("app", {})
        if app.get("name") or app.get("id"):
            portrait.apps[str(app.get("name") or app["id"])] += 1
        hour = str(event.get("time", ""))[11:13]
        if hour.isdecimal():
            portrait.hours[int(hour) % 24] += 1
    return portrait


def device_of(user_agent: str) -> str:
    """``Chrome 142 on Windows``, or the user agent's beginning where it says nothing known."""
    browser = next(
        (
            f"{name} {found[1]}"
            for name, form in _BROWSERS
            if (found := re.search(form, user_agent))
        ),
        "",
    )
    system = next((name for name, form in _SYSTEMS if re.search(form, user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:60]
