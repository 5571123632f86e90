"""Where the API is, and where no secret may be sent."""

import pytest

from riskstream.config import PollSettings
from riskstream.errors import ConfigError
from riskstream.sources.address import api_address


def test_each_way_to_name_an_account() -> None:
    """Subdomain, region, or a whole address."""
    assert api_address(PollSettings(subdomain="example")) == "https://example.onelogin.com"
    assert api_address(PollSettings(region="eu")) == "https://api.eu.onelogin.com"
    assert api_address(PollSettings(base_url="https://api.example.com/")) == (
        "https://api.example.com"
    )
    assert api_address(PollSettings(base_url="http://127.0.0.1:8000")) == "http://127.0.0.1:8000"
    assert api_address(PollSettings(base_url="http://[::1]:80")) == "http://[::1]:80"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"subdomain": "example", "region": "us"},
        {"base_url": "http://api.example.com"},
        {"base_url": "http://192.0.2.1"},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "https://"},
        {"base_url": "https://user:word@example.com"},
        {"base_url": "api.example.com"},
    ],
)
def test_anything_else_is_refused(given: dict[str, str]) -> None:
    """Not exactly one, or one that would show the secret to the network."""
    with pytest.raises(ConfigError, match=r"poll\."):
        api_address(PollSettings(**given))  # type: ignore[arg-type]
