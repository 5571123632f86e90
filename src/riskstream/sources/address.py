"""Where an account's API is. Pure."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from riskstream.config import PollSettings
from riskstream.errors import ConfigError

__all__ = ["api_address"]


def api_address(settings: PollSettings) -> str:
    """``https://…`` of the account's API, without a path.

    Raises:
        ConfigError: Not exactly one of subdomain, region and base_url is given, or the last is
            no address that may be sent a secret.
    """
    given = [name for name in ("subdomain", "region", "base_url") if getattr(settings, name)]
    if len(given) != 1:
        raise ConfigError(
            "Say which account to poll: poll.subdomain (example for example.onelogin.com), or "
            f"poll.region, or poll.base_url; {' and '.join(given) or 'none'} is given."
        )
    if settings.subdomain:
        return f"https://{settings.subdomain}.onelogin.com"
    if settings.region:
        return f"https://api.{settings.region}.onelogin.com"
    return _checked(settings.base_url or "")


def _checked(address: str) -> str:
    parts = urlsplit(address)
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))
    if not secure or not parts.hostname or parts.query or parts.username:
        raise ConfigError(
            f"poll.base_url is {address!r}; it must be https:// with a host (http:// to loopback "
            "alone, since the client secret goes there)."
        )
    return address.rstrip("/")


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
