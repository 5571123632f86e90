"""GeoIP and ASN from an operator's MMDB files, read by ``maxminddb``."""

from pathlib import Path
from typing import Any, Final

from riskstream.errors import ConfigError

__all__ = ["GeoFile", "asn_of", "location_of"]

_MAX_TEXT: Final = 100
_MAX_ASN: Final = (1 << 32) - 1
_HUNDREDTHS: Final = 100
_COUNTRY_LENGTH: Final = 2


class GeoFile:
    """One open MMDB file.

    Raises:
        ConfigError: ``maxminddb`` is not installed, or the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            import maxminddb  # noqa: PLC0415  (an extra: only who names a file needs it)
        except ImportError as fault:
            raise ConfigError(
                "MMDB files are read by maxminddb, which is not installed: "
                "pip install 'riskstream[reference]'."
            ) from fault
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, maxminddb.InvalidDatabaseError) as fault:
            raise ConfigError(f"The MMDB file {path} cannot be read: {fault}.") from fault
        self.size: int = self._reader.metadata().node_count

    def get(self, address: str) -> dict[str, Any]:
        """What the file has of an address; empty where it has nothing, or the file is damaged."""
        try:
            found = self._reader.get(address)
        except Exception:  # noqa: BLE001  (damage shows at the record; scoring goes on without it)
            return {}
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def location_of(found: dict[str, Any]) -> tuple[str | None, str | None, tuple[int, int] | None]:
    """Country, city and position of a record in the form of GeoLite2 City or Country."""
    code = _part(found, "country").get("iso_code")
    country = code if isinstance(code, str) and len(code) == _COUNTRY_LENGTH else None
    name = _part(_part(found, "city"), "names").get("en")
    city = name[:_MAX_TEXT] if isinstance(name, str) and name else None
    location = _part(found, "location")
    latitude, longitude = location.get("latitude"), location.get("longitude")
    position = None
    if isinstance(latitude, float | int) and isinstance(longitude, float | int):
        position = (round(latitude * _HUNDREDTHS), round(longitude * _HUNDREDTHS))
    return country, city, position


def asn_of(found: dict[str, Any]) -> tuple[int | None, str | None]:
    """Number and name of a record in the form of GeoLite2 ASN."""
    number = found.get("autonomous_system_number")
    name = found.get("autonomous_system_organization")
    asn = number if isinstance(number, int) and 0 < number <= _MAX_ASN else None
    return asn, name[:_MAX_TEXT] if isinstance(name, str) and name else None


def _part(of: dict[str, Any], name: str) -> dict[str, Any]:
    part = of.get(name)
    return part if isinstance(part, dict) else {}
