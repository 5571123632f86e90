"""Rows of the tables as they stand at the time of looking."""

import pytest

from riskstream.cli.output import console
from riskstream.cli.table_view import TABLES
from riskstream.errors import KafkaFaultError
from riskstream.events.times import parse_time
from riskstream.events.vocabulary import Change, FailureKind, LockScope
from riskstream.risk.loader import load_policy
from riskstream.risk.standing import Cause, Judging, StandingEvent, fold_standing
from riskstream.risk.standing_rows import encode_standing
from riskstream.windows.failures import FailuresRow, fold_failure
from riskstream.windows.lockouts import LockChange, Register, fold_change
from riskstream.windows.rows import encode_failures, encode_lockouts

NOW = parse_time("2026-11-23T13:00:00.000Z")
MINUTE = 60_000
JUDGING = Judging.of("p", load_policy().standing)


def failures(subject: str, *minutes_ago: int) -> bytes:
    """A row with a failed login at each of these times before now, oldest first."""
    row: FailuresRow | None = None
    for offset, ago in enumerate(minutes_ago):
        row = fold_failure(row, subject, FailureKind.LOGIN, NOW - ago * MINUTE, offset)
    assert row is not None
    return encode_failures(row)


def lockout(subject: str, minutes_ago: int, lasts: int | None) -> bytes:
    """A row with one lock of the account."""
    until = None if lasts is None else NOW + (lasts - minutes_ago) * MINUTE
    register = Register(NOW - minutes_ago * MINUTE, "1:1", 19, until)
    change = LockChange(Change.LOCK, LockScope.ACCOUNT, register)
    return encode_lockouts(fold_change(None, subject, change, 0))


def text(table: str, values: list[bytes], at_ms: int) -> list[str]:
    """The lines of the printed table."""
    out = console()
    with out.capture() as capture:
        out.print(TABLES[table].render(TABLES[table].ranked(values, at_ms), at_ms))
    return capture.get().splitlines()


def test_counts_are_those_of_the_time_of_looking() -> None:
    """What has run out since the last event is not counted, though no event came."""
    row = failures("1234:7", 50, 3, 2)
    ((now,), (hours_later,), (days_later,)) = (
        [line.split()[:4] for line in text("failures", [row], at) if "1234:7" in line]
        for at in (NOW, NOW + 12 * 60 * MINUTE, NOW + 3 * 24 * 60 * MINUTE)
    )
    assert now == ["1234:7", "2", "3", "3"]
    assert hours_later == ["1234:7", "0", "0", "3"]
    assert days_later == ["1234:7", "0", "0", "0"]


def test_the_subjects_with_the_most_come_first() -> None:
    """By the longest window, then the shorter ones, then by name."""
    values = [failures("1:1", 1), failures("1:3", 600, 500, 400), failures("1:2", 1)]
    ranked = TABLES["failures"].ranked(values, NOW)
    assert [row.now["subject"] for row in ranked] == ["1:3", "1:1", "1:2"]
    assert [row.stored for row in ranked] == [values[1], values[0], values[2]]


def test_a_lock_ends_when_its_time_is_over() -> None:
    """Presumed ends are marked, and locks without an end stay."""
    short, endless = lockout("1:1", 10, 30), lockout("1:2", 10, None)
    now = text("lockouts", [short, endless], NOW)
    assert states(now) == [("1:1", "locked"), ("1:2", "locked")]
    assert "until 2026-11-23T13:20:00.000Z (presumed)" in "\n".join(now)
    later = text("lockouts", [short, endless], NOW + 60 * MINUTE)
    assert states(later) == [("1:2", "locked"), ("1:1", "open")]


def states(lines: list[str]) -> list[tuple[str, str]]:
    """Subject and state of the printed rows."""
    cells = [line.split() for line in lines if line.strip().startswith("1:")]
    return [(row[0], row[1]) for row in cells]


def test_a_row_of_others_is_a_clear_fault() -> None:
    """Not shown as if it were empty."""
    for value in (b"{}", b"not json", b"[]"):
        with pytest.raises(KafkaFaultError, match="riskstream did not write"):
            TABLES["failures"].ranked([value], NOW)


def standing(subject: str, *told: tuple[str, int, int]) -> bytes:
    """A row with events of these families and scores, so many hours before now."""
    row = None
    for offset, (family, score, hours_ago) in enumerate(told):
        at = NOW - hours_ago * 60 * MINUTE
        cause = Cause(family, score, at, f"1:{offset}", 5, "signal", f"{family} was\x1b[2J strange")
        row, _ = fold_standing(row, StandingEvent(subject, offset, cause), JUDGING)
    assert row is not None
    return encode_standing(row)


def test_standings_fade_to_the_time_of_looking_and_the_worst_come_first() -> None:
    """The one that was worse a day ago comes after the one that is bad now."""
    old, new = standing("1:1", ("travel", 90, 30)), standing("1:2", ("place", 45, 1))
    ranked = TABLES["users"].ranked([old, new], NOW)
    assert [row.now["subject"] for row in ranked] == ["1:2", "1:1"]
    assert [row.now["standing"]["score"] for row in ranked] == [44, 38]
    assert [row.stored for row in ranked] == [new, old]
    later = TABLES["users"].ranked([old, new], NOW + 30 * 24 * 60 * MINUTE)
    assert {row.now["standing"]["level"] for row in later} == {"no"}


def test_a_standing_shows_its_causes_and_steers_no_terminal() -> None:
    """Details may quote an event."""
    lines = "\n".join(text("users", [standing("1:1", ("travel", 90, 0), ("place", 45, 0))], NOW))
    assert " 91 " in lines
    assert "high" in lines
    assert "\x1b[2J" not in lines
    assert "(90)" in lines
