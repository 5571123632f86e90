"""Reads the catalog: the data that is shipped, and an operator's overlay on it."""

from importlib import resources
from pathlib import Path

from riskstream.catalog.catalog import Catalog
from riskstream.catalog.entry import CatalogEntry
from riskstream.catalog.rows import Row, read_rows
from riskstream.catalog.validation import build_entry, find_duplicates, find_shared_names
from riskstream.errors import CatalogError

__all__ = ["load_catalog"]

DATA_FILE = "event_types.tsv"


def load_catalog(overlay: Path | None = None) -> Catalog:
    """The catalog as shipped, or with an operator's rows over it.

    Args:
        overlay: A file in the form of ``event_types.tsv``. A row with a known id changes that
            event type: an empty cell keeps what is shipped, ``-`` empties it. A row with a new
            id adds one and must be complete.

    Raises:
        CatalogError: The overlay cannot be read, or rows have faults; the text lists every one
            with its file, line and field.
    """
    faults: list[str] = []
    data = resources.files(__package__).joinpath(DATA_FILE).read_bytes()
    entries = _shipped(read_rows(DATA_FILE, data, faults), faults)
    if overlay is not None and not faults:
        rows = read_rows(str(overlay), _read(overlay), faults)
        entries = _overlaid(entries, rows, faults)
    if faults:
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise CatalogError(f"The catalog has {count}:\n" + "\n".join(f"  {f}" for f in faults))
    return Catalog(tuple(entries))


def _shipped(rows: list[Row], faults: list[str]) -> list[CatalogEntry]:
    find_duplicates(rows, faults)
    find_shared_names(rows, {}, faults)
    return [entry for row in rows if (entry := build_entry(row, faults)) is not None]


def _overlaid(
    shipped: list[CatalogEntry], rows: list[Row], faults: list[str]
) -> list[CatalogEntry]:
    known = {str(entry.id): entry for entry in shipped if entry.id is not None}
    find_duplicates(rows, faults)
    merged = [row.over(known.get(row.cells["id"])) for row in rows]
    untouched = known.keys() - {row.cells["id"] for row in rows}
    find_shared_names(merged, {known[key].api_name: key for key in untouched}, faults)
    changed = dict(known)
    for row in merged:
        if not row.cells["id"]:
            faults.append(f"{row.place}: id: an overlay's row needs one")
        elif (entry := build_entry(row, faults)) is not None:
            changed[str(entry.id)] = entry
    without_id = [entry for entry in shipped if entry.id is None]
    return sorted(changed.values(), key=lambda entry: entry.id or 0) + without_id


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise CatalogError(
            f"The catalog overlay {path} cannot be read: {fault.strerror or fault}. "
            "Correct catalog.overlay in the settings."
        ) from fault
