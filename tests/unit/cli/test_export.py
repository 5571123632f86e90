"""``riskstream export`` over files: the views of scored events, and what is none."""

import json
from pathlib import Path

import pytest

from riskstream.cli.exporting import Exporter, Wanted
from riskstream.events.vocabulary import View
from tests.support.cli import invoke, mixed_file, ndjson, one_event


@pytest.fixture(scope="module")
def scored() -> bytes:
    """Output of ``riskstream score``, dead letters included."""
    return invoke("score", "-", stdin=mixed_file()).stdout_bytes


@pytest.mark.parametrize("view", list(View))
def test_score_s_output_is_exported_without_its_dead_letters(view: View, scored: bytes) -> None:
    """One line per scored event, in their order."""
    lines = ndjson(scored.decode())
    ids = [line["value"]["id"] for line in lines if line["topic"].startswith("iam.scored.")]
    done = invoke("export", "-", "--as", view.value, stdin=scored)
    assert done.exit_code == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == len(ids) < len(lines)
    for ident, line in zip(ids, told, strict=True):
        if view is View.CEF:
            assert f" externalId={ident} " in line
        else:
            document = json.loads(line)
            at = document["metadata"]["uid"] if view is View.OCSF else document["event"]["id"]
            assert at == ident


def test_values_of_scored_records_are_exported_too(scored: bytes, tmp_path: Path) -> None:
    """As a consumer of the topic would have written them to a file."""
    values = [line["value"] for line in ndjson(scored.decode()) if "value" in line]
    path = tmp_path / "values.ndjson"
    path.write_text("\n".join(json.dumps(value) for value in values) + "\n\n")
    done = invoke("export", str(path), "--as", "ecs")
    assert len(done.stdout.splitlines()) == len(values)


def test_filters_all_must_agree(scored: bytes) -> None:
    """Level, category and time."""
    values = [line["value"] for line in ndjson(scored.decode()) if "value" in line]
    wanted = [
        value["id"]
        for value in values
        if value["risk"]["level"] == "low" and value["category"] == "users"
    ]
    arguments = ["export", "-", "--as", "ocsf", "--risk", "low", "--category", "users"]
    done = invoke(*arguments, stdin=scored)
    assert [each["metadata"]["uid"] for each in ndjson(done.stdout)] == wanted != []
    later = invoke(*arguments, "--since", "2026-11-23T14:00:00Z", stdin=scored)
    assert later.stdout == ""
    assert "No such events." in later.stderr


def test_what_is_no_scored_event_is_told_and_the_rest_exported() -> None:
    """With the line it stands in; the exit code is that of a failed check."""
    good = invoke("score", "-", stdin=json.dumps(one_event(1)).encode()).stdout_bytes
    done = invoke("export", "-", "--as", "cef", stdin=good + b'{"a": 1}\n\xff\n' + good)
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 2
    assert "line 2: no scored event: Object missing required field" in done.stderr
    assert "line 3: no scored event: " in done.stderr
    assert "2 of 4 are no scored events" in done.stderr


def test_a_file_cannot_be_followed_and_must_be_there(tmp_path: Path) -> None:
    """Wrong usage, told as such."""
    done = invoke("export", "-", "--as", "cef", "--follow")
    assert (done.exit_code, "leave it out, or the file" in done.stderr) == (2, True)
    assert invoke("export", str(tmp_path / "no.json"), "--as", "cef").exit_code == 2
    assert invoke("export", "-").exit_code == 2


def test_a_number_that_fits_no_json_is_a_fault_of_the_line(tmp_path: Path) -> None:
    """Anyone may write to a topic; the export goes on."""
    value = json.loads(invoke("score", "-", stdin=json.dumps(one_event(1)).encode()).stdout)[
        "value"
    ]
    value["windows"]["login_failures_1h"] = 2**70
    exporter = Exporter(View.OCSF, Wanted())
    with (tmp_path / "out").open("wb") as out:
        exporter.value(json.dumps(value).encode(), "here", out)
    assert exporter.faults[0].startswith("here: no scored event: ")
