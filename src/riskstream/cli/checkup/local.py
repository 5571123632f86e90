"""What lies on this machine: policy, catalog, reference data, state directory."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from riskstream import __version__
from riskstream.catalog.loader import load_catalog
from riskstream.cli.checkup.finding import Finding, fail, ok, skipped, warn
from riskstream.errors import CatalogError, ConfigError, PolicyError
from riskstream.risk.loader import load_policy

if TYPE_CHECKING:
    from riskstream.config import Settings

__all__ = ["judge_local"]

LEAST_FREE_BYTES: Final = 1_073_741_824
GIB: Final = 1_073_741_824


def judge_local(settings: "Settings") -> Iterator[Finding]:
    """Everything that needs no Kafka."""
    yield ok("riskstream", f"version {__version__}")
    yield _policy(settings)
    yield _catalog(settings)
    yield _reference(settings)
    yield _state(settings)


def _policy(settings: "Settings") -> Finding:
    source = settings.risk.policy or "shipped"
    try:
        policy = load_policy(settings.risk.policy)
    except (PolicyError, ConfigError) as fault:
        return fail("policy", str(fault), f"riskstream policy check {settings.risk.policy}")
    return ok("policy", f"{policy.version} ({source})")


def _catalog(settings: "Settings") -> Finding:
    overlay = settings.catalog.overlay
    try:
        catalog = load_catalog(overlay)
    except (CatalogError, ConfigError) as fault:
        return fail(
            "catalog", str(fault), f"mend {overlay}; docs/events-and-catalog.md has its form"
        )
    over = f", with {overlay} over it" if overlay else ""
    return ok("catalog", f"{len(catalog)} event types{over}")


def _untold(_event: str, /, **_about: object) -> None:
    """Files are read once, so nothing happens to them."""


def _reference(settings: "Settings") -> Finding:
    from riskstream.reference.reference import Reference

    check = "reference"
    try:
        reference = Reference(settings.reference, _untold)
    except ConfigError as fault:
        return fail(check, str(fault), "mend the file, or take its name out of the settings")
    files = ", ".join(f"{name} ({entries:.0f})" for name, entries in reference.sizes().items())
    if reference.without:
        return skipped(
            check,
            f"no {' and no '.join(reference.without)} file: signals about countries, networks' "
            f"operators and travel are silent{f'; in use: {files}' if files else ''}",
            "name reference.geoip_city and reference.geoip_asn; docs/risk.md says how",
        )
    return ok(check, files)


def _state(settings: "Settings") -> Finding:
    check, state = "state", settings.state
    if state.store == "memory":
        return ok(check, "in memory: every start reads the tables from Kafka")
    if importlib.util.find_spec("rocksdict") is None:
        return fail(
            check,
            "state.store is rocksdict, which is not installed",
            "pip install 'riskstream[rocksdict]'",
        )
    place = _existing(Path(state.directory).absolute())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fail(
            check,
            f"{state.directory} cannot be written by this user",
            "name another with RISKSTREAM_STATE__DIRECTORY, or give this user the right",
        )
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return warn(
            check,
            f"{state.directory}: {free / GIB:.1f} GiB free",
            "make room: with a full disk the worker stops",
        )
    return ok(check, f"{state.directory}: writable, {free / GIB:.0f} GiB free")


def _existing(path: Path) -> Path:
    """The path, or the nearest directory above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), path)
