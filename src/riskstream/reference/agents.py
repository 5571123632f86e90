"""User agents, by uap-core's patterns: type of device, operating system, browser."""

import re
from typing import Final

from ua_parser import parse

from riskstream.pipeline.surroundings import Device

__all__ = ["device_of"]

_LOOKED_AT: Final = 400
"""Characters: a pattern that is slow on long text must not cost more than this."""
_DESKTOPS: Final = frozenset(
    {"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD"}
)
_MOBILES: Final = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS"})
_AUTOMATED: Final = re.compile(
    r"\b(?:curl|wget|python|aiohttp|httpx|go-http-client|java/|okhttp|apache-httpclient|libwww|"
    r"headless|phantomjs|selenium|puppeteer|playwright|axios|node-fetch|undici|postman|insomnia|"
    r"httpie|scrapy|powershell|ruby|perl|bot|crawler|spider)",
    re.IGNORECASE,
)
"""What programs call themselves that are no browser, or one without a person."""
_TABLET: Final = re.compile(r"iPad|Tablet|Android(?!.*Mobile)", re.IGNORECASE)


def device_of(user_agent: str) -> Device:
    """What a user agent tells; what is not recognised is None."""
    text = user_agent[:_LOOKED_AT]
    parsed = parse(text)
    system = None if parsed.os is None else parsed.os.family
    browser = None if parsed.user_agent is None else parsed.user_agent.family
    return Device(_type(text, system), system, browser)


def _type(text: str, system: str | None) -> str | None:
    if _AUTOMATED.search(text):
        return "automated"
    if system in _MOBILES:
        return "tablet" if _TABLET.search(text) else "mobile"
    return "desktop" if system in _DESKTOPS else None
