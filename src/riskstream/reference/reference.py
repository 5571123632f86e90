"""All reference data of a process, as the port of ingest."""

from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, Final

from typing_extensions import override

from riskstream.config import ReferenceSettings
from riskstream.errors import ConfigError
from riskstream.pipeline.surroundings import Device, Place, Surroundings
from riskstream.reference.agents import device_of
from riskstream.reference.files import Status, Watched
from riskstream.reference.geoip import GeoFile, asn_of, location_of
from riskstream.reference.networks import Networks, parse_networks

__all__ = ["Reference"]

REFRESH_SECONDS: Final = 5
"""How often files are looked at."""
_ADDRESSES: Final = 65_536
"""Addresses whose place is remembered."""
_AGENTS: Final = 8192


class Reference(Surroundings):
    """Answers from files and patterns, remembered in bounded caches.

    Args:
        settings: Which files there are.
        tell: Told when a file is taken anew or refused.

    Raises:
        ConfigError: A file cannot be read, or its library is not installed.
    """

    def __init__(self, settings: ReferenceSettings, tell: Status) -> None:
        self._city = _watched("geoip", settings.geoip_city, tell)
        self._asn = _watched("asn", settings.geoip_asn, tell)
        self._lists = {
            name: Watched(name, path, _networks, tell)
            for name, path in sorted(settings.lists.items())
        }
        self._looked = monotonic()
        self.without = tuple(
            name for name, file in (("asn", self._asn), ("geoip", self._city)) if file is None
        )
        self._places = lru_cache(maxsize=_ADDRESSES)(self._place)
        self._devices = lru_cache(maxsize=_AGENTS)(device_of)

    def refresh(self) -> None:
        """Look, every few seconds at most, whether files have changed."""
        if monotonic() - self._looked < REFRESH_SECONDS:
            return
        self._looked = monotonic()
        self.look()

    def look(self) -> None:
        """Take files anew that have changed."""
        changed = [file.refresh() for file in self.files()]
        if any(changed):
            self._places.cache_clear()

    def files(self) -> "list[Watched[Any]]":
        """Every file there is."""
        return [file for file in (self._city, self._asn, *self._lists.values()) if file is not None]

    def sizes(self) -> dict[str, float]:
        """Entries by file."""
        return {file.name: float(len(file.held)) for file in self.files()}

    def refusals(self) -> dict[str, float]:
        """By file, 1 while its newest version is refused."""
        return {file.name: float(file.refused is not None) for file in self.files()}

    @override
    def place(self, address: str) -> Place:
        return self._places(address)

    @override
    def device(self, user_agent: str) -> Device:
        return self._devices(user_agent)

    def _place(self, address: str) -> Place:
        country = city = position = asn = operator = None
        if self._city is not None:
            country, city, position = location_of(self._city.held.file.get(address))
        if self._asn is not None:
            asn, operator = asn_of(self._asn.held.file.get(address))
        lists = tuple([name for name, file in self._lists.items() if address in file.held])
        return Place(country, city, asn, operator, position, lists)


class _Geo:
    """An MMDB file with its length."""

    def __init__(self, path: Path) -> None:
        self.file = GeoFile(path)

    def __len__(self) -> int:
        return self.file.size


def _watched(name: str, path: Path | None, tell: Status) -> Watched[_Geo] | None:
    return None if path is None else Watched(name, path, _Geo, tell)


def _networks(path: Path) -> Networks:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"The list {path} cannot be read: {fault}.") from fault
    return parse_networks(text, str(path))
