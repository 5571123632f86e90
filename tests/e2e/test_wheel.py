"""What the built wheel brings, seen from an environment that has nothing else of riskstream."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import environment, run

ROOT = Path(__file__).resolve().parents[2]
LIST_PACKAGE = """
import json, sys
from pathlib import Path
import riskstream
home = Path(riskstream.__file__).parent
files = [str(path.relative_to(home)) for path in home.rglob("*")
         if path.is_file() and path.suffix != ".pyc"]
json.dump({"home": str(home), "prefix": sys.prefix, "files": files}, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where the installed package lies, where its environment, and which files it has."""

    home: str
    prefix: str
    files: list[str]


@pytest.fixture(scope="module")
def listing(installed_riskstream: Path) -> Listing:
    """Where the installed package lies and which files it has."""
    done = subprocess.run(
        [str(installed_riskstream.parent / "python"), "-c", LIST_PACKAGE],
        capture_output=True,
        check=True,
        timeout=120,
        env=environment(),
    )
    return Listing(**json.loads(done.stdout))


def test_the_package_comes_from_the_wheel(listing: Listing) -> None:
    """Not from the working tree, which an editable install would use."""
    assert Path(listing.home).is_relative_to(listing.prefix)
    assert not Path(listing.home).is_relative_to(ROOT)


def test_the_wheel_has_every_file_of_the_package_and_the_schemas(
    listing: Listing,
) -> None:
    """Code, the type marker, the catalog, the policy and the published schemas."""
    package = ROOT / "src" / "riskstream"
    schemas = ROOT / "schemas"
    expected = {
        *(str(path.relative_to(package)) for path in _files(package)),
        *(f"schemas/{path.relative_to(schemas)}" for path in _files(schemas)),
    }
    assert {"py.typed", "catalog/event_types.tsv"} <= expected
    assert {*listing.files} == expected


def test_the_installed_command_says_its_version(installed_riskstream: Path) -> None:
    """The entry point works."""
    done = run(["--version"], command=installed_riskstream)
    assert done.returncode == 0
    assert done.stdout.startswith(b"riskstream ")


def _files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and path.suffix != ".pyc"]
