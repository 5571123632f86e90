"""The public RBA dataset (Wiefling et al., CC BY 4.0) for whoever has its CSV.

It cannot be shipped: more than eight gigabytes. The file is read as a stream; what is kept are the
histories of its users. ``check_published`` compares our Freeman scorer with the scores that the
authors publish for 24 logins of the first million rows.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from evaluation.contenders.freeman import Freeman, Values

__all__ = [
    "PUBLISHED_SCORES",
    "Comparison",
    "RbaFileError",
    "RbaLogin",
    "Takeovers",
    "check_published",
    "read_logins",
    "takeovers",
]

COLUMNS: Final = {
    "time": "Login Timestamp",
    "user": "User ID",
    "address": "IP Address",
    "country": "Country",
    "asn": "ASN",
    "agent": "User Agent String",
    "browser": "Browser Name and Version",
    "system": "OS Name and Version",
    "device": "Device Type",
    "success": "Login Successful",
    "takeover": "Is Account Takeover",
}
"""The columns that are read, by what they mean here."""
PUBLISHED_ROWS: Final = 1_000_000
FIRST_PUBLISHED: Final = 50_000
PUBLISHED_LOGINS: Final = 50
PUBLISHED_SCORES: Final = (
    0.001735608896331267,
    0.0003131930911696338,
    0.00038481209981864445,
    0.00023380343388881817,
    0.0062984271682455266,
    0.024024171011906934,
    0.36241860205465537,
    0.0003489615152250577,
    0.00048701529441907065,
    1.2462230273339967,
    0.00025999322274249494,
    0.00021976714969851479,
    0.47014766381586093,
    0.0009798412309385818,
    0.0841229474444737,
    0.4421278704947991,
    0.01472119251257646,
    0.03366013914910071,
    0.000483684972634349,
    0.0002568913432172573,
    0.0045807146185027755,
    1.176522284255606e-05,
    0.0006543352945740962,
    0.0009051562075623795,
)
"""Of the successful logins 50,001 to 50,050, by time, those whose user had logged in before."""


class RbaFileError(Exception):
    """The file is not the dataset."""


@dataclass(frozen=True, slots=True)
class RbaLogin:
    """One row."""

    at_ms: int
    user: str
    address: Values
    """Address, autonomous system, country."""
    agent: Values
    """User agent, browser, system, device type."""
    success: bool
    takeover: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of our scores with the published ones."""

    logins: int
    worst: float
    """Largest relative difference."""


@dataclass(frozen=True, slots=True)
class Takeovers:
    """How the takeovers of the dataset stand out, by Freeman's score."""

    ordinary: int
    takeovers: int
    unscored: int
    """Takeovers of accounts without a login before."""
    caught: dict[float, float]
    """By challenge rate, the share of the scored takeovers above it."""


def read_logins(path: Path, most: int | None = None) -> Iterator[RbaLogin]:
    """The rows, in their order; those with an empty field are left out, as the authors do.

    Raises:
        RbaFileError: A column is missing, or a time cannot be read; says which, and the line.
        OSError: The file cannot be read.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS.values() if name not in (reader.fieldnames or ())]
        if missing:
            raise RbaFileError(f"{path} has no column {', '.join(missing)}.")
        for line, row in enumerate(islice(reader, most), 2):
            fields = {short: row[name] for short, name in COLUMNS.items()}
            if all(fields.values()):
                yield _login(fields, path, line)


def check_published(path: Path) -> Comparison:
    """Score the published logins and compare.

    The authors thin an address by what lies within it in all of their rows, later ones included.

    Raises:
        RbaFileError: It is not the dataset.
    """
    rows = [row for row in read_logins(path, PUBLISHED_ROWS) if row.success]
    if len(rows) < FIRST_PUBLISHED + PUBLISHED_LOGINS:
        raise RbaFileError(f"{path} has {len(rows)} successful logins in its first million rows.")
    rows.sort(key=lambda row: row.at_ms)
    everything = Freeman()
    for row in rows:
        everything.add(row.user, (row.address, row.agent))
    freeman = Freeman(around=everything)
    ours: list[float] = []
    for number, row in enumerate(rows[: FIRST_PUBLISHED + PUBLISHED_LOGINS]):
        if number >= FIRST_PUBLISHED:
            score = freeman.score(row.user, (row.address, row.agent))
            ours += [] if score is None else [score]
        freeman.add(row.user, (row.address, row.agent))
    if len(ours) != len(PUBLISHED_SCORES):
        raise RbaFileError(
            f"{len(ours)} of the published logins have a history; {len(PUBLISHED_SCORES)} should."
        )
    worst = max(abs(one - other) / other for one, other in zip(ours, PUBLISHED_SCORES, strict=True))
    return Comparison(len(ours), worst)


def takeovers(rows: Iterable[RbaLogin], rates: tuple[float, ...]) -> Takeovers:
    """Run the scorer over the rows, which must be in order of time."""
    freeman = Freeman()
    ordinary: list[float] = []
    taken: list[float] = []
    unscored = 0
    for row in rows:
        if not row.success:
            continue
        features = (row.address, row.agent)
        score = freeman.score(row.user, features)
        if row.takeover:
            unscored += score is None
            taken += [] if score is None else [score]
        else:
            ordinary += [] if score is None else [score]
            freeman.add(row.user, features)
    ordinary.sort(reverse=True)
    caught = {}
    for rate in rates:
        number = int(rate * len(ordinary))
        cut = ordinary[number] if number < len(ordinary) else float("-inf")
        caught[rate] = sum(score > cut for score in taken) / len(taken) if taken else float("nan")
    return Takeovers(len(ordinary), len(taken) + unscored, unscored, caught)


def _login(fields: dict[str, str], path: Path, line: int) -> RbaLogin:
    try:
        when = datetime.fromisoformat(fields["time"]).replace(tzinfo=UTC)
    except ValueError as fault:
        raise RbaFileError(f"{path}, line {line}: {fields['time']!r} is no time.") from fault
    return RbaLogin(
        round(when.timestamp() * 1000),
        fields["user"],
        (fields["address"], fields["asn"], fields["country"]),
        (fields["agent"], fields["browser"], fields["system"], fields["device"]),
        fields["success"] == "True",
        fields["takeover"] == "True",
    )
