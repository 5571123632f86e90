"""Reference data: what files tell, and what happens when they change."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from riskstream.catalog.loader import load_catalog
from riskstream.config import ReferenceSettings
from riskstream.errors import ConfigError
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.surroundings import Device, Place
from riskstream.reference.agents import device_of
from riskstream.reference.networks import parse_networks
from riskstream.reference.reference import Reference
from tests.support.events import encode, record, rest_event
from tests.support.mmdb import write_mmdb
from tests.support.risk import policy
from tests.support.risk import record as classified_record

PORTO = {
    "country": {"iso_code": "PT"},
    "city": {"names": {"en": "Porto"}},
    "location": {"latitude": 41.15, "longitude": -8.61},
}
CARRIER = {"autonomous_system_number": 64501, "autonomous_system_organization": "Example Carrier"}
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
)


IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Mobile Safari/537.36"
)


def _later(path: Path) -> None:
    """A change that the clock's grain cannot hide."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


class _Told(list[tuple[str, dict[str, object]]]):
    def __call__(self, event: str, **about: object) -> None:
        self.append((event, about))


def _settings(folder: Path) -> ReferenceSettings:
    tor = folder / "tor.txt"
    tor.write_text("# exits\n203.0.113.7\n2001:db8:7::/48  # a block\n", encoding="utf-8")
    return ReferenceSettings(
        geoip_city=write_mmdb(folder / "city.mmdb", {"203.0.113.0/24": PORTO}),
        geoip_asn=write_mmdb(folder / "asn.mmdb", {"203.0.113.0/25": CARRIER}),
        lists={"tor": tor},
    )


def test_an_address_is_looked_up_in_every_file(tmp_path: Path) -> None:
    """What a file does not have stays unknown."""
    reference = Reference(_settings(tmp_path), _Told())
    assert reference.without == ()
    assert reference.place("203.0.113.7") == Place(
        "PT", "Porto", 64501, "Example Carrier", (4115, -861), ("tor",)
    )
    assert reference.place("203.0.113.200") == Place("PT", "Porto", None, None, (4115, -861))
    assert reference.place("2001:db8:7::1") == Place(lists=("tor",))
    assert reference.place("192.0.2.1") == Place()


def test_without_files_nothing_is_known_and_that_is_said() -> None:
    """A default installation."""
    reference = Reference(ReferenceSettings(), _Told())
    assert reference.without == ("asn", "geoip")
    assert reference.place("203.0.113.7") == Place()


def test_a_file_that_changes_is_taken_anew(tmp_path: Path) -> None:
    """And what was remembered of addresses is forgotten."""
    told = _Told()
    settings = _settings(tmp_path)
    reference = Reference(settings, told)
    assert reference.place("192.0.2.9").lists == ()
    path = settings.lists["tor"]
    path.write_text("203.0.113.7\n192.0.2.0/24\n", encoding="utf-8")
    _later(path)
    reference.look()
    assert reference.place("192.0.2.9").lists == ("tor",)
    assert told == [("reference_loaded", {"file": "tor", "entries": 2})]
    reference.look()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("203.0.113.7\nnonsense\n", "line 2: nonsense"),
        ("203.0.113.7\n", "from 2 entries to 1"),
        ("", "from 2 entries to 0"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_or_shrunken_file_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    """The one before it stays in use, and the refusal is told and shown."""
    told = _Told()
    settings = _settings(tmp_path)
    reference = Reference(settings, told)
    path = settings.lists["tor"]
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
        _later(path)
    reference.look()
    assert reference.place("2001:db8:7::1").lists == ("tor",)
    ((event, about),) = told
    assert event == "reference_refused"
    assert says in str(about["reason"])
    assert reference.refusals()["tor"] == 1
    assert reference.sizes()["tor"] == 2


def test_what_cannot_be_read_at_the_start_is_a_message(tmp_path: Path) -> None:
    """Nothing starts half blind."""
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"no database")
    with pytest.raises(ConfigError, match="MMDB file"):
        Reference(ReferenceSettings(geoip_city=broken), _Told())
    with pytest.raises(ConfigError, match="cannot be read"):
        Reference(ReferenceSettings(lists={"tor": tmp_path / "none"}), _Told())


def test_odd_records_of_a_file_are_unknown(tmp_path: Path) -> None:
    """Another form of file, or damage."""
    odd: dict[str, Any] = {"country": {"iso_code": 7}, "city": [], "location": {"latitude": "x"}}
    path = write_mmdb(tmp_path / "odd.mmdb", {"203.0.113.0/24": odd})
    reference = Reference(ReferenceSettings(geoip_city=path, geoip_asn=path), _Told())
    assert reference.place("203.0.113.7") == Place()


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (WINDOWS, Device("desktop", "Windows", "Chrome")),
        (
            IPAD,
            Device("tablet", "iOS", "Mobile Safari"),
        ),
        (
            PHONE,
            Device("mobile", "Android", "Chrome Mobile"),
        ),
        ("curl/8.5.0", Device("automated", None, "curl")),
        ("python-requests/2.31", Device("automated", None, "Python Requests")),
        ("", Device()),
        ("\x00" * 9000, Device()),
    ],
)
def test_user_agents(agent: str, device: Device) -> None:
    """Type, system and browser, as far as they are recognised."""
    assert device_of(agent) == device


def test_networks_of_any_length() -> None:
    """Single addresses and blocks of both families."""
    networks = parse_networks("192.0.2.0/25\n198.51.100.9\n2001:db8::/32\n", "list")
    assert len(networks) == 3
    for inside in ("192.0.2.127", "198.51.100.9", "2001:db8:ffff::1"):
        assert inside in networks
    for outside in ("192.0.2.128", "198.51.100.8", "2001:db9::1", "no address", 7):
        assert outside not in networks


def _through(reference: Reference, **event: Any) -> dict[str, Any]:
    """A raw event through both stages."""
    ingest = Ingest(load_catalog(), Limits(), None, reference)
    (output,) = ingest([record(encode(rest_event(event_type_id=5, **event)))]).outputs
    source = classified_record(output.value)
    (scored,) = Assess(policy(), Limits())([source], PartitionState()).outputs
    value: dict[str, Any] = json.loads(scored.value or b"")
    return value


def test_a_scored_event_says_what_was_found(tmp_path: Path) -> None:
    """In ``source``; the score has what follows from it."""
    value = _through(
        Reference(_settings(tmp_path), _Told()), ipaddr="203.0.113.7", user_agent=WINDOWS
    )
    assert value["source"] == {
        "ip": "203.0.113.7",
        "user_agent": WINDOWS,
        "country": "PT",
        "city": "Porto",
        "asn": 64501,
        "operator": "Example Carrier",
        "device": "desktop",
        "system": "Windows",
        "browser": "Chrome",
        "lists": ["tor"],
    }
    assert "listed_address" in value["risk"]["signal_ids"]
    assert "without" not in value["risk"]


def test_a_scored_event_says_what_could_not_be_known() -> None:
    """Only where there was an address to be looked up."""
    reference = Reference(ReferenceSettings(), _Told())
    assert _through(reference, ipaddr="203.0.113.7")["risk"]["without"] == ["asn", "geoip"]
    assert "without" not in _through(reference, ipaddr=None)["risk"]
