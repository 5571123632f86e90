"""What an operator's GeoIP files and lists would say of the simulation's addresses."""

from functools import lru_cache
from typing import Final

from typing_extensions import override

from evaluation.world.internet import NetKind, locate
from riskstream.pipeline.surroundings import Device, Place, Surroundings
from riskstream.reference.agents import device_of

__all__ = ["World"]


class World(Surroundings):
    """Places from the simulated registry; the networks of private VPNs stand on a list ``vpn``."""

    without: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._devices = lru_cache(maxsize=8192)(device_of)

    @override
    def place(self, address: str) -> Place:
        return _place(address)

    @override
    def device(self, user_agent: str) -> Device:
        return self._devices(user_agent)


@lru_cache(maxsize=65_536)
def _place(address: str) -> Place:
    where = locate(address)
    if where is None:
        return _NOWHERE
    city = where.city
    return Place(
        country=city.country,
        city=city.name,
        asn=where.asn,
        operator=where.provider,
        position=(round(city.latitude * 100), round(city.longitude * 100)),
        lists=("vpn",) if where.kind is NetKind.VPN else (),
    )


_NOWHERE: Final = Place()
