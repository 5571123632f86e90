"""riskstream explain over files."""

import json
from pathlib import Path

from riskstream.events.vocabulary import Kind
from tests.support.cli import invoke
from tests.support.risk import Story

ELSEWHERE = "203.0.113.9"


def _file(folder: Path) -> tuple[Path, str]:
    story = Story()
    story.habits()
    for _ in range(9):
        story.happens(Kind.LOGIN_FAILURE, 20_000, ip=ELSEWHERE, user_agent="curl")
    told = story.happens(Kind.LOGIN_SUCCESS, 20_000, ip=ELSEWHERE, user_agent="curl")
    path = folder / "scored.ndjson"
    path.write_text("".join(f"{json.dumps(each.value)}\n" for each in story.told))
    return path, told.value["id"]


def test_an_event_is_told_in_words(tmp_path: Path) -> None:
    """The sum, what was usual and not, and what would have changed the level."""
    path, ident = _file(tmp_path)
    told = invoke("explain", str(path), "--id", ident)
    assert told.exit_code == 0
    assert "High" in told.stdout
    assert "what an event of this kind scores alone" in told.stdout
    assert "success after 9 failures from the same address" in told.stdout
    assert "it would score" in told.stdout


def test_every_event_of_a_file_and_of_what_score_writes(tmp_path: Path) -> None:
    """One JSON object a line; topic and key around the value do no harm."""
    path, _ = _file(tmp_path)
    lines = invoke("explain", str(path), "--format", "json").stdout.splitlines()
    assert len(lines) == 20
    wrapped = "".join(
        f"{json.dumps({'topic': 't', 'key': 'k', 'value': json.loads(line)})}\n"
        for line in path.read_text().splitlines()
    )
    again = invoke("explain", "-", "--format", "json", stdin=wrapped).stdout.splitlines()
    assert again == lines


def test_what_cannot_be_explained_is_a_message(tmp_path: Path) -> None:
    """Each with its exit code."""
    path, _ = _file(tmp_path)
    missing = invoke("explain", str(path), "--id", "1234:none")
    assert (missing.exit_code, "no scored event 1234:none" in missing.stderr) == (1, True)
    nothing = invoke("explain", "nowhere.json")
    assert (nothing.exit_code, "neither a file nor an event's id" in nothing.stderr) == (2, True)
    path.write_text("{")
    broken = invoke("explain", str(path))
    assert (broken.exit_code, "Line 1" in broken.stderr) == (2, True)
    path.write_text('{"id": "1:1", "risk": {"score": 3}}\n')
    assert invoke("explain", str(path)).exit_code == 2
