"""The port through which ingest learns what others know of an address or a user agent.

Ingest writes it into the classified record, so assess, which may run again after a restart or
with other files, sees what was known when the event was received. Answers must not depend on
anything but the argument and the files.
"""

from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from riskstream.events.event import Event, Facts, Source

__all__ = ["Device", "Place", "Surroundings", "surrounded"]


class Place(NamedTuple):
    """Where an address is, as far as it is known."""

    country: str | None = None
    """ISO 3166-1 alpha-2."""
    city: str | None = None
    asn: int | None = None
    operator: str | None = None
    """Who announces the address."""
    position: tuple[int, int] | None = None
    """Latitude and longitude in hundredths of a degree."""
    lists: tuple[str, ...] = ()
    """The operator's lists that the address stands on, in alphabetical order."""


class Device(NamedTuple):
    """What a user agent tells, as far as it is understood."""

    device: str | None = None
    """``desktop``, ``mobile``, ``tablet`` or ``automated``."""
    system: str | None = None
    browser: str | None = None


class Surroundings(Protocol):
    """Answers quickly: it is asked for every event."""

    without: tuple[str, ...]
    """What cannot be told at present: ``asn``, ``geoip``."""

    def place(self, address: str) -> Place:
        """Of an address in canonical form."""

    def device(self, user_agent: str) -> Device:
        """Of a user agent."""


def surrounded(public: Event, facts: Facts, around: Surroundings) -> tuple[Event, Facts]:
    """The event and its facts with what is known of its address and its user agent."""
    source = public.source
    if source is None:
        return public, facts
    place = around.place(facts.ip) if facts.ip else _NOWHERE
    device = around.device(facts.user_agent) if facts.user_agent else _NOTHING
    country, city, asn, operator, position, lists = place
    public = replace(
        public,
        source=Source(source.ip, source.user_agent, country, city, asn, operator, *device, lists),
    )
    without = around.without if facts.ip else ()
    facts = replace(
        facts,
        country=country,
        city=city,
        asn=asn,
        position=position,
        lists=lists,
        without=without,
        device=device.device,
        system=device.system,
        browser=device.browser,
    )
    return public, facts


_NOWHERE: Final = Place()
_NOTHING: Final = Device()
