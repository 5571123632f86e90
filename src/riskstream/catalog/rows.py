"""The catalog's file form: tab-separated text with a header, one row per line."""

from dataclasses import asdict, dataclass, fields, replace

from riskstream.catalog.entry import CatalogEntry

__all__ = ["COLUMNS", "Row", "read_rows", "to_cells", "to_object"]

COLUMNS = tuple(field.name for field in fields(CatalogEntry))
"""The header, and the order of the cells."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line, not yet checked."""

    file: str
    line: int
    cells: dict[str, str]
    """By column, without blanks at the ends."""

    @property
    def place(self) -> str:
        """``file:line``, the start of every fault."""
        return f"{self.file}:{self.line}"

    def over(self, entry: CatalogEntry | None) -> "Row":
        """This row laid over a shipped one: an empty cell keeps what is shipped, ``-`` empties.

        With no entry to lie over, only ``-`` is resolved.
        """
        shipped = to_cells(entry) if entry is not None else dict.fromkeys(COLUMNS, "")
        cells = {name: self.cells[name] or shipped[name] for name in COLUMNS}
        if self.cells["change"] == "-" and not self.cells["scope"]:
            cells["scope"] = ""
        return replace(self, cells={k: "" if v == "-" else v for k, v in cells.items()})


def to_cells(entry: CatalogEntry) -> dict[str, str]:
    """An entry as the cells that read back to it; ``scope`` stands beside ``change`` alone."""
    cells = {name: "" if value is None else str(value) for name, value in asdict(entry).items()}
    if entry.change is None:
        cells["scope"] = ""
    return cells


def to_object(entry: CatalogEntry) -> dict[str, str | int]:
    """An entry as ``catalog.v1.schema.json`` has it: JSON values, empty parts left out."""
    filled: dict[str, str | int] = {name: cell for name, cell in to_cells(entry).items() if cell}
    if entry.id is not None:
        filled["id"] = entry.id
    return filled


def read_rows(file: str, data: bytes, faults: list[str]) -> list[Row]:
    """Split a file into rows; blank lines and lines that start with ``#`` are passed over.

    Args:
        file: Name for faults.
        data: UTF-8, with or without a byte order mark; lines end in LF or CRLF.
        faults: Gets a line for bad encoding, a wrong header and each row of a wrong width.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        number = data.count(b"\n", 0, fault.start) + 1
        faults.append(f"{file}:{number}: not UTF-8: {fault.reason}")
        return []
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if tuple(lines[0].split("\t")) != COLUMNS:
        faults.append(f"{file}:1: the header must be, tab-separated: {' '.join(COLUMNS)}")
        return []
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(COLUMNS):
            faults.append(f"{file}:{number}: {len(cells)} columns, not {len(COLUMNS)}")
            continue
        rows.append(Row(file, number, dict(zip(COLUMNS, cells, strict=True))))
    return rows
