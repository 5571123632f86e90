"""Countries and cities on a grid of the globe.

Codes are those that ISO 3166 leaves to users (XA to XP), so that no real country is meant. Four
cities per country, one to three hundred kilometres apart.
"""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Final

__all__ = ["CITIES", "CITIES_BY_COUNTRY", "COUNTRIES", "City", "distance_km"]

EARTH_RADIUS_KM: Final = 6371.0
_LATITUDES: Final = (52.0, 28.0, -2.0, -33.0)
_LONGITUDES: Final = (10.0, -35.0, -95.0, 115.0)
_OFFSETS: Final = ((0.0, 0.0), (0.9, 1.1), (-1.6, 0.7), (1.4, -1.9))


@dataclass(frozen=True, slots=True)
class City:
    """A place to live in."""

    name: str
    country: str
    latitude: float
    longitude: float
    utc_offset_hours: int


COUNTRIES: Final = tuple(f"X{chr(ord('A') + index)}" for index in range(16))
"""XA, XB and XC are where the company is; the first four share a latitude."""


def _cities(index: int, country: str) -> tuple[City, ...]:
    latitude, longitude = _LATITUDES[index // 4], _LONGITUDES[index % 4]
    return tuple(
        City(
            f"{country} {number}",
            country,
            latitude + north,
            longitude + east,
            round(longitude / 15),
        )
        for number, (north, east) in enumerate(_OFFSETS, 1)
    )


CITIES_BY_COUNTRY: Final = {
    country: _cities(index, country) for index, country in enumerate(COUNTRIES)
}
CITIES: Final = tuple(city for cities in CITIES_BY_COUNTRY.values() for city in cities)


def distance_km(one: City, other: City) -> float:
    """Along the great circle."""
    north, south = radians(one.latitude), radians(other.latitude)
    half_lat = (south - north) / 2
    half_lon = radians(other.longitude - one.longitude) / 2
    chord = sin(half_lat) ** 2 + cos(north) * cos(south) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(chord))
