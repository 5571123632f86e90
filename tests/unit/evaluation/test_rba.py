"""The loader of the public dataset's CSV, on rows made up in its layout."""

from pathlib import Path

import pytest

from evaluation import rba
from evaluation.cli import WRONG_USE, main
from evaluation.contenders.freeman import Freeman

HEAD = (
    "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,"
    "User Agent String,Browser Name and Version,OS Name and Version,Device Type,Login Successful,"
    "Is Attack IP,Is Account Takeover"
)
AGENT = '"Mozilla/5.0 (Windows NT 10.0, Win64) Chrome/79",Chrome 79.0,Windows 10,desktop'


def _row(number: int, user: int, address: str, *, success: bool = True, taken: bool = False) -> str:
    time = f"2020-02-03 12:{number // 60:02d}:{number % 60:02d}.123"
    return f"{number},{time},{user},,{address},NO,Oslo,-,64500,{AGENT},{success},False,{taken}"


def _file(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "rba-dataset.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def test_it_reads_the_columns_by_name(tmp_path: Path) -> None:
    """Quoted fields, empty columns that are not needed, and the time in milliseconds."""
    path = _file(tmp_path, _row(0, -7, "192.0.2.1"), _row(61, 8, "192.0.2.2", success=False))
    first, second = rba.read_logins(path)

    assert first.at_ms == 1_580_731_200_123
    assert (first.user, first.address) == ("-7", ("192.0.2.1", "64500", "NO"))
    assert first.agent == (
        "Mozilla/5.0 (Windows NT 10.0, Win64) Chrome/79",
        "Chrome 79.0",
        "Windows 10",
        "desktop",
    )
    assert (first.success, second.success) == (True, False)


def test_rows_with_an_empty_field_are_left_out(tmp_path: Path) -> None:
    """As the authors do."""
    path = _file(tmp_path, _row(0, 1, ""), _row(1, 1, "192.0.2.1"))
    assert [row.address[0] for row in rba.read_logins(path)] == ["192.0.2.1"]


def test_a_file_that_is_not_the_dataset_is_refused(tmp_path: Path) -> None:
    """It says which column is missing, or on which line the time is none."""
    with pytest.raises(rba.RbaFileError, match="no column User ID"):
        list(rba.read_logins(_file(tmp_path, head=HEAD.replace("User ID", "Name"))))
    row = _row(0, 1, "192.0.2.1").replace("2020-02-03 12:00:00.123", "soon")
    with pytest.raises(rba.RbaFileError, match="line 2: 'soon' is no time"):
        list(rba.read_logins(_file(tmp_path, row)))


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too short for the published logins, or not there."""
    assert main(["rba", str(_file(tmp_path, _row(0, 1, "192.0.2.1")))]) == WRONG_USE
    assert "successful logins in its first million rows" in " ".join(
        capsys.readouterr().err.split()
    )
    assert main(["rba", str(tmp_path / "none.csv")]) == WRONG_USE


def test_takeovers_are_scored_against_what_came_before(tmp_path: Path) -> None:
    """They are not learned from; without a history they are told apart."""
    rows = [_row(number, number % 5, f"192.0.2.{number % 5}") for number in range(200)]
    rows.append(_row(300, 3, "203.0.113.9", taken=True))
    rows.append(_row(301, 99, "203.0.113.9", taken=True))
    found = rba.takeovers(rba.read_logins(_file(tmp_path, *rows)), (0.1,))

    assert (found.ordinary, found.takeovers, found.unscored) == (195, 2, 1)
    assert found.caught == {0.1: 1.0}


def test_the_check_compares_as_the_authors_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a small file in place of the large: scores of a stretch, thinned by all of the rows."""
    rows = [_row(number, number % 7, f"192.0.2.{number % 11}") for number in range(90)]
    path = _file(tmp_path, *rows)
    everything, past = Freeman(), None
    logins = list(rba.read_logins(path))
    for row in logins:
        everything.add(row.user, (row.address, row.agent))
    past = Freeman(around=everything)
    expected = []
    for number, row in enumerate(logins[:60]):
        if number >= 40:
            expected.append(past.score(row.user, (row.address, row.agent)))
        past.add(row.user, (row.address, row.agent))
    monkeypatch.setattr(rba, "FIRST_PUBLISHED", 40)
    monkeypatch.setattr(rba, "PUBLISHED_LOGINS", 20)
    monkeypatch.setattr(rba, "PUBLISHED_SCORES", tuple(expected))

    assert rba.check_published(path) == rba.Comparison(20, 0.0)

    monkeypatch.setattr(rba, "PUBLISHED_SCORES", (2 * (expected[0] or 0), *expected[1:]))
    assert rba.check_published(path).worst == pytest.approx(0.5)
