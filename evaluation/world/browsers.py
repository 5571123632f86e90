"""Devices and the user agents that their browsers send, which grow with time; and their parts.

Version numbers go by the day of the simulation: Chromium and Firefox have one every 28 days.
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["AGED_AGENTS", "SCRIPTS", "Agent", "Device", "parse_agent", "popular_device"]

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_SYSTEMS: Final = {
    "windows": "Windows NT 10.0; Win64; x64",
    "mac": "Macintosh; Intel Mac OS X 10_15_7",
    "linux": "X11; Linux x86_64",
}
SCRIPTS: Final = ("python-requests/2.32.5", "Go-http-client/2.0", "curl/8.14.1")
AGED_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 6.1; rv:109.0) Gecko/20100101 Firefox/115.0",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/109.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36",
)
FIRST_MAJOR: Final = 132
RELEASE_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Device:
    """One browser on one device."""

    system: str
    """windows, mac, linux, iphone, android."""
    browser: str
    """chrome, edge, firefox, safari."""
    lag_days: int
    """How long after a release it has the new version."""

    @property
    def mobile(self) -> bool:
        """A phone."""
        return self.system in ("iphone", "android")

    def agent(self, day: int) -> str:
        """Its user agent on a day of the simulation."""
        return _agent(self.system, self.browser, max(0, day - self.lag_days) // RELEASE_DAYS)


@lru_cache(maxsize=4096)
def _agent(system: str, browser: str, release: int) -> str:
    major = FIRST_MAJOR + release
    if system == "iphone":
        minor = release // 2
        software = f"iPhone; CPU iPhone OS 18_{minor} like Mac OS X"
        return f"Mozilla/5.0 ({software}) {_APPLE} Version/18.{minor} Mobile/15E148 Safari/604.1"
    if system == "android":
        software = "Linux; Android 10; K"
        return f"Mozilla/5.0 ({software}) {_WEBKIT} Chrome/{major}.0.0.0 Mobile Safari/537.36"
    software = _SYSTEMS[system]
    if browser == "firefox":
        return f"Mozilla/5.0 ({software}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"
    if browser == "safari":
        return f"Mozilla/5.0 ({software}) {_APPLE} Version/18.{release // 2} Safari/605.1.15"
    edge = f" Edg/{major}.0.0.0" if browser == "edge" else ""
    return f"Mozilla/5.0 ({software}) {_WEBKIT} Chrome/{major}.0.0.0 Safari/537.36{edge}"


def popular_device(rng: random.Random) -> Device:
    """A desktop such as many people have."""
    system = rng.choices(("windows", "mac", "linux"), (70, 24, 6))[0]
    choices = {
        "windows": (("chrome", "edge", "firefox"), (62, 28, 10)),
        "mac": (("chrome", "safari", "firefox"), (58, 34, 8)),
        "linux": (("chrome", "firefox"), (55, 45)),
    }
    browsers, weights = choices[system]
    return Device(system, rng.choices(browsers, weights)[0], rng.randrange(0, 12))


@dataclass(frozen=True, slots=True)
class Agent:
    """The parts of a user agent, from fine to coarse."""

    text: str
    browser: str
    """With its major version."""
    system: str
    """With its version."""
    device: str
    """desktop, mobile, script."""


_BROWSERS: Final = (
    ("Edge", re.compile(r"Edg/(\d+)")),
    ("Headless Chrome", re.compile(r"HeadlessChrome/(\d+)")),
    ("Firefox", re.compile(r"Firefox/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+\.\d+)")),
    ("Chrome", re.compile(r"Chrome/(\d+)")),
)
_SYSTEM: Final = re.compile(r"\(([^;)]+);? ?([^;)]*)")


@lru_cache(maxsize=4096)
def parse_agent(text: str) -> Agent:
    """The parts, as far as the yardsticks need them: for what this module makes and no more."""
    if not text.startswith("Mozilla/"):
        return Agent(text, text, "none", "script")
    browser = next(
        (f"{name} {found[1]}" for name, form in _BROWSERS if (found := form.search(text))), "other"
    )
    system = _SYSTEM.search(text)
    name = f"{system[1]} {system[2]}" if system else "none"
    mobile = "Mobile" in text
    return Agent(text, browser, name, "mobile" if mobile else "desktop")
