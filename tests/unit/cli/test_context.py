"""``riskstream context``: files, what they change, and scoring by one without Kafka."""

import json
from pathlib import Path

import pytest

from riskstream.cli.context_changes import compare, refuse_hasty
from riskstream.cli.context_file import UserId, read_context, read_context_file
from riskstream.errors import CheckFailedError, ConfigError
from riskstream.events.context import MAX_GROUPS, UserContext
from riskstream.pipeline.mask import Mask
from riskstream.risk.context_rows import ContextRow
from tests.support.cli import invoke, ndjson, one_event

HEADER = "account_id,user_id,groups,privileged,service_account,email,department\n"
SEVEN, EIGHT = UserId(1234, 7), UserId(1234, 8)


def test_a_line_is_a_user() -> None:
    """Groups are sorted, each once; empty lines and blanks around cells do not count."""
    text = (
        HEADER
        + '1234, 7 ,Staff | Admins|Staff,YES,0,user7@example.com,"IT, ""Ops"""\n\n1234,8,,,,,\n'
    )
    assert read_context(text, "f") == {
        SEVEN: UserContext(
            groups=("Admins", "Staff"),
            privileged=True,
            email="user7@example.com",
            department='IT, "Ops"',
        ),
        EIGHT: UserContext(),
    }


@pytest.mark.parametrize("encoded", ["utf-8", "utf-8-sig"])
def test_what_spreadsheets_write_is_taken(tmp_path: Path, encoded: str) -> None:
    """Semicolons, a byte order mark, line ends of either kind, columns in any order and case."""
    path = tmp_path / "users.csv"
    path.write_bytes("Department;USER_ID;groups\r\nBüro;7;A|B\r\n".encode(encoded))
    (context,) = read_context_file(path, account_id=1234).values()
    assert context == UserContext(groups=("A", "B"), department="Büro")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the column user_id is missing"),
        ("user_id\n7\n", "account_id is missing; add it, or give --account"),
        (HEADER.replace("privileged", "priviledged"), "line 1: there is no column 'priviledged'"),
        ("account_id,user_id,user_id\n", "user_id is there twice"),
        (HEADER + "1234,seven,,,,,\n", "line 2: user_id must be a number, not 'seven'"),
        (HEADER + f"1234,{2**63},,,,,\n", "line 2: user_id must be a number"),
        (HEADER + ",7,,,,,\n", "line 2: account_id must be a number, not ''"),
        (HEADER + "1234,7,,maybe,,,\n", "line 2: privileged must be true or false"),
        (HEADER + "1234,7,,,,,\n\n1234,7,,,,,\n", "line 4: user 1234:7 is on line 2 already"),
        (HEADER + "1234,7\n", "line 2: 2 cells, and the header has 7"),
        (HEADER + f"1234,7,,,,{'x' * 257},\n", "line 2: email has 257 characters"),
        (HEADER + "1234,7,a\x07b,,,,\n", "line 2: a group has characters that cannot be shown"),
        (
            HEADER + f"1234,7,{'|'.join(map(str, range(MAX_GROUPS + 1)))},,,,\n",
            "line 2: 257 groups, and 256 are allowed",
        ),
        (HEADER + '1234,7,"a,,,,\n', "not valid CSV"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, told: str) -> None:
    """And nothing is taken of the file."""
    with pytest.raises(ConfigError, match=r"users\.csv") as caught:
        read_context(text, "users.csv")
    assert told in str(caught.value)


def test_all_faults_are_told_at_once_up_to_a_number() -> None:
    """A wrong column would fill the screen."""
    with pytest.raises(ConfigError, match="and 10 more"):
        read_context(HEADER + "x,y,,,,,\n" * 30, "f")


def test_what_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    """A spreadsheet saved as something else."""
    path = tmp_path / "users.csv"
    path.write_bytes(HEADER.encode() + b"1234,7,B\xfcro,,,,\n")
    with pytest.raises(ConfigError, match="line 2: not UTF-8"):
        read_context_file(path)


def test_mail_addresses_are_masked_where_names_are() -> None:
    """By the same hash as in events."""
    mask = Mask(b"0123456789abcdef")
    (context,) = read_context(
        HEADER + "1234,7,,,,User7@example.com,\n", "f", mask=mask.name
    ).values()
    assert context.email == mask.name("user7@example.com")


def _rows(*users: UserId, **changes: UserContext) -> dict[str, ContextRow]:
    context = changes.get("context", UserContext())
    return {str(user): ContextRow(str(user), 1, context) for user in users}


def test_only_what_differs_is_sent() -> None:
    """New, changed, and gone where that is asked for; of the file's accounts alone."""
    nine, other = UserId(1234, 9), UserId(99, 9)
    admin = UserContext(privileged=True)
    users = {SEVEN: admin, EIGHT: UserContext(), UserId(1234, 10): UserContext()}
    rows = _rows(SEVEN, EIGHT, nine, other)
    changes = compare(users, rows, delete_missing=True)
    assert changes.counts() == {"new": 1, "changed": 1, "unchanged": 1, "removed": 1}
    assert [output.key for output in changes.outputs(5)] == [b"1234:10", b"1234:7", b"1234:9"]
    assert not changes.made_in(rows)
    after = {str(user): ContextRow(str(user), 2, context) for user, context in users.items()}
    assert changes.made_in(after)
    assert not changes.made_in(after | _rows(nine))
    assert compare(users, rows, delete_missing=False).removed == []
    assert not compare({EIGHT: UserContext()}, rows, delete_missing=False)


def test_a_file_that_was_cut_short_is_refused() -> None:
    """More than half of those known, and more than a few, would be forgotten."""
    known = _rows(*(UserId(1234, user) for user in range(40)))
    changes = compare({UserId(1234, 0): UserContext()}, known, delete_missing=True)
    with pytest.raises(CheckFailedError, match="39 of 40 users"):
        refuse_hasty(changes, known)
    few = _rows(*(UserId(1234, user) for user in range(5)))
    refuse_hasty(compare({UserId(1234, 0): UserContext()}, few, delete_missing=True), few)


def test_score_goes_by_a_file(tmp_path: Path) -> None:
    """From the first event on, without Kafka; the file's faults are told."""
    path = tmp_path / "users.csv"
    path.write_text("user_id,privileged\n7,yes\n", encoding="utf-8")
    events = b"\n".join(
        json.dumps(one_event(100 + n, 5 if n == 9 else 6)).encode() for n in range(10)
    )
    given = ("--context", str(path), "--account", "1234")
    plain, admin = (
        [
            line["value"]["risk"]
            for line in ndjson(invoke("score", "-", *more, stdin=events).stdout)
            if line["topic"].startswith("iam.scored.")
        ]
        for more in ((), given)
    )
    assert len(plain) == len(admin) == 10
    assert "privileged_user" in admin[-1]["signal_ids"]
    assert plain[-1]["score"] < admin[-1]["score"]
    assert plain[:-1] == admin[:-1]
    refused = invoke("score", "-", "--context", str(path), stdin=events)
    assert refused.exit_code == 2
    assert "give --account" in refused.stderr
