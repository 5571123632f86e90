"""The CSV file of ``riskstream context load``: one user a line, every fault told with its line."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from typing_extensions import override

from riskstream.cli.options import opened_file
from riskstream.errors import ConfigError
from riskstream.events.context import (
    MAX_GROUPS,
    MAX_TEXT_CHARACTERS,
    MAX_USER_ID,
    UserContext,
)

__all__ = ["COLUMNS", "GROUP_SEPARATOR", "UserId", "read_context", "read_context_file"]

GROUP_SEPARATOR: Final = "|"
COLUMNS: Final = (
    "account_id",
    "user_id",
    "groups",
    "privileged",
    "service_account",
    "email",
    "department",
)
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
SHOWN_FAULTS: Final = 20
_YES: Final = frozenset({"true", "yes", "y", "1"})
_NO: Final = frozenset({"false", "no", "n", "0", ""})


class UserId(NamedTuple):
    """Whom a line is about."""

    account_id: int
    user_id: int

    @override
    def __str__(self) -> str:
        return f"{self.account_id}:{self.user_id}"


def read_context_file(
    name: str | Path, account_id: int | None = None, mask: Callable[[str], str] | None = None
) -> dict[UserId, UserContext]:
    """What a file, or standard input for ``-``, says of users; ``read_context`` has the rest.

    Raises:
        ConfigError: It cannot be read or has faults.
    """
    with opened_file(str(name)) as (file, _):
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_FILE_BYTES} bytes; load it in parts.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ConfigError(
            f"{name}, line {line}: not UTF-8. Save it as CSV UTF-8 and load it again."
        ) from fault
    return read_context(text, str(name), account_id, mask)


def read_context(
    text: str,
    name: str,
    account_id: int | None = None,
    mask: Callable[[str], str] | None = None,
) -> dict[UserId, UserContext]:
    """Each user's context, in the order of the lines.

    Args:
        text: A header line that names ``COLUMNS`` in any order, of which ``user_id`` must be
            there; then a line per user. Commas or semicolons, whichever the header line has.
        name: What messages call it.
        account_id: Of lines that have none.
        mask: For e-mail addresses.

    Raises:
        ConfigError: It has faults; the first ones are listed with their lines.
    """
    try:
        users, faults = _read(text, account_id, mask)
    except csv.Error as fault:
        raise ConfigError(f"{name} is not valid CSV: {fault}.") from fault
    if faults:
        more = len(faults) - SHOWN_FAULTS
        lines = [f"  {each}" for each in faults[:SHOWN_FAULTS]]
        lines += [f"  and {more} more"] if more > 0 else []
        raise ConfigError(f"{name} has faults; nothing was loaded:\n" + "\n".join(lines))
    return users


def _read(
    text: str, account_id: int | None, mask: Callable[[str], str] | None
) -> tuple[dict[UserId, UserContext], list[str]]:
    head = text[: text.find("\n") + 1] or text
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    faults = list(_header_faults(header, account_id))
    users: dict[UserId, UserContext] = {}
    lines: dict[UserId, int] = {}
    if faults:
        return users, faults
    for row in _rows(reader):
        line, cells = reader.line_num, [cell.strip() for cell in row]
        if len(cells) != len(header):
            faults.append(f"line {line}: {len(cells)} cells, and the header has {len(header)}")
            continue
        try:
            user, context = _user(dict(zip(header, cells, strict=True)), account_id, mask)
        except ValueError as fault:
            faults.append(f"line {line}: {fault}")
            continue
        if user in lines:
            faults.append(f"line {line}: user {user} is on line {lines[user]} already")
            continue
        users[user], lines[user] = context, line
    return users, faults


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Without empty lines."""
    return (row for row in reader if any(cell.strip() for cell in row))


def _header_faults(header: list[str], account_id: int | None) -> Iterator[str]:
    for column in header:
        if column not in COLUMNS:
            known = ", ".join(COLUMNS)
            yield f"line 1: there is no column {column!r}; there are {known}"
        elif header.count(column) > 1:
            yield f"line 1: the column {column} is there twice"
            return
    if "user_id" not in header:
        yield "line 1: the column user_id is missing"
    if "account_id" not in header and account_id is None:
        yield "line 1: the column account_id is missing; add it, or give --account"


def _user(
    cells: Mapping[str, str], account_id: int | None, mask: Callable[[str], str] | None
) -> tuple[UserId, UserContext]:
    account = cells.get("account_id") or ("" if account_id is None else str(account_id))
    email = _text(cells, "email")
    return UserId(_number("account_id", account), _number("user_id", cells["user_id"])), (
        UserContext(
            groups=_groups(cells.get("groups", "")),
            privileged=_flag(cells, "privileged"),
            service_account=_flag(cells, "service_account"),
            email=email if email is None or mask is None else mask(email),
            department=_text(cells, "department"),
        )
    )


def _number(column: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > MAX_USER_ID:
        raise ValueError(f"{column} must be a number, not {text[:40]!r}")
    return int(text)


def _flag(cells: Mapping[str, str], column: str) -> bool:
    text = cells.get(column, "").lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ValueError(f"{column} must be true or false (yes, no, 1, 0), not {text[:40]!r}")


def _groups(text: str) -> tuple[str, ...]:
    groups = sorted({each.strip() for each in text.split(GROUP_SEPARATOR)} - {""})
    if len(groups) > MAX_GROUPS:
        raise ValueError(f"{len(groups)} groups, and {MAX_GROUPS} are allowed")
    return tuple(_bounded("a group", group) for group in groups)


def _text(cells: Mapping[str, str], column: str) -> str | None:
    return _bounded(column, cells.get(column, "")) or None


def _bounded(what: str, text: str) -> str:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ValueError(f"{what} has {len(text)} characters, and {MAX_TEXT_CHARACTERS} may be")
    if not text.isprintable():
        raise ValueError(f"{what} has characters that cannot be shown")
    return text
